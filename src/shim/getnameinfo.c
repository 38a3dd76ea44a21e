/*
 * getnameinfo(3): libc never asks a name server about a destination. A reserved address gives
 * back its name, another one its numbers. RFC 3493 §6.2.
 */
#include <netdb.h>
#include <netinet/in.h>

#include "shim.h"

#define NUMERIC_LEN 80	/* INET6_ADDRSTRLEN, '%' and IF_NAMESIZE are 63 */

typedef int getnameinfo_function(const struct sockaddr *addr, socklen_t len, char *host,
				 socklen_t host_len, char *service, socklen_t service_len,
				 int flags);

static int real_getnameinfo(const struct sockaddr *addr, socklen_t len, char *host,
			    socklen_t host_len, char *service, socklen_t service_len, int flags)
{
	getnameinfo_function *next = (getnameinfo_function *)real_find(REAL_GETNAMEINFO);

	return next ? next(addr, len, host, host_len, service, service_len, flags) : EAI_FAIL;
}

/* `name` as the host; the service, and whether the flags are right, is libc's. 0 or an EAI_ code. */
static int give_name(const char *name, const struct sockaddr *addr, socklen_t len, char *host,
		     socklen_t host_len, char *service, socklen_t service_len, int flags)
{
	char numeric[NUMERIC_LEN];
	int error = real_getnameinfo(addr, len, numeric, sizeof(numeric), service, service_len,
				     (flags & ~NI_NAMEREQD) | NI_NUMERICHOST);

	if (error)
		return error;
	if (strlen(name) >= host_len)
		return EAI_OVERFLOW;
	memcpy(host, name, strlen(name) + 1);
	return 0;
}

/* 0 or an EAI_ code: libc's, name_of()'s; EAI_NONAME where NI_NAMEREQD wants a name and there is none. */
static int shim_getnameinfo(const struct sockaddr *addr, socklen_t len, char *host,
			    socklen_t host_len, char *service, socklen_t service_len, int flags)
{
	char name[CTL_MAX_HOST_NAME_LEN + 1];
	struct endpoint address;
	int error = 0;

	name[0] = '\0';
	if (host && host_len && !(flags & NI_NUMERICHOST) && endpoint_read(addr, len, &address))
		error = name_of(&address, name);
	if (error == EAI_NONAME && !(flags & NI_NAMEREQD)) {
		flags |= NI_NUMERICHOST;
		error = 0;
	}
	if (error)
		return error;
	if (name[0])
		return give_name(name, addr, len, host, host_len, service, service_len, flags);
	return real_getnameinfo(addr, len, host, host_len, service, service_len, flags);
}

EXPORT int getnameinfo(const struct sockaddr *restrict addr, socklen_t len, char *restrict host,
		       socklen_t host_len, char *restrict service, socklen_t service_len,
		       int flags)
{
	return shim_getnameinfo(addr, len, host, host_len, service, service_len, flags);
}
