/*
 * getpeername(2): of a relayed connection the program sees its destination, not the
 * forwarder, and of a UDP socket to a name server that one. In doubt it sees what the kernel says; nothing leaks by that.
 */
#include <netinet/in.h>

#include "shim.h"
#include "sys.h"

typedef int getpeername_function(int fd, struct sockaddr *addr, socklen_t *len);

/* 0, or -1 with errno. The next getpeername behind ours; raw where there is none. */
static int real_getpeername(int fd, struct sockaddr *addr, socklen_t *len)
{
	getpeername_function *next = (getpeername_function *)real_find(REAL_GETPEERNAME);

	return next ? next(fd, addr, len) :
		      (int)with_errno(sys_getpeername(fd, addr, len));
}

/* The socket's family if its peer, which is read, may be the brain; else 0. */
static int relayed_family(int fd, const struct settings *settings, struct endpoint *peer)
{
	struct sockaddr_in6 addr;
	socklen_t len = sizeof(addr);

	if (sys_getpeername(fd, &addr, &len) || !endpoint_read(&addr, len, peer))
		return 0;
	if (!peer->port || !endpoint_is_loopback(peer))
		return 0;
	if (peer->port != settings->port4 && peer->port != settings->port6 &&
	    (peer->port & 0xff) != CTL_PENDING_PORT_MARK)
		return 0;
	return tcp_family(fd) > 0 ? addr.sin6_family : 0;
}

/* Writes the destination to *addr, a sockaddr_in6. Its length, or 0 where it is not known. */
static socklen_t find_destination(int fd, struct sockaddr_in6 *addr)
{
	const struct settings *settings = settings_find();
	struct endpoint local, peer;
	int family = settings ? relayed_family(fd, settings, &peer) : 0;
	socklen_t len = sizeof(*addr);
	struct answer answer;

	if (!family || sys_getsockname(fd, addr, &len) || !endpoint_read(addr, len, &local))
		return 0;
	if (control_peer(&local, &peer, &answer) || answer.status != CTL_STATUS_PEER)
		return 0;
	return endpoint_write(&answer.endpoint, family, addr);
}

/* 0, or -1 with errno, as getpeername(2), which also cuts what does not fit and tells its length. */
static int shim_getpeername(int fd, struct sockaddr *addr, socklen_t *len)
{
	socklen_t room = len ? *len : 0;
	struct sockaddr_in6 destination;
	socklen_t destination_len;

	if (real_getpeername(fd, addr, len))
		return -1;
	destination_len = find_destination(fd, &destination);
	if (!destination_len && len)
		destination_len = find_name_server(addr, room < *len ? room : *len, &destination);
	if (destination_len) {
		memcpy(addr, &destination, room < destination_len ? room : destination_len);
		*len = destination_len;
	}
	return 0;
}

EXPORT int getpeername(int fd, struct sockaddr *restrict addr, socklen_t *restrict len)
{
	return shim_getpeername(fd, addr, len);
}
