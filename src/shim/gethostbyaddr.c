/*
 * gethostbyaddr(3) and its _r form: a reserved address gives back its name, in a hostent of
 * our own (hostent.c). Otherwise as getnameinfo.c.
 */
#include <netdb.h>

#include "shim.h"

typedef struct hostent *gethostbyaddr_function(const void *address, socklen_t len, int family);
typedef int gethostbyaddr_r_function(const void *address, socklen_t len, int family,
				     struct hostent *host, char *buffer, size_t buffer_len,
				     struct hostent **result, int *error);

/*
 * What gethostbyaddr() returns, written by each call, as in every libc: a program whose threads
 * need results of their own calls the _r form.
 */
static struct hostent static_host;
static char static_buffer[HOST_BUFFER_LEN];

/* Asks for the name of *asked, as name_of(). `len` may be longer than the family needs. 0 or an h_errno. */
static int ask_name(const void *address, socklen_t len, int family, struct endpoint *asked, char *name)
{
	asked->len = family == AF_INET ? 4 : 16;
	name[0] = '\0';
	if ((family != AF_INET && family != AF_INET6) || !address || len < asked->len)
		return NO_RECOVERY;
	memcpy(asked->address, address, asked->len);
	return host_error(name_of(asked, name));
}

/* A hostent in static storage, or NULL with h_errno. */
static struct hostent *shim_gethostbyaddr(const void *address, socklen_t len, int family)
{
	gethostbyaddr_function *next = (gethostbyaddr_function *)real_find(REAL_GETHOSTBYADDR);
	char name[CTL_MAX_HOST_NAME_LEN + 1];
	struct endpoint asked;
	int error = ask_name(address, len, family, &asked, name);

	if (!error && name[0] &&
	    host_build(&asked, name, &static_host, static_buffer, sizeof(static_buffer)))
		return &static_host;
	if (!error && next)
		return next(address, len, family);
	set_host_error(error ? error : NO_RECOVERY);
	return NULL;
}

/* 0 with *result; or NULL in it, *error, and 0 (no such host), ERANGE (no room) or another errno. */
static int shim_gethostbyaddr_r(const void *address, socklen_t len, int family,
				struct hostent *host, char *buffer, size_t buffer_len,
				struct hostent **result, int *error)
{
	gethostbyaddr_r_function *next =
		(gethostbyaddr_r_function *)real_find(REAL_GETHOSTBYADDR_R);
	char name[CTL_MAX_HOST_NAME_LEN + 1];
	struct endpoint asked;

	*result = NULL;
	*error = ask_name(address, len, family, &asked, name);
	if (!*error && !name[0] && next)
		return next(address, len, family, host, buffer, buffer_len, result, error);
	if (!*error && !name[0])
		*error = NO_RECOVERY;
	if (*error) {
		set_host_error(*error);	/* as glibc does; Python reads it there */
		return host_result(*error);
	}
	return host_result_built(host_build(&asked, name, host, buffer, buffer_len), host, result, error);
}

EXPORT struct hostent *gethostbyaddr(const void *address, socklen_t len, int family)
{
	return shim_gethostbyaddr(address, len, family);
}

/* What glibc's libresolv has for programs linked long ago. */
EXPORT struct hostent *res_gethostbyaddr(const void *address, socklen_t len, int family)
	__attribute__((alias("gethostbyaddr")));

EXPORT int gethostbyaddr_r(const void *restrict address, socklen_t len, int family,
			   struct hostent *restrict host, char *restrict buffer,
			   size_t buffer_len, struct hostent **restrict result,
			   int *restrict error)
{
	return shim_gethostbyaddr_r(address, len, family, host, buffer, buffer_len, result, error);
}
