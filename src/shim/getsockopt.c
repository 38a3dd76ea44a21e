/*
 * getsockopt(2): SO_ERROR of a connect that failed while the program did other things is the
 * SOCKS server's verdict. All other options are the kernel's.
 */
#include <errno.h>

#include "shim.h"
#include "sys.h"

typedef int getsockopt_function(int fd, int level, int name, void *value, socklen_t *len);

/* 0, or -1 with errno. The next getsockopt behind ours; raw where there is none. */
static int real_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
	getsockopt_function *next = (getsockopt_function *)real_find(REAL_GETSOCKOPT);

	return next ? next(fd, level, name, value, len) :
		      (int)with_errno(sys_getsockopt(fd, level, name, value, len));
}

/* Puts the true errno in the place of the one that the kernel told. */
void correct_option(int fd, int level, int name, void *value, socklen_t len)
{
	int error;

	if (level != SOL_SOCKET || name != SO_ERROR || len != sizeof(error))
		return;
	memcpy(&error, value, sizeof(error));
	error = true_error(fd, error);
	memcpy(value, &error, sizeof(error));
}

EXPORT int getsockopt(int fd, int level, int name, void *restrict value, socklen_t *restrict len)
{
	int result = real_getsockopt(fd, level, name, value, len);

	if (!result)
		correct_option(fd, level, name, value, *len);
	return result;
}

/* The name of the same in 32-bit programs with 64-bit time. */
EXPORT int __getsockopt64(int fd, int level, int name, void *restrict value, socklen_t *restrict len)
	__attribute__((alias("getsockopt"), leaf, nothrow));
