/*
 * getnetbyname(3), getnetbyaddr(3) and their _r forms: glibc asks name servers about networks where
 * nsswitch.conf(5) has "dns" for them, which is its default without a line, and no hook sees it. Here
 * they know /etc/networks alone, as always in musl.
 */
#include <errno.h>
#include <netdb.h>

#include "shim.h"

typedef int configure_function(const char *database, const char *services);
typedef struct netent *getnetbyname_function(const char *name);
typedef struct netent *getnetbyaddr_function(uint32_t net, int family);
typedef int getnetbyname_r_function(const char *name, struct netent *net, char *buffer, size_t len,
				    struct netent **result, int *error);
typedef int getnetbyaddr_r_function(uint32_t number, int family, struct netent *net, char *buffer,
				    size_t len, struct netent **result, int *error);

/*
 * libc's function, glibc's told to look in its file alone, as getent(1) -s tells it; NULL where it did
 * not listen. Told once, since glibc before 2.34 keeps memory for each time; threads may race to it.
 */
static void *find_for_files(enum real_function which)
{
	static int is_told;
	configure_function *configure =
		(configure_function *)real_find(REAL_NSS_CONFIGURE_LOOKUP);
	int saved = errno;

	if (configure && !__atomic_load_n(&is_told, __ATOMIC_ACQUIRE)) {
		if (configure("networks", "files"))
			return NULL;
		__atomic_store_n(&is_told, 1, __ATOMIC_RELEASE);
		errno = saved;
	}
	return real_find(which);
}

/* As in libc: the network or NULL with h_errno; the _r forms 0 with *result or NULL in it, or an errno. */
static void *fail(void)
{
	set_host_error(NO_RECOVERY);
	return NULL;
}

static int fail_r(struct netent **result, int *error)
{
	*result = NULL;
	*error = NO_RECOVERY;
	return host_result(NO_RECOVERY);
}

EXPORT struct netent *getnetbyname(const char *name)
{
	getnetbyname_function *next = find_for_files(REAL_GETNETBYNAME);

	return next ? next(name) : fail();
}

EXPORT struct netent *getnetbyaddr(uint32_t number, int family)
{
	getnetbyaddr_function *next = find_for_files(REAL_GETNETBYADDR);

	return next ? next(number, family) : fail();
}

EXPORT int getnetbyname_r(const char *restrict name, struct netent *restrict net,
			  char *restrict buffer, size_t len, struct netent **restrict result,
			  int *restrict error)
{
	getnetbyname_r_function *next = find_for_files(REAL_GETNETBYNAME_R);

	return next ? next(name, net, buffer, len, result, error) : fail_r(result, error);
}

EXPORT int getnetbyaddr_r(uint32_t number, int family, struct netent *restrict net,
			  char *restrict buffer, size_t len, struct netent **restrict result,
			  int *restrict error)
{
	getnetbyaddr_r_function *next = find_for_files(REAL_GETNETBYADDR_R);

	return next ? next(number, family, net, buffer, len, result, error) : fail_r(result, error);
}
