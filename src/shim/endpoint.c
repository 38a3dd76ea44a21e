/*
 * Socket addresses to endpoints and back, and what the shim must know of a socket and of an
 * address before it asks: TCP or not, loopback or not. Works on the octets, since a program's
 * sockaddr may be short or unaligned. ip(7), ipv6(7).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <sys/stat.h>

#include "shim.h"
#include "sys.h"

#define FACE_PORT_FIRST 53000
#define FACE_PORT_LAST 53255
#define INET6_MIN_LEN 24	/* sin6_scope_id came later (RFC 2133); the kernel takes both */

static const unsigned char MAPPED_PREFIX[12] = { [10] = 0xff, [11] = 0xff };

/*
 * Reads a sockaddr of `len` octets. Returns its family, AF_INET or AF_INET6, with *out
 * filled; or 0 where it is another family or too short.
 */
int endpoint_read(const void *addr, size_t len, struct endpoint *out)
{
	const unsigned char *octets = addr;
	sa_family_t family;

	if (!addr || len < sizeof(family))
		return 0;
	memcpy(&family, octets, sizeof(family));
	if (family == AF_INET && len >= sizeof(struct sockaddr_in))
		out->len = 4;
	else if (family == AF_INET6 && len >= INET6_MIN_LEN)
		out->len = 16;
	else
		return 0;
	out->port = (unsigned int)octets[2] << 8 | octets[3];
	memcpy(out->address, octets + (out->len == 4 ? 4 : 8), out->len);
	return family;
}

/*
 * Writes a sockaddr_in or sockaddr_in6 for a socket of `family` to `addr`, which holds a
 * sockaddr_in6; IPv4 goes to AF_INET6 as ::ffff:a.b.c.d. Returns its length, or 0 where the
 * endpoint does not fit the family.
 */
socklen_t endpoint_write(const struct endpoint *from, int family, void *addr)
{
	struct sockaddr_in6 *in6 = addr;
	struct sockaddr_in *in = addr;

	memset(addr, 0, sizeof(*in6));
	if (family == AF_INET && from->len == 4) {
		in->sin_family = AF_INET;
		in->sin_port = __builtin_bswap16((unsigned short)from->port);
		memcpy(&in->sin_addr, from->address, 4);
		return sizeof(*in);
	}
	if (family != AF_INET6)
		return 0;
	in6->sin6_family = AF_INET6;
	in6->sin6_port = __builtin_bswap16((unsigned short)from->port);
	if (from->len == 4)
		memcpy(&in6->sin6_addr, MAPPED_PREFIX, sizeof(MAPPED_PREFIX));
	memcpy((unsigned char *)&in6->sin6_addr + 16 - from->len, from->address, from->len);
	return sizeof(*in6);
}

/* The 4 octets of an IPv4 or v4-mapped address, or NULL. */
static const unsigned char *inet_octets(const struct endpoint *e)
{
	if (e->len == 4)
		return e->address;
	return memcmp(e->address, MAPPED_PREFIX, sizeof(MAPPED_PREFIX)) ? NULL : e->address + 12;
}

/* Whether a socket goes there by IPv4, AF_INET6 or not. */
int endpoint_is_inet(const struct endpoint *e)
{
	return inet_octets(e) != NULL;
}

/* Whether all of an IPv6 address but its last octet is zero, as in :: and ::1. */
static int is_nearly_zero(const struct endpoint *e)
{
	static const unsigned char zeros[15];

	return e->len == 16 && !memcmp(e->address, zeros, sizeof(zeros));
}

/* 127.0.0.0/8, also v4-mapped, and ::1. */
int endpoint_is_loopback(const struct endpoint *e)
{
	const unsigned char *inet = inet_octets(e);

	return inet ? inet[0] == 127 : is_nearly_zero(e) && e->address[15] == 1;
}

/* 0.0.0.0, also v4-mapped, and ::. The kernel connects these to this machine. */
int endpoint_is_unspecified(const struct endpoint *e)
{
	const unsigned char *inet = inet_octets(e);

	if (inet)
		return !(inet[0] | inet[1] | inet[2] | inet[3]);
	return is_nearly_zero(e) && !e->address[15];
}

/* Of the addresses that stand for names, 198.18.0.0/15, also v4-mapped, and fd74:736f:636b:7300::/64. */
int endpoint_is_reserved(const struct endpoint *e)
{
	static const unsigned char prefix[8] = { 0xfd, 0x74, 0x73, 0x6f, 0x63, 0x6b, 0x73, 0x00 };
	const unsigned char *inet = inet_octets(e);

	return inet ? inet[0] == 198 && (inet[1] & 0xfe) == 18 : !memcmp(e->address, prefix, 8);
}

/*
 * Whether a connection or datagram there stays on this machine and is nobody's business: only a
 * name server might tell others what it is asked.
 */
int endpoint_is_unasked(const struct endpoint *e)
{
	return e->port != DNS_PORT && (endpoint_is_loopback(e) || endpoint_is_unspecified(e));
}

/* Whether it is of those that the brain answers DNS from, as REDIRECT in control.h has them. */
int endpoint_is_face(const struct endpoint *e)
{
	const unsigned char *inet = inet_octets(e);

	if (inet)
		return inet[0] == 127 && inet[1] == 83 && inet[2] == 53;
	return e->port >= FACE_PORT_FIRST && e->port <= FACE_PORT_LAST && endpoint_is_loopback(e);
}

/* An integer socket option, or a negated errno. */
static int socket_option(int fd, int name)
{
	int value = 0;
	socklen_t len = sizeof(value);

	long error = sys_getsockopt(fd, SOL_SOCKET, name, &value, &len);

	return error ? (int)error : value;
}

/*
 * AF_INET or AF_INET6 if `fd` is a TCP (or Multipath TCP) socket, else 0; -1 where that cannot
 * be found out though it is a socket (a sandbox), which must not pass for "no".
 */
int tcp_family(int fd)
{
	int family = socket_option(fd, SO_DOMAIN);
	int protocol;

	if (family < 0)
		return family == -EBADF || family == -ENOTSOCK ? 0 : -1;
	if (family != AF_INET && family != AF_INET6)
		return 0;
	if (socket_option(fd, SO_TYPE) != SOCK_STREAM)
		return 0;
	protocol = socket_option(fd, SO_PROTOCOL);
	return protocol == IPPROTO_TCP || protocol == IPPROTO_MPTCP ? family : 0;
}

int is_multipath(int fd)
{
	return socket_option(fd, SO_PROTOCOL) == IPPROTO_MPTCP;
}

/* The socket's domain (AF_INET ...), or a negated errno. */
int socket_domain(int fd)
{
	return socket_option(fd, SO_DOMAIN);
}

/* By which the brain knows the socket of a datagram, which can carry no token; 0 where it has none. */
unsigned long long socket_inode(int fd)
{
	struct statx st;

	return sys_statx(fd, "", AT_EMPTY_PATH, STATX_INO, &st) ? 0 : st.stx_ino;
}

/* Whether what `fd` sends to an Internet address is not TCP; yes where that cannot be found out. */
int sends_datagrams(int fd)
{
	int domain = socket_domain(fd);

	if (domain < 0)
		return domain != -EBADF && domain != -ENOTSOCK;
	return domain != AF_UNIX && domain != AF_NETLINK && tcp_family(fd) <= 0;
}
