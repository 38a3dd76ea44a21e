/*
 * recvfrom(2), recvmsg(2), recvmmsg(2): an answer of DNS that the brain gave comes, for the
 * program, from the name server that it asked, or resolvers would drop it. The sources of all
 * other datagrams cost a comparison. What was sent to a name server: datagram.c.
 */
#include <errno.h>
#include <netinet/in.h>
#include <time.h>

#include "shim.h"
#include "sys.h"

typedef ssize_t recvfrom_function(int fd, void *bytes, size_t len, int flags, struct sockaddr *addr,
				  socklen_t *addr_len);
typedef ssize_t recvfrom_chk_function(int fd, void *bytes, size_t len, size_t room, int flags,
				      struct sockaddr *addr, socklen_t *addr_len);

/* Each of the three: the next one behind ours; raw where there is none. */
static ssize_t real_recvfrom(int fd, void *bytes, size_t len, int flags, struct sockaddr *addr,
			     socklen_t *addr_len)
{
	recvfrom_function *next = (recvfrom_function *)real_find(REAL_RECVFROM);

	return next ? next(fd, bytes, len, flags, addr, addr_len) :
		      with_errno(sys_call(__NR_recvfrom, fd, (long)bytes, (long)len, flags,
					  (long)addr, (long)addr_len));
}

static ssize_t real_recvmsg(int fd, struct msghdr *message, int flags)
{
	receive_one *next = (receive_one *)real_find(REAL_RECVMSG);

	return next ? next(fd, message, flags) :
		      with_errno(sys_call(__NR_recvmsg, fd, (long)message, flags, 0, 0, 0));
}

static int real_recvmmsg(int fd, struct message *messages, unsigned int count, int flags,
			 struct timespec *limit)
{
	receive_many *next = (receive_many *)real_find(REAL_RECVMMSG);

	return next ? next(fd, messages, count, flags, limit) :
		      (int)with_errno(sys_call(__NR_recvmmsg, fd, (long)messages, count, flags,
					       (long)limit, 0));
}

/*
 * Writes the name server that the address `face`, of `len` octets, stands for to `addr`, which
 * holds a sockaddr_in6. Returns its length, or 0 where it is no face, or nobody's.
 */
socklen_t find_name_server(const void *face, socklen_t len, void *addr)
{
	struct endpoint from;
	struct answer answer;
	int family = endpoint_read(face, len, &from);

	if (!family || !endpoint_is_face(&from))
		return 0;
	if (control_source(&from, &answer) || answer.status != CTL_STATUS_PEER)
		return 0;
	return endpoint_write(&answer.endpoint, family, addr);
}

/* Puts the server's address over a source that the kernel wrote, `len` octets of which `room` fit. */
void restore_source(void *addr, socklen_t room, socklen_t len)
{
	struct sockaddr_in6 server;

	room = room < len ? room : len;
	if (addr && find_name_server(addr, room, &server))
		memcpy(addr, &server, room < sizeof(server) ? room : sizeof(server));
}

/* As recvfrom(2). */
EXPORT ssize_t recvfrom(int fd, void *restrict bytes, size_t len, int flags,
			struct sockaddr *restrict addr, socklen_t *restrict addr_len)
{
	socklen_t room = addr && addr_len ? *addr_len : 0;
	ssize_t result = real_recvfrom(fd, bytes, len, flags, addr, addr_len);

	if (result >= 0 && room)
		restore_source(addr, room, *addr_len);
	return result;
}

/* glibc's recvfrom() of programs built with _FORTIFY_SOURCE, which knows the buffer's size. */
EXPORT ssize_t __recvfrom_chk(int fd, void *restrict bytes, size_t len, size_t bytes_room,
			      int flags, struct sockaddr *restrict addr, socklen_t *restrict addr_len)
{
	recvfrom_chk_function *next = (recvfrom_chk_function *)real_find(REAL_RECVFROM_CHK);
	socklen_t room = addr && addr_len ? *addr_len : 0;
	ssize_t result = next ? next(fd, bytes, len, bytes_room, flags, addr, addr_len) :
				with_errno(-ENOSYS);

	if (result >= 0 && room)
		restore_source(addr, room, *addr_len);
	return result;
}

/* As recvmsg(2). */
ssize_t receive_message(int fd, struct msghdr *message, int flags, receive_one *next)
{
	socklen_t room = message && message->msg_name ? message->msg_namelen : 0;
	ssize_t result = next(fd, message, flags);

	if (result >= 0 && room)
		restore_source(message->msg_name, room, message->msg_namelen);
	return result;
}

/* The least room for a source that one of the messages has, since the kernel writes over it. */
static socklen_t least_room(const struct message *messages, unsigned int count)
{
	socklen_t least = sizeof(struct sockaddr_in6);
	unsigned int i;

	for (i = 0; i < count; i++)
		if (messages[i].header.msg_name && messages[i].header.msg_namelen < least)
			least = messages[i].header.msg_namelen;
	return least;
}

/* As recvmmsg(2). */
int receive_messages(int fd, struct message *messages, unsigned int count, int flags,
		     struct timespec *limit, receive_many *next)
{
	socklen_t room = messages ? least_room(messages, count < 1024 ? count : 1024) : 0;
	int i, received = next(fd, messages, count, flags, limit);

	for (i = 0; room && i < received; i++)
		restore_source(messages[i].header.msg_name, room, messages[i].header.msg_namelen);
	return received;
}

EXPORT ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	return receive_message(fd, message, flags, real_recvmsg);
}

EXPORT int recvmmsg(int fd, struct message *messages, unsigned int count, int flags,
		    struct timespec *limit)
{
	return receive_messages(fd, messages, count, flags, limit, real_recvmmsg);
}

/*
 * glibc's names of the two, and musl's of the second, in 32-bit programs with 64-bit time. What they
 * point to is another: only the functions of these names may be called.
 */
static ssize_t real_recvmsg64(int fd, struct msghdr *message, int flags)
{
	receive_one *next = (receive_one *)real_find(REAL_RECVMSG64);

	return next ? next(fd, message, flags) : with_errno(-ENOSYS);
}

static int real_recvmmsg64(int fd, struct message *messages, unsigned int count, int flags,
			   struct timespec *limit)
{
	receive_many *next = (receive_many *)real_find(REAL_RECVMMSG64);

	if (!next)
		next = (receive_many *)real_find(REAL_RECVMMSG_TIME64);
	return next ? next(fd, messages, count, flags, limit) : (int)with_errno(-ENOSYS);
}

EXPORT ssize_t __recvmsg64(int fd, struct msghdr *message, int flags)
{
	return receive_message(fd, message, flags, real_recvmsg64);
}

EXPORT int __recvmmsg64(int fd, struct message *messages, unsigned int count, int flags,
			struct timespec *limit)
{
	return receive_messages(fd, messages, count, flags, limit, real_recvmmsg64);
}

EXPORT int __recvmmsg_time64(int fd, struct message *messages, unsigned int count, int flags,
			     struct timespec *limit) __attribute__((alias("__recvmmsg64")));
