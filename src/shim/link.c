/*
 * The connection to the brain: a Unix socket that lives within one call, since programs close
 * descriptors that they do not know, and whose octets control.c writes and reads. Never touches
 * the program's sockets.
 */
#include <errno.h>
#include <sys/un.h>

#include "shim.h"
#include "sys.h"

/* The program's errno for a failure to reach the brain: only the lack of descriptors is its own. */
static int unreachable(long error)
{
	return error == -EMFILE || error == -ENFILE ? (int)-error : ENETDOWN;
}

/* The program's errno for a send or recv that failed, or (0) that met the brain's close. */
static int broken_off(long result)
{
	if (result == -EAGAIN)
		return ETIMEDOUT;
	return result == -EINTR ? EINTR : ENETDOWN;
}

/* Opens a socket that an exec closes, off 0-2, which programs take for their own. fd or -errno. */
static long open_socket(void)
{
	long fd = sys_socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC);
	long moved;

	if (fd < 0 || fd > 2)
		return fd;
	moved = sys_fcntl((int)fd, F_DUPFD_CLOEXEC, 3);
	if (moved < 0)
		return fd;
	sys_close((int)fd);
	return moved;
}

/* What tells this socket from all others, or 0. */
static unsigned long long cookie_of(int fd)
{
	unsigned long long cookie = 0;
	socklen_t len = sizeof(cookie);

	return sys_getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len) ? 0 : cookie;
}

/* Connects `fd` to the brain. 0 or an errno. */
static int reach(const struct link *link, const struct settings *settings)
{
	struct sockaddr_un to;
	long result;

	memset(&to, 0, sizeof(to));
	to.sun_family = AF_UNIX;
	memcpy(to.sun_path, settings->path, settings->path_len);
	do
		result = sys_connect(link->fd, &to, sizeof(to));
	while (result == -EINTR && !link->is_interruptible);
	if (result == -EAGAIN || result == -EINTR)
		return broken_off(result);
	return result ? ENETDOWN : 0;
}

/*
 * Opens a connection whose silences last `limit` at most (0: for ever) and which signals end
 * where it is interruptible. 0, or ENETDOWN, EMFILE, ENFILE, ETIMEDOUT, EINTR with nothing open.
 */
int link_open(struct link *link, const struct settings *settings, const struct timeval *limit)
{
	long fd = open_socket();
	int error;

	if (fd < 0)
		return unreachable(fd);
	link->fd = (int)fd;
	link->cookie = cookie_of(link->fd);
	sys_setsockopt(link->fd, SOL_SOCKET, SO_RCVTIMEO, limit, sizeof(*limit));
	sys_setsockopt(link->fd, SOL_SOCKET, SO_SNDTIMEO, limit, sizeof(*limit));
	error = reach(link, settings);
	if (error)
		link_close(link);
	return error;
}

/* 0, or ENETDOWN, ETIMEDOUT, EINTR. */
int link_send(const struct link *link, const unsigned char *bytes, size_t len)
{
	long result;

	do
		result = sys_send(link->fd, bytes, len, MSG_NOSIGNAL);
	while (result == -EINTR && !link->is_interruptible);
	return result == (long)len ? 0 : broken_off(result);
}

/*
 * Receives at least `len` octets, and up to `room` of those that come along. How many, or a negated
 * errno as link_send() has them.
 */
long link_receive(const struct link *link, unsigned char *to, size_t len, size_t room)
{
	size_t seen = 0;
	long result;

	while (seen < len) {
		result = sys_recv(link->fd, to + seen, room - seen);
		if (result == -EINTR && !link->is_interruptible)
			continue;
		if (result <= 0)
			return -broken_off(result);
		seen += (size_t)result;
	}
	return (long)seen;
}

/* Another thread may have closed all descriptors meanwhile, and have one of its own by this number. */
void link_close(const struct link *link)
{
	if (cookie_of(link->fd) == link->cookie)
		sys_close(link->fd);
}
