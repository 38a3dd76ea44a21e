/*
 * socket(2): the kinds whose destination no hook of ours sees (raw, AF_PACKET, SCTP, DCCP,
 * SMC, vsock and whatever comes) are made only if the brain says so. The kinds below are
 * asked about later, where they connect or send, or cannot leave this machine.
 */
#include <errno.h>
#include <netinet/in.h>

#include "shim.h"
#include "sys.h"

#define TYPE_MASK 0xf		/* the rest is SOCK_CLOEXEC and SOCK_NONBLOCK */

typedef int socket_function(int domain, int type, int protocol);

/* A descriptor, or -1 with errno. The next socket behind ours; raw where there is none. */
static int real_socket(int domain, int type, int protocol)
{
	socket_function *next = (socket_function *)real_find(REAL_SOCKET);

	return next ? next(domain, type, protocol) :
		      (int)with_errno(sys_call(__NR_socket, domain, type, protocol, 0, 0, 0));
}

static int is_inet_covered(int type, int protocol)
{
	if (type == SOCK_STREAM)
		return !protocol || protocol == IPPROTO_TCP || protocol == IPPROTO_MPTCP;
	return type == SOCK_DGRAM &&
	       (!protocol || protocol == IPPROTO_UDP || protocol == IPPROTO_UDPLITE ||
		protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6);
}

static int is_covered(int domain, int type, int protocol)
{
	if (domain == AF_INET || domain == AF_INET6)
		return is_inet_covered(type & TYPE_MASK, protocol);
	return domain == AF_UNIX || domain == AF_NETLINK || domain == AF_ALG;
}

/*
 * 0 where the program may have such a socket, which the kernel has made already: a kind that
 * it does not know, or does not give this user, has its own error and is not asked about.
 * Else an errno: of the brain's refusal, or ENETDOWN.
 */
int socket_refusal(int domain, int type, int protocol)
{
	struct answer answer;
	int error;

	if (is_covered(domain, type, protocol))
		return 0;
	error = control_socket(domain, type & TYPE_MASK, protocol, &answer);
	if (error || answer.status == CTL_STATUS_DIRECT)
		return error;
	return answer.status == CTL_STATUS_FAIL ? (int)answer.error : ENETDOWN;
}

/* As socket(2); -1 with an errno of socket_refusal() where it may not be. */
EXPORT int socket(int domain, int type, int protocol)
{
	int fd = real_socket(domain, type, protocol);
	int error = fd < 0 ? 0 : socket_refusal(domain, type, protocol);

	if (!error)
		return fd;
	sys_close(fd);
	errno = error;
	return -1;
}
