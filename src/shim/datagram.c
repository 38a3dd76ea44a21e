/*
 * sendto(2), sendmsg(2), sendmmsg(2), and connect(2) of sockets other than TCP: what goes
 * elsewhere leaves only if the brain says so. What a connected socket sends without an
 * address was asked about when it was connected. ip(7), udp(7), tcp(7).
 */
#include <errno.h>
#include <netinet/in.h>

#include "shim.h"
#include "sys.h"

#define MAX_MESSAGES 1024	/* UIO_MAXIOV: the kernel reads no more of them */

typedef ssize_t sendto_function(int fd, const void *bytes, size_t len, int flags,
				const struct sockaddr *addr, socklen_t addr_len);
typedef ssize_t sendmsg_function(int fd, const struct msghdr *message, int flags);
typedef int sendmmsg_function(int fd, struct message *messages, unsigned int count, int flags);

/* A raw call's result as libc's: -1 with errno for a negated errno. */
static long with_errno(long result)
{
	if (result >= 0)
		return result;
	errno = (int)-result;
	return -1;
}

/* Each of the three: the next one behind ours; raw where there is none. */
static ssize_t real_sendto(int fd, const void *bytes, size_t len, int flags,
			   const struct sockaddr *addr, socklen_t addr_len)
{
	sendto_function *next = (sendto_function *)real_find(REAL_SENDTO);

	return next ? next(fd, bytes, len, flags, addr, addr_len) :
		      with_errno(sys_call(__NR_sendto, fd, (long)bytes, (long)len, flags,
					  (long)addr, addr_len));
}

static ssize_t real_sendmsg(int fd, const struct msghdr *message, int flags)
{
	sendmsg_function *next = (sendmsg_function *)real_find(REAL_SENDMSG);

	return next ? next(fd, message, flags) :
		      with_errno(sys_call(__NR_sendmsg, fd, (long)message, flags, 0, 0, 0));
}

static int real_sendmmsg(int fd, struct message *messages, unsigned int count, int flags)
{
	sendmmsg_function *next = (sendmmsg_function *)real_find(REAL_SENDMMSG);

	return next ? next(fd, messages, count, flags) :
		      (int)with_errno(sys_call(__NR_sendmmsg, fd, (long)messages, count, flags, 0, 0));
}

/* 0 where a datagram from `fd` may go to `to`, else the errno of its refusal. */
static int endpoint_refusal(int fd, const struct endpoint *to)
{
	const struct settings *settings = settings_find();
	struct answer answer;
	int error;

	if (endpoint_is_loopback(to) || endpoint_is_unspecified(to))
		return 0;
	if (settings && settings->flags & SETTINGS_FLAG('U') && !endpoint_is_reserved(to))
		return 0;
	if (!sends_datagrams(fd))
		return 0;
	error = control_datagram(to, &answer);
	if (error || answer.status == CTL_STATUS_DIRECT)
		return error;
	return answer.status == CTL_STATUS_FAIL ? (int)answer.error : ENETDOWN;
}

/* The same for connect(2), to which AF_UNSPEC is no destination; 0 for TCP. */
int datagram_connect_refusal(int fd, const void *addr, size_t len)
{
	struct endpoint to;

	return endpoint_read(addr, len, &to) ? endpoint_refusal(fd, &to) : 0;
}

/* Reads a send's address as the kernel does: it takes AF_UNSPEC for the socket's own family. */
static int read_destination(int fd, const void *addr, size_t len, struct endpoint *to)
{
	struct sockaddr_in6 copy;
	sa_family_t family;

	if (!addr || len < sizeof(family))
		return 0;
	memcpy(&family, addr, sizeof(family));
	if (family != AF_UNSPEC)
		return endpoint_read(addr, len, to);
	len = len < sizeof(copy) ? len : sizeof(copy);
	memcpy(&copy, addr, len);
	copy.sin6_family = socket_domain(fd) == AF_INET6 ? AF_INET6 : AF_INET;
	return endpoint_read(&copy, len, to);
}

/*
 * 0 where this may be sent, else an errno: of the brain's refusal, ENETDOWN where it cannot be
 * asked, or EOPNOTSUPP for TCP Fast Open to elsewhere, as from a kernel that has it switched
 * off: a program then connects, which is asked about. `addr` may be NULL.
 */
static int destination_refusal(int fd, const struct endpoint *to, int flags)
{
	if (!(flags & MSG_FASTOPEN) || endpoint_is_loopback(to) || endpoint_is_unspecified(to))
		return endpoint_refusal(fd, to);
	return tcp_family(fd) ? EOPNOTSUPP : endpoint_refusal(fd, to);
}

int send_refusal(int fd, const void *addr, size_t len, int flags)
{
	struct endpoint to;

	return read_destination(fd, addr, len, &to) ? destination_refusal(fd, &to, flags) : 0;
}

static int is_same(const struct endpoint *a, const struct endpoint *b)
{
	return a->len == b->len && a->port == b->port && !memcmp(a->address, b->address, a->len);
}

/*
 * How many of the messages may be sent before the first that may not, whose errno is then in
 * *error (else 0). Messages that follow each other to one destination are one question.
 */
unsigned int count_sendable(int fd, const struct message *messages, unsigned int count, int flags,
			    int *error)
{
	struct endpoint to, last = { .len = 0 };
	unsigned int i;

	*error = 0;
	if (!messages)
		return count;
	count = count < MAX_MESSAGES ? count : MAX_MESSAGES;
	for (i = 0; i < count; i++) {
		const struct msghdr *header = &messages[i].header;

		if (!read_destination(fd, header->msg_name, header->msg_namelen, &to) ||
		    is_same(&to, &last))
			continue;
		*error = destination_refusal(fd, &to, flags);
		if (*error)
			return i;
		last = to;
	}
	return count;
}

/* As sendto(2); -1 with an errno of send_refusal() where it may not be. */
EXPORT ssize_t sendto(int fd, const void *bytes, size_t len, int flags,
		      const struct sockaddr *addr, socklen_t addr_len)
{
	int error = send_refusal(fd, addr, addr_len, flags);

	return error ? with_errno(-error) : real_sendto(fd, bytes, len, flags, addr, addr_len);
}

EXPORT ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	int error = 0;

	if (message)
		error = send_refusal(fd, message->msg_name, message->msg_namelen, flags);
	return error ? with_errno(-error) : real_sendmsg(fd, message, flags);
}

/* As sendmmsg(2): how many were sent; -1 where the first one failed. */
EXPORT int sendmmsg(int fd, struct message *messages, unsigned int count, int flags)
{
	int error;
	unsigned int sendable = count_sendable(fd, messages, count, flags, &error);

	if (error && !sendable)
		return (int)with_errno(-error);
	return real_sendmmsg(fd, messages, sendable, flags);
}

/* The names of the same two in 32-bit programs with 64-bit time. */
EXPORT ssize_t __sendmsg64(int fd, const struct msghdr *message, int flags)
	__attribute__((alias("sendmsg")));
EXPORT int __sendmmsg64(int fd, struct message *messages, unsigned int count, int flags)
	__attribute__((alias("sendmmsg")));
