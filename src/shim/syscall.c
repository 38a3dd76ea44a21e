/*
 * syscall(2), libc's function: the calls that the other files hook are caught here by number
 * too, and io_uring, whose requests no hook sees, is refused as by a kernel without it
 * (ENOSYS), also where liburing would ask for it with an instruction of its own.
 */
#include <errno.h>
#include <linux/net.h>
#include <stdarg.h>

#include "shim.h"
#include "sys.h"

/* -1 with errno. */
static __attribute__((noinline)) long fail(long error)
{
	errno = (int)error;
	return -1;
}

/* As it is, by a system call: the next connect() or sendto() behind ours may itself have come here. */
static long pass(long number, const long arguments[6])
{
	const long *a = arguments;
	long result = sys_call(number, a[0], a[1], a[2], a[3], a[4], a[5]);

	return result < 0 && result >= -4095 ? fail(-result) : result;
}

static long make_socket(int domain, int type, int protocol)
{
	long fd = pass(__NR_socket, (long[6]){ domain, type, protocol });
	int error = fd < 0 ? 0 : socket_refusal(domain, type, protocol);

	if (!error)
		return fd;
	sys_close((int)fd);
	return fail(error);
}

static ssize_t pass_sendmsg(int fd, const struct msghdr *message, int flags)
{
	return pass(__NR_sendmsg, (long[6]){ fd, (long)message, flags });
}

static int pass_sendmmsg(int fd, struct message *messages, unsigned int count, int flags)
{
	return (int)pass(__NR_sendmmsg, (long[6]){ fd, (long)messages, count, flags });
}

static ssize_t pass_recvmsg(int fd, struct msghdr *message, int flags)
{
	return pass(__NR_recvmsg, (long[6]){ fd, (long)message, flags });
}

static int pass_recvmmsg(int fd, struct message *messages, unsigned int count, int flags,
			 struct timespec *limit)
{
	return (int)pass(__NR_recvmmsg, (long[6]){ fd, (long)messages, count, flags, (long)limit });
}

#ifdef __NR_recvmmsg_time64
static int pass_recvmmsg_time64(int fd, struct message *messages, unsigned int count, int flags,
				struct timespec *limit)
{
	return (int)pass(__NR_recvmmsg_time64, (long[6]){ fd, (long)messages, count, flags, (long)limit });
}
#endif

static long get_option(const long arguments[6])
{
	const long *a = arguments;
	long result = pass(__NR_getsockopt, arguments);

	if (!result)
		correct_option((int)a[0], (int)a[1], (int)a[2], (void *)a[3], *(socklen_t *)a[4]);
	return result;
}

/* One of the numbers of is_hooked(). Not inlined, so that syscall() itself needs no stack. */
static __attribute__((noinline)) long hooked(long number, long a, long b, long c, long d, long e)
{
	switch (number) {
	case __NR_connect:
		return connect_by_number((int)a, (const struct sockaddr *)b, (socklen_t)c);
	case __NR_execve:
		return exec_by_number(AT_FDCWD, (const char *)a, (char *const *)b, (char *const *)c, 0);
	case __NR_execveat:
		return exec_by_number((int)a, (const char *)b, (char *const *)c, (char *const *)d, (int)e);
	case __NR_socket:
		return make_socket((int)a, (int)b, (int)c);
	case __NR_sendmmsg:
		return send_messages((int)a, (struct message *)b, (unsigned int)c, (int)d, pass_sendmsg,
				     pass_sendmmsg);
	case __NR_getsockopt:
		return get_option((long[6]){ a, b, c, d, e });
	case __NR_io_uring_setup:
		return fail(ENOSYS);
	case __NR_sendmsg:
		return send_message((int)a, (const struct msghdr *)b, (int)c, pass_sendmsg);
	case __NR_recvmsg:
		return receive_message((int)a, (struct msghdr *)b, (int)c, pass_recvmsg);
	case __NR_recvmmsg:
		return receive_messages((int)a, (struct message *)b, (unsigned int)c, (int)d,
					(struct timespec *)e, pass_recvmmsg);
#ifdef __NR_recvmmsg_time64
	case __NR_recvmmsg_time64:
		return receive_messages((int)a, (struct message *)b, (unsigned int)c, (int)d,
					(struct timespec *)e, pass_recvmmsg_time64);
#endif
	}
	return fail(ENOSYS);
}

static __attribute__((noinline)) long hooked_sendto(long a, long b, long c, long d, long e, long f)
{
	struct redirect to;
	int error = send_refusal((int)a, (const void *)e, (size_t)(socklen_t)f, (int)d, &to);

	if (error)
		return fail(error);
	if (to.len)
		return pass(__NR_sendto, (long[6]){ a, b, c, d, (long)&to.addr, to.len });
	return pass(__NR_sendto, (long[6]){ a, b, c, d, e, f });
}

static __attribute__((noinline)) long hooked_recvfrom(long a, long b, long c, long d, long e, long f)
{
	socklen_t *len = (socklen_t *)f;
	socklen_t room = e && f ? *len : 0;
	long result = pass(__NR_recvfrom, (long[6]){ a, b, c, d, e, f });

	if (result >= 0 && room)
		restore_source((void *)e, room, *len);
	return result;
}

static int is_hooked(long number)
{
#ifdef __NR_recvmmsg_time64
	if (number == __NR_recvmmsg_time64)
		return 1;
#endif
	return number == __NR_connect || number == __NR_socket || number == __NR_sendmsg ||
	       number == __NR_sendmmsg || number == __NR_io_uring_setup ||
	       number == __NR_getsockopt ||
	       number == __NR_recvmsg || number == __NR_recvmmsg ||
	       number == __NR_execve || number == __NR_execveat;
}

#ifdef __i386__
/* socketcall(2): the arguments are in an array. */
static __attribute__((noinline)) long hooked_socketcall(long call, const long *a)
{
	if (a && call == SYS_SENDTO)
		return hooked_sendto(a[0], a[1], a[2], a[3], a[4], a[5]);
	if (a && call == SYS_SOCKET)
		return hooked(__NR_socket, a[0], a[1], a[2], 0, 0);
	if (a && call == SYS_CONNECT)
		return hooked(__NR_connect, a[0], a[1], a[2], 0, 0);
	if (a && call == SYS_SENDMSG)
		return hooked(__NR_sendmsg, a[0], a[1], a[2], 0, 0);
	if (a && call == SYS_SENDMMSG)
		return hooked(__NR_sendmmsg, a[0], a[1], a[2], a[3], 0);
	if (a && call == SYS_GETSOCKOPT)
		return hooked(__NR_getsockopt, a[0], a[1], a[2], a[3], a[4]);
	if (a && call == SYS_RECVFROM)
		return hooked_recvfrom(a[0], a[1], a[2], a[3], a[4], a[5]);
	if (a && call == SYS_RECVMSG)
		return hooked(__NR_recvmsg, a[0], a[1], a[2], 0, 0);
	if (a && call == SYS_RECVMMSG)
		return hooked(__NR_recvmmsg, a[0], a[1], a[2], a[3], a[4]);
	return pass(__NR_socketcall, (long[6]){ call, (long)a });
}
#endif

static inline __attribute__((always_inline)) long shim_syscall(long number, long a, long b, long c,
							       long d, long e, long f)
{
	long result;

	if (number == __NR_sendto)
		return hooked_sendto(a, b, c, d, e, f);
	if (number == __NR_recvfrom)
		return hooked_recvfrom(a, b, c, d, e, f);
	if (is_hooked(number))
		return hooked(number, a, b, c, d, e);
#ifdef __i386__
	if (number == __NR_socketcall)
		return hooked_socketcall(a, (const long *)b);
#endif
	result = sys_call(number, a, b, c, d, e, f);
	return result < 0 && result >= -4095 ? fail(-result) : result;
}

/*
 * As syscall(2). It is variadic, which on the 64-bit machines is the same call as one of seven
 * arguments; those that were not given are read as whatever is there, as by libc's own, and
 * never written. It is called early and in signal handlers, and a child may return from it
 * on a stack of its own: no lock, no search, no stack, and hence no syscall() behind ours.
 * On i386 all arguments are on the stack, libc's own needs it too, and a variadic function does
 * not write there.
 */
#ifdef __i386__
EXPORT long syscall(long number, ...)
{
	long a[6];
	va_list list;
	int i;

	va_start(list, number);
	for (i = 0; i < 6; i++)
		a[i] = va_arg(list, long);
	va_end(list);
	return shim_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
#else
EXPORT long syscall(long number, long a, long b, long c, long d, long e, long f)
{
	return shim_syscall(number, a, b, c, d, e, f);
}
#endif

/* liburing's: a negated errno. */
EXPORT int io_uring_setup(unsigned int entries, void *parameters)
{
	(void)entries;
	(void)parameters;
	return -ENOSYS;
}

EXPORT int io_uring_queue_init(unsigned int entries, void *ring, unsigned int flags)
{
	(void)entries;
	(void)ring;
	(void)flags;
	return -ENOSYS;
}

EXPORT int io_uring_queue_init_params(unsigned int entries, void *ring, void *parameters)
{
	(void)entries;
	(void)ring;
	(void)parameters;
	return -ENOSYS;
}

EXPORT int io_uring_queue_init_mem(unsigned int entries, void *ring, void *parameters,
				   void *memory, size_t size)
{
	(void)entries;
	(void)ring;
	(void)parameters;
	(void)memory;
	(void)size;
	return -ENOSYS;
}
