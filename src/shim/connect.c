/*
 * connect(2): a new TCP connection to somewhere else is made as the brain says. All other
 * sockets, addresses and states belong to the kernel, which knows the right error for each.
 */
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "shim.h"
#include "sys.h"

#define FORWARDER_WAIT_S 1	/* the forwarder is on loopback: a handshake takes microseconds */

typedef int connect_function(int fd, const struct sockaddr *addr, socklen_t len);

/* 0, or -1 with errno. The system call itself. */
static int raw_connect(int fd, const void *addr, socklen_t len)
{
	return (int)with_errno(sys_connect(fd, addr, len));
}

/* 0, or -1 with errno. The next connect behind ours; raw where there is none. */
static int real_connect(int fd, const void *addr, socklen_t len)
{
	connect_function *next = (connect_function *)real_find(REAL_CONNECT);

	return next ? next(fd, addr, len) : raw_connect(fd, addr, len);
}

/*
 * Whether the socket is connected, connecting, listening or has failed and not yet said so:
 * then *result is what connect(2) returns, whatever the address. The kernel alone knows, and
 * is asked for a connect to a family that there is not, which it looks at last of all.
 */
static int is_busy(int fd, long *result)
{
	struct sockaddr_in6 nowhere = { .sin6_family = (sa_family_t)-1 };

	*result = sys_connect(fd, &nowhere, sizeof(nowhere));
	return *result != -EAFNOSUPPORT && *result != -EINVAL;
}

/* Whether the brain is to be asked; then *to is the destination. */
static int must_ask(int fd, const struct sockaddr *addr, socklen_t len, struct endpoint *to)
{
	/* of a longer one the kernel reads nothing */
	int family = len > sizeof(struct sockaddr_storage) ? 0 : endpoint_read(addr, len, to);
	int of_socket;

	if (!family || endpoint_is_unasked(to))
		return 0;
	of_socket = tcp_family(fd);
	return of_socket == family || of_socket < 0;
}

/* control_connect() with what the socket is: its family and its SO_SNDTIMEO. */
static int ask(int fd, int is_nonblocking, const struct endpoint *to, struct answer *answer)
{
	struct timeval limit = { 0, 0 };
	socklen_t len = sizeof(limit);
	unsigned int flags = 0;

	if (is_nonblocking)
		flags |= CTL_FLAG_NONBLOCKING;
	if (!endpoint_is_inet(to))
		flags |= CTL_FLAG_INET6;
	if (is_multipath(fd))
		flags |= CTL_FLAG_MULTIPATH;
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
 * A socket bound to another device does not reach loopback. 0; or EPERM where the program may
 * not take it off that device, which the kernel lets only CAP_NET_RAW do.
 */
int leave_device(int fd)
{
	char device[IFNAMSIZ];
	socklen_t len = sizeof(device);

	if (sys_getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, &len) || !len ||
	    !memcmp(device, "lo", 3))
		return 0;
	return sys_setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "", 1) ? EPERM : 0;
}

/*
 * Begins to connect to an endpoint of the brain, or one of the addresses that follow it: from a
 * port that the program bound only one connection goes to each, though the program's go to
 * different destinations. 0 or an errno.
 */
static int connect_to_brain(int fd, int family, const struct endpoint *to)
{
	struct endpoint at = *to;
	struct sockaddr_in6 addr;
	int left = CTL_BRAIN_ADDRESSES;
	socklen_t len;

	for (;; at.address[3]++) {
		len = endpoint_write(&at, family, &addr);
		if (!len)
			return ENETDOWN;
		if (!real_connect(fd, (struct sockaddr *)&addr, len))
			return 0;
		if (errno != EADDRNOTAVAIL || at.len != 4 || !--left)
			return errno;
	}
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
 * Starts the connect of the program's own socket to an endpoint of the brain, and waits for
 * nothing. 0, EINPROGRESS or EINTR (started), or the errno of a failure.
 */
static int start(int fd, int family, const struct endpoint *to)
{
	static const int off;
	long status = sys_fcntl(fd, F_GETFL, 0);
	int error = leave_device(fd);

	if (error)
		return error;
	/* with it the kernel would not connect until the first octet */
	sys_setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &off, sizeof(off));
	if (!(status & O_NONBLOCK))
		sys_fcntl(fd, F_SETFL, status | O_NONBLOCK);
	error = connect_to_brain(fd, family, to);
	if (!(status & O_NONBLOCK))
		sys_fcntl(fd, F_SETFL, status);
	/* it is the brain that refused, of which the program knows nothing */
	return error == ECONNREFUSED ? ENETDOWN : error;
}

static int is_started(int error)
{
	return !error || error == EINPROGRESS || error == EINTR;
}

/*
 * Connects the program's own socket to the forwarder and sends the ticket. 0, EINPROGRESS
 * where the kernel said so to a non-blocking socket, or the errno of a failure.
 */
static int forward(int fd, int family, int is_nonblocking, const struct answer *answer)
{
	int started = start(fd, family, &answer->endpoint);
	int error = started;
	long result;

	if (!is_started(started))
		return started;
	error = started ? wait_for_forwarder(fd) : 0;
	/* tells the kernel that the connect is over: the next one is EISCONN */
	if (!error && started && !is_nonblocking && (!is_busy(fd, &result) || result))
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
 * Has the program's own socket wait for the server's verdict, where the kernel has a connect
 * in progress for as long. EINPROGRESS, or the errno of a failure.
 */
static int wait_for_verdict(int fd, int family, const struct answer *answer)
{
	struct attempt attempt;
	int error = start(fd, family, &answer->endpoint);

	if (error != EINPROGRESS || attempt_read(fd, &attempt)) {
		link_close(&answer->link);
		if (!is_started(error))
			return error;
		error = ENETDOWN;
	} else {
		error = control_started(&answer->link, &attempt);
	}
	if (!error)
		return EINPROGRESS;
	take_back(fd);
	return error;
}

/*
 * 0, or -1 with errno: as connect(2); the brain's (the server's verdict); ENETDOWN if the
 * brain cannot be asked; EMFILE or ENFILE if no descriptor was left to ask it; EINTR, or
 * EINPROGRESS after SO_SNDTIMEO, with the attempt going on, as connect(2) and socket(7) have
 * it: what was waiting is asked anew as if non-blocking, since programs then poll the socket
 * and must not find one that nobody connects. `next` makes the connect that nothing stands in
 * the way of. A socket that is not TCP: datagram.c.
 */
static int shim_connect(int fd, const struct sockaddr *addr, socklen_t len,
			int (*next)(int fd, const void *addr, socklen_t len))
{
	int saved = errno;
	struct endpoint to;
	struct answer answer;
	struct redirect face;
	int is_nonblocking, error, left = 0;
	long result;

	if (!must_ask(fd, addr, len, &to)) {
		error = datagram_connect_refusal(fd, addr, len, &face);
		if (!error)
			return face.len ? next(fd, &face.addr, face.len) : next(fd, addr, len);
		errno = error;
		return -1;
	}
	if (is_busy(fd, &result)) {
		errno = result ? true_error(fd, (int)-result) : saved;
		return result ? -1 : 0;
	}
	is_nonblocking = (sys_fcntl(fd, F_GETFL, 0) & O_NONBLOCK) != 0;
	error = ask(fd, is_nonblocking, &to, &answer);
	if (!is_nonblocking && (error == EINTR || error == ETIMEDOUT)) {
		left = error == EINTR ? EINTR : EINPROGRESS;
		error = ask(fd, 1, &to, &answer);
	}
	if (!error && answer.status == CTL_STATUS_DIRECT)
		return next(fd, addr, len);
	if (!error && answer.status == CTL_STATUS_FORWARD)
		error = forward(fd, addr->sa_family, is_nonblocking, &answer);
	else if (!error && answer.status == CTL_STATUS_PENDING)
		error = wait_for_verdict(fd, addr->sa_family, &answer);
	else if (!error)
		error = answer.status == CTL_STATUS_FAIL ? (int)answer.error : ENETDOWN;
	if (left && (!error || error == EINPROGRESS))
		error = left;
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
