/*
 * sendto(2), sendmsg(2), sendmmsg(2), and connect(2) of sockets other than TCP: what goes
 * elsewhere leaves only if the brain says so, and what is for a name server goes to the brain
 * where it says that (receive.c has the answers' side). What a connected socket sends without an
 * address was asked about when it was connected. ip(7), ipv6(7), udp(7), tcp(7).
 */
#include <errno.h>
#include <netinet/in.h>

#include "shim.h"
#include "sys.h"

#define MAX_MESSAGES 1024	/* UIO_MAXIOV: the kernel reads no more of them */

typedef ssize_t sendto_function(int fd, const void *bytes, size_t len, int flags,
				const struct sockaddr *addr, socklen_t addr_len);

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
	send_one *next = (send_one *)real_find(REAL_SENDMSG);

	return next ? next(fd, message, flags) :
		      with_errno(sys_call(__NR_sendmsg, fd, (long)message, flags, 0, 0, 0));
}

static int real_sendmmsg(int fd, struct message *messages, unsigned int count, int flags)
{
	send_many *next = (send_many *)real_find(REAL_SENDMMSG);

	return next ? next(fd, messages, count, flags) :
		      (int)with_errno(sys_call(__NR_sendmmsg, fd, (long)messages, count, flags, 0, 0));
}

/*
 * Has the kernel route to loopback as such: a socket that was bound to an interface, or told of one to
 * send by, would send what is for loopback out of the machine. 0, or EPERM as leave_device(). What a
 * kernel does not have it does not obey.
 */
static int stay_on_loopback(int fd, int domain)
{
	static const unsigned char no_pktinfo[20];	/* struct in6_pktinfo */
	static const int none;
	int error = leave_device(fd);

	sys_setsockopt(fd, IPPROTO_IP, IP_UNICAST_IF, &none, sizeof(none));
	if (domain == AF_INET6) {
		sys_setsockopt(fd, IPPROTO_IPV6, IPV6_UNICAST_IF, &none, sizeof(none));
		sys_setsockopt(fd, IPPROTO_IPV6, IPV6_PKTINFO, no_pktinfo, sizeof(no_pktinfo));
	}
	return error;
}

/* 0 where a datagram from `fd` may go to `to`, or to *redirect; else the errno of its refusal. */
static int endpoint_refusal(int fd, const struct endpoint *to, struct redirect *redirect)
{
	const struct settings *settings = settings_find();
	struct answer answer;
	int error, domain;

	redirect->len = 0;
	if (endpoint_is_unasked(to))
		return 0;
	if (settings && settings->flags & SETTINGS_FLAG('U') && !endpoint_is_reserved(to) &&
	    to->port != DNS_PORT)
		return 0;
	if (!sends_datagrams(fd))
		return 0;
	error = control_datagram(to, to->port == DNS_PORT ? socket_inode(fd) : 0, &answer);
	if (error || answer.status == CTL_STATUS_DIRECT)
		return error;
	if (answer.status == CTL_STATUS_REDIRECT && endpoint_is_face(&answer.endpoint)) {
		domain = socket_domain(fd);
		error = stay_on_loopback(fd, domain);
		redirect->len = error ? 0 : endpoint_write(&answer.endpoint, domain, &redirect->addr);
		if (error || redirect->len)
			return error;
	}
	return answer.status == CTL_STATUS_FAIL ? (int)answer.error : ENETDOWN;
}

/* The same for connect(2), to which AF_UNSPEC is no destination; 0 for TCP. */
int datagram_connect_refusal(int fd, const void *addr, size_t len, struct redirect *redirect)
{
	struct endpoint to;

	redirect->len = 0;
	return endpoint_read(addr, len, &to) ? endpoint_refusal(fd, &to, redirect) : 0;
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
static int destination_refusal(int fd, const struct endpoint *to, int flags,
			       struct redirect *redirect)
{
	redirect->len = 0;
	if (flags & MSG_FASTOPEN && !endpoint_is_unasked(to) && tcp_family(fd))
		return EOPNOTSUPP;
	return endpoint_refusal(fd, to, redirect);
}

int send_refusal(int fd, const void *addr, size_t len, int flags, struct redirect *redirect)
{
	struct endpoint to;

	redirect->len = 0;
	return read_destination(fd, addr, len, &to) ? destination_refusal(fd, &to, flags, redirect) : 0;
}

/*
 * A message of a socket that is connected to a face already, with control data in which an interface
 * may stand: *redirect is that face. Else its length is 0.
 */
static void redirect_again(int fd, const struct msghdr *message, struct redirect *redirect)
{
	socklen_t len = sizeof(redirect->addr);
	struct endpoint peer;

	redirect->len = 0;
	if (message->msg_name || !message->msg_controllen)
		return;
	if (sys_getpeername(fd, &redirect->addr, &len) || !endpoint_read(&redirect->addr, len, &peer))
		return;
	if (endpoint_is_face(&peer) && sends_datagrams(fd))
		redirect->len = len;
}

static int is_same(const struct endpoint *a, const struct endpoint *b)
{
	return a->len == b->len && a->port == b->port && !memcmp(a->address, b->address, a->len);
}

/*
 * How many of the messages may be sent before the first that may not, whose errno is then in
 * *error (else 0), or that goes to *redirect. Those that follow each other to one destination are
 * one question.
 */
static unsigned int count_sendable(int fd, const struct message *messages, unsigned int count,
				   int flags, int *error, struct redirect *redirect)
{
	struct endpoint to, last = { .len = 0 };
	unsigned int i;

	*error = 0;
	redirect->len = 0;
	for (i = 0; i < count; i++) {
		const struct msghdr *header = &messages[i].header;

		redirect_again(fd, header, redirect);
		if (redirect->len)
			return i;
		if (!read_destination(fd, header->msg_name, header->msg_namelen, &to) ||
		    is_same(&to, &last))
			continue;
		*error = destination_refusal(fd, &to, flags, redirect);
		if (*error || redirect->len)
			return i;
		last = to;
	}
	return count;
}

/*
 * Sends the message to `to` in its own destination's place, without its control data: an interface in
 * it would lead out of the machine, and nothing in it is of use on loopback.
 */
static ssize_t send_redirected(int fd, const struct msghdr *message, struct redirect *to, int flags,
			       send_one *next)
{
	struct msghdr copy = *message;

	copy.msg_name = &to->addr;
	copy.msg_namelen = to->len;
	copy.msg_control = NULL;
	copy.msg_controllen = 0;
	return next(fd, &copy, flags);
}

/* As sendmsg(2); -1 with an errno of send_refusal() where it may not be. */
ssize_t send_message(int fd, const struct msghdr *message, int flags, send_one *next)
{
	struct redirect to = { .len = 0 };
	int error = 0;

	if (message)
		error = send_refusal(fd, message->msg_name, message->msg_namelen, flags, &to);
	if (error)
		return with_errno(-error);
	if (message && !to.len)
		redirect_again(fd, message, &to);
	return to.len ? send_redirected(fd, message, &to, flags, next) : next(fd, message, flags);
}

/*
 * As sendmmsg(2): how many were sent; -1 with errno where the first one failed. Those that go as
 * they are go together, those for a name server one by one.
 */
int send_messages(int fd, struct message *messages, unsigned int count, int flags, send_one *next,
		  send_many *next_many)
{
	unsigned int sent = 0, sendable;
	struct redirect to;
	ssize_t result;
	int error;

	if (!messages)
		return next_many(fd, messages, count, flags);
	count = count < MAX_MESSAGES ? count : MAX_MESSAGES;
	do {
		struct message *first = messages + sent;

		sendable = count_sendable(fd, first, count - sent, flags, &error, &to);
		if (sendable || !(error || to.len)) {
			result = next_many(fd, first, sendable, flags);
			sent += result > 0 ? (unsigned int)result : 0;
			if (result < (ssize_t)sendable || !sendable)
				return sent ? (int)sent : (int)result;
			first += sendable;
		}
		if (to.len) {
			result = send_redirected(fd, &first->header, &to, flags, next);
			if (result < 0)
				return sent ? (int)sent : -1;
			first->sent = (unsigned int)result;
			sent++;
		}
	} while (to.len && sent < count);
	return error && !sent ? (int)with_errno(-error) : (int)sent;
}

/* As sendto(2); -1 with an errno of send_refusal() where it may not be. */
EXPORT ssize_t sendto(int fd, const void *bytes, size_t len, int flags,
		      const struct sockaddr *addr, socklen_t addr_len)
{
	struct redirect to;
	int error = send_refusal(fd, addr, addr_len, flags, &to);

	if (error)
		return with_errno(-error);
	if (to.len)
		return real_sendto(fd, bytes, len, flags, (struct sockaddr *)&to.addr, to.len);
	return real_sendto(fd, bytes, len, flags, addr, addr_len);
}

EXPORT ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	return send_message(fd, message, flags, real_sendmsg);
}

EXPORT int sendmmsg(int fd, struct message *messages, unsigned int count, int flags)
{
	return send_messages(fd, messages, count, flags, real_sendmsg, real_sendmmsg);
}

/* The names of the same two in 32-bit programs with 64-bit time. */
EXPORT ssize_t __sendmsg64(int fd, const struct msghdr *message, int flags)
	__attribute__((alias("sendmsg")));
EXPORT int __sendmmsg64(int fd, struct message *messages, unsigned int count, int flags)
	__attribute__((alias("sendmmsg")));
