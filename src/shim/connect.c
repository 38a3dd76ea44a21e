/*
 * connect(2): a new TCP connection to somewhere else is made as the brain says. All other
 * sockets, addresses and states belong to the kernel, which knows the right error for each.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "shim.h"
#include "sys.h"

#define FORWARDER_WAIT_S 1	/* the forwarder is on loopback: a handshake takes microseconds */

typedef int connect_function(int fd, const struct sockaddr *addr, socklen_t len);

/* 0, or -1 with errno. The system call itself. */
static int raw_connect(int fd, const void *addr, socklen_t len)
{
	long result = sys_connect(fd, addr, len);

	if (result >= 0)
		return (int)result;
	errno = (int)-result;
	return -1;
}

/* 0, or -1 with errno. The next connect behind ours; raw where there is none. */
static int real_connect(int fd, const void *addr, socklen_t len)
{
	connect_function *next = (connect_function *)real_find(REAL_CONNECT);

	return next ? next(fd, addr, len) : raw_connect(fd, addr, len);
}

/* Whether the socket is connected, connecting or listening: then the kernel has the answer. */
static int is_busy(int fd)
{
	struct sockaddr_in6 peer;
	unsigned char state;	/* tcpi_state, the first octet of struct tcp_info */
	socklen_t len = sizeof(state);

	if (!sys_getsockopt(fd, IPPROTO_TCP, TCP_INFO, &state, &len))
		return state != TCP_CLOSE;
	len = sizeof(peer);
	return !sys_getpeername(fd, &peer, &len);
}

/* Whether the brain is to be asked; then *to is the destination. */
static int must_ask(int fd, const struct sockaddr *addr, socklen_t len, struct endpoint *to)
{
	int family = endpoint_read(addr, len, to);
	int of_socket;

	if (!family || endpoint_is_unasked(to))
		return 0;
	of_socket = tcp_family(fd);
	return (of_socket == family || of_socket < 0) && !is_busy(fd);
}

/* control_connect() with what the socket is: its family and its SO_SNDTIMEO. */
static int ask(int fd, int is_nonblocking, const struct endpoint *to, struct answer *answer)
{
	struct timeval limit = { 0, 0 };
	socklen_t len = sizeof(limit);
	unsigned int flags = 0;

	if (is_nonblocking)
		flags |= CTL_FLAG_NONBLOCKING;
	if (to->len == 16)
		flags |= CTL_FLAG_INET6;
	sys_getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, &len);
	return control_connect(to, flags, &limit, answer);
}

/* Waits until the connect under way has ended, well or not. 0, or ETIMEDOUT. */
static int wait_for_forwarder(int fd)
{
	struct pollfd socket = { .fd = fd, .events = POLLOUT };
	struct timespec limit = { FORWARDER_WAIT_S, 0 };
	long result;

	do
		result = sys_ppoll(&socket, 1, &limit);
	while (result == -EINTR);
	return result > 0 ? 0 : ETIMEDOUT;
}

/* 0, or ENETDOWN where the forwarder is gone. 17 octets fit a fresh socket's buffer: it never waits. */
static int send_ticket(int fd, const struct answer *answer)
{
	long result = sys_send(fd, answer->ticket, CTL_TICKET_LEN, MSG_NOSIGNAL | MSG_DONTWAIT);

	return result == CTL_TICKET_LEN ? 0 : ENETDOWN;
}

/*
 * Takes the socket from the forwarder: it must not look as if it had reached the destination.
 * AF_UNSPEC makes it new again (connect(2)); where that is refused it is shut.
 */
static void take_back(int fd)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };

	if (sys_connect(fd, &none, sizeof(none)))
		sys_shutdown(fd, SHUT_RDWR);
}

/*
 * Connects the program's own socket to the forwarder and sends the ticket. 0, EINPROGRESS
 * where the kernel said so to a non-blocking socket, or the errno of a failure.
 */
static int forward(int fd, int family, int is_nonblocking, const struct answer *answer)
{
	static const int off;
	struct sockaddr_in6 addr;
	socklen_t len = endpoint_write(&answer->endpoint, family, &addr);
	int started = 0, error;
	long status = 0;

	if (!len)
		return ENETDOWN;
	/* with it the kernel would not connect until the first octet */
	sys_setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &off, sizeof(off));
	/* a socket bound to another device does not reach loopback */
	sys_setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "", 1);
	/* never longer than wait_for_forwarder(), whatever is in the way */
	if (!is_nonblocking) {
		status = sys_fcntl(fd, F_GETFL, 0);
		sys_fcntl(fd, F_SETFL, status | O_NONBLOCK);
	}
	if (real_connect(fd, &addr, len))
		started = errno;
	if (!is_nonblocking)
		sys_fcntl(fd, F_SETFL, status);
	/* it is the forwarder that refused, of which the program knows nothing */
	if (started == ECONNREFUSED)
		return ENETDOWN;
	if (started && started != EINPROGRESS && started != EINTR)
		return started;
	error = started ? wait_for_forwarder(fd) : 0;
	/* tells the kernel that the connect is over: the next one is EISCONN */
	if (!error && started && !is_nonblocking && sys_connect(fd, &addr, len))
		error = ENETDOWN;
	if (!error)
		error = send_ticket(fd, answer);
	if (error) {
		take_back(fd);
		return error;
	}
	return is_nonblocking ? started : 0;
}

/*
 * 0, or -1 with errno: as connect(2); the brain's (the server's verdict); ENETDOWN if the
 * brain cannot be asked; EMFILE or ENFILE if no descriptor was left to ask it; ETIMEDOUT
 * (SO_SNDTIMEO) with the attempt given up and the socket as it was; EINTR with the attempt
 * going on, as connect(2) has it: what was waiting is asked anew as if non-blocking, since
 * programs then poll the socket and must not find one that nobody connects. `next` makes the
 * connect that nothing stands in the way of. A socket that is not TCP: datagram.c.
 */
static int shim_connect(int fd, const struct sockaddr *addr, socklen_t len,
			int (*next)(int fd, const void *addr, socklen_t len))
{
	int saved = errno;
	struct endpoint to;
	struct answer answer;
	struct redirect face;
	int is_nonblocking, is_interrupted, error;

	if (!must_ask(fd, addr, len, &to)) {
		error = datagram_connect_refusal(fd, addr, len, &face);
		if (!error)
			return face.len ? next(fd, &face.addr, face.len) : next(fd, addr, len);
		errno = error;
		return -1;
	}
	is_nonblocking = (sys_fcntl(fd, F_GETFL, 0) & O_NONBLOCK) != 0;
	error = ask(fd, is_nonblocking, &to, &answer);
	is_interrupted = error == EINTR;
	if (is_interrupted)
		error = ask(fd, 1, &to, &answer);
	if (!error && answer.status == CTL_STATUS_DIRECT)
		return next(fd, addr, len);
	if (!error && answer.status == CTL_STATUS_FORWARD)
		error = forward(fd, addr->sa_family, is_nonblocking, &answer);
	else if (!error)
		error = answer.status == CTL_STATUS_FAIL ? (int)answer.error : ENETDOWN;
	if (is_interrupted && !error)
		error = EINTR;
	errno = error ? error : saved;
	return error ? -1 : 0;
}

EXPORT int connect(int fd, const struct sockaddr *addr, socklen_t len)
{
	return shim_connect(fd, addr, len, real_connect);
}

/* glibc's other public name of the same function. */
EXPORT int __connect(int fd, const struct sockaddr *addr, socklen_t len)
{
	return shim_connect(fd, addr, len, real_connect);
}

/* As connect(), but the next one behind ours may be what called syscall(2): a system call. */
long connect_by_number(int fd, const struct sockaddr *addr, socklen_t len)
{
	return shim_connect(fd, addr, len, raw_connect);
}
