/*
 * gethostbyaddr(3) and its _r form: a reserved address gives back its name, in a hostent that
 * we build where libc would, the caller's buffer or a static one. Otherwise as getnameinfo.c.
 */
#include <errno.h>
#include <netdb.h>

#include "shim.h"

typedef struct hostent *gethostbyaddr_function(const void *address, socklen_t len, int family);
typedef int gethostbyaddr_r_function(const void *address, socklen_t len, int family,
				     struct hostent *host, char *buffer, size_t buffer_len,
				     struct hostent **result, int *error);

/* What a hostent points to, but for the name, which follows. */
struct room {
	char *aliases[1];		/* none */
	char *addresses[2];		/* one */
	char address[16];
};

/*
 * What gethostbyaddr() returns, written by each call, as in every libc: a program whose threads
 * need results of their own calls the _r form.
 */
static struct hostent static_host;
static char static_buffer[_Alignof(struct room) + sizeof(struct room) + CTL_MAX_HOST_NAME_LEN + 1];

/* Asks for the name, as name_of(). `len` may be longer than the family needs. 0 or an h_errno. */
static int ask_name(const void *address, socklen_t len, int family, char *name)
{
	struct endpoint asked = { .len = family == AF_INET ? 4 : 16 };

	name[0] = '\0';
	if ((family != AF_INET && family != AF_INET6) || !address || len < asked.len)
		return NO_RECOVERY;
	memcpy(asked.address, address, asked.len);
	return host_error(name_of(&asked, name));
}

/* Fills *host from the address and its name. Whether there was room. */
static int build(const void *address, int family, const char *name, struct hostent *host,
		 char *buffer, size_t buffer_len)
{
	size_t padding = -(size_t)buffer % _Alignof(struct room);
	struct room *room = (struct room *)(buffer + padding);

	if (buffer_len < padding + sizeof(*room) + strlen(name) + 1)
		return 0;
	host->h_addrtype = family;
	host->h_length = family == AF_INET ? 4 : 16;
	host->h_name = (char *)(room + 1);
	host->h_aliases = room->aliases;
	host->h_addr_list = room->addresses;
	room->aliases[0] = NULL;
	room->addresses[0] = room->address;
	room->addresses[1] = NULL;
	memcpy(room->address, address, (size_t)host->h_length);
	memcpy(host->h_name, name, strlen(name) + 1);
	return 1;
}

/* A hostent in static storage, or NULL with h_errno. */
static struct hostent *shim_gethostbyaddr(const void *address, socklen_t len, int family)
{
	gethostbyaddr_function *next = (gethostbyaddr_function *)real_find(REAL_GETHOSTBYADDR);
	char name[CTL_MAX_HOST_NAME_LEN + 1];
	int error = ask_name(address, len, family, name);

	if (!error && name[0] &&
	    build(address, family, name, &static_host, static_buffer, sizeof(static_buffer)))
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

	*result = NULL;
	*error = ask_name(address, len, family, name);
	if (!*error && !name[0] && next)
		return next(address, len, family, host, buffer, buffer_len, result, error);
	if (!*error && !name[0])
		*error = NO_RECOVERY;
	if (*error) {
		set_host_error(*error);	/* as glibc does; Python reads it there */
		return host_result(*error);
	}
	if (!build(address, family, name, host, buffer, buffer_len)) {
		*error = NETDB_INTERNAL;
		return ERANGE;
	}
	*result = host;
	return 0;
}

EXPORT struct hostent *gethostbyaddr(const void *address, socklen_t len, int family)
{
	return shim_gethostbyaddr(address, len, family);
}

EXPORT int gethostbyaddr_r(const void *restrict address, socklen_t len, int family,
			   struct hostent *restrict host, char *restrict buffer,
			   size_t buffer_len, struct hostent **restrict result,
			   int *restrict error)
{
	return shim_gethostbyaddr_r(address, len, family, host, buffer, buffer_len, result, error);
}
