/*
 * The struct hostent of an address that the brain gave for a name, or of a name for an address: one
 * name, one address, built where libc would, in the caller's buffer or a static one. Asks nothing.
 */
#include <errno.h>
#include <netdb.h>

#include "shim.h"

/* What a hostent points to, but for the name, which follows. */
struct room {
	char *aliases[1];		/* none */
	char *addresses[2];		/* one */
	char address[16];
};

_Static_assert(_Alignof(struct room) + sizeof(struct room) <= HOST_BUFFER_LEN - CTL_MAX_HOST_NAME_LEN - 1,
	       "room for the longest name");

/* Fills *host. Whether there was room. */
int host_build(const struct endpoint *address, const char *name, struct hostent *host,
	       char *buffer, size_t len)
{
	size_t padding = -(size_t)buffer % _Alignof(struct room);
	struct room *room = (struct room *)(buffer + padding);

	if (len < padding + sizeof(*room) + strlen(name) + 1)
		return 0;
	host->h_addrtype = address->len == 4 ? AF_INET : AF_INET6;
	host->h_length = (int)address->len;
	host->h_name = (char *)(room + 1);
	host->h_aliases = room->aliases;
	host->h_addr_list = room->addresses;
	room->aliases[0] = NULL;
	room->addresses[0] = room->address;
	room->addresses[1] = NULL;
	memcpy(room->address, address->address, address->len);
	memcpy(host->h_name, name, strlen(name) + 1);
	return 1;
}

/* The result of a function of the _r kind: 0 with *result; or ERANGE, after which callers bring more room. */
int host_result_built(int is_built, struct hostent *host, struct hostent **result, int *error)
{
	*result = is_built ? host : NULL;
	*error = is_built ? 0 : NETDB_INTERNAL;
	return is_built ? 0 : ERANGE;
}
