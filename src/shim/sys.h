/*
 * Raw system calls: the shim links no libc, and its own sockets must not come back through
 * its own hooks. Each returns what the kernel returns: a value, or a negated errno; none
 * touches errno. The conventions are syscall(2)'s table "Architecture calling conventions".
 */
#ifndef TSOCKS_SYS_H
#define TSOCKS_SYS_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>

#ifndef SO_COOKIE
#define SO_COOKIE 57
#endif

#if defined(__x86_64__)
static inline long sys_call(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}
#elif defined(__aarch64__)
static inline long sys_call(long nr, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return x0;
}
#elif defined(__i386__)
_Static_assert(__NR_socket == 359, "these headers have another machine's numbers");

/* The sixth argument goes by ebp, which may be what the others are found by: it changes last. */
static inline long sys_trap(long nr, long a, long b, long c, long d, long e, long f)
{
	long ret;

	__asm__ volatile("pushl %[f]\n\t"
			 "pushl %%ebp\n\t"
			 "movl 4(%%esp), %%ebp\n\t"
			 "int $0x80\n\t"
			 "popl %%ebp\n\t"
			 "addl $4, %%esp"
			 : "=a"(ret)
			 : "a"(nr), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e), [f] "m"(f)
			 : "cc", "memory");
	return ret;
}

/* Linux before 4.3 knows the calls on sockets by socketcall(2) only. */
static inline long sys_call(long nr, long a, long b, long c, long d, long e, long f)
{
	static const unsigned char socket_calls[] = {	/* SYS_* of linux/net.h, from __NR_socket on */
		1, 8, 2, 3, 4, 18, 15, 14, 6, 7, 11, 16, 12, 17, 13,
	};
	long result = sys_trap(nr, a, b, c, d, e, f);
	long arguments[6] = { a, b, c, d, e, f };

	if (result != -ENOSYS || nr < __NR_socket || nr > __NR_shutdown)
		return result;
	nr -= __NR_socket;
	return sys_trap(__NR_socketcall, socket_calls[nr], (long)arguments, 0, 0, 0, 0);
}
#else
#error "no system call convention for this machine"
#endif

/* Of two generations of a call the younger: 32-bit identifiers, 64-bit time. */
#ifdef __i386__
#define NR_GETUID __NR_getuid32
#define NR_GETEUID __NR_geteuid32
#define NR_GETGID __NR_getgid32
#define NR_GETEGID __NR_getegid32
#else
#define NR_GETUID __NR_getuid
#define NR_GETEUID __NR_geteuid
#define NR_GETGID __NR_getgid
#define NR_GETEGID __NR_getegid
#endif

static inline long sys_socket(int domain, int type)
{
	return sys_call(__NR_socket, domain, type, 0, 0, 0, 0);
}

static inline long sys_connect(int fd, const void *addr, socklen_t len)
{
	return sys_call(__NR_connect, fd, (long)addr, len, 0, 0, 0);
}

static inline long sys_getpeername(int fd, void *addr, socklen_t *len)
{
	return sys_call(__NR_getpeername, fd, (long)addr, (long)len, 0, 0, 0);
}

static inline long sys_getsockname(int fd, void *addr, socklen_t *len)
{
	return sys_call(__NR_getsockname, fd, (long)addr, (long)len, 0, 0, 0);
}

static inline long sys_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
	return sys_call(__NR_getsockopt, fd, level, name, (long)value, (long)len, 0);
}

static inline long sys_setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	return sys_call(__NR_setsockopt, fd, level, name, (long)value, len, 0);
}

static inline long sys_send(int fd, const void *bytes, size_t len, int flags)
{
	return sys_call(__NR_sendto, fd, (long)bytes, (long)len, flags, 0, 0);
}

static inline long sys_recv(int fd, void *bytes, size_t len)
{
	return sys_call(__NR_recvfrom, fd, (long)bytes, (long)len, 0, 0, 0);
}

static inline long sys_fcntl(int fd, int command, long argument)
{
	return sys_call(__NR_fcntl, fd, command, argument, 0, 0, 0);
}

/* The kernel writes the time left to *limit, so that a loop over EINTR ends in time. */
static inline long sys_ppoll(struct pollfd *fds, unsigned int count, struct timespec *limit)
{
#ifdef __i386__
	/* Linux before 5.1 knows 32-bit time only, a later one may know 64-bit time only */
	long long wide[2] = { limit ? limit->tv_sec : 0, limit ? limit->tv_nsec : 0 };
	long result = sys_call(__NR_ppoll_time64, (long)fds, count, limit ? (long)wide : 0, 0, 0, 0);

	if (result != -ENOSYS) {
		if (limit)
			*limit = (struct timespec){ (time_t)wide[0], (long)wide[1] };
		return result;
	}
#endif
	return sys_call(__NR_ppoll, (long)fds, count, (long)limit, 0, 0, 0);
}

static inline long sys_shutdown(int fd, int how)
{
	return sys_call(__NR_shutdown, fd, how, 0, 0, 0, 0);
}

static inline long sys_close(int fd)
{
	return sys_call(__NR_close, fd, 0, 0, 0, 0, 0);
}

static inline long sys_openat(int dirfd, const char *path, int flags)
{
	return sys_call(__NR_openat, dirfd, (long)path, flags, 0, 0, 0);
}

/* A 32-bit machine takes the offset in halves, the lower one first. */
static inline long sys_pread(int fd, void *to, size_t len, long long offset)
{
	return sys_call(__NR_pread64, fd, (long)to, (long)len, (long)offset,
			sizeof(long) == 4 ? (long)(offset >> 32) : 0, 0);
}

/* Not struct stat, whose layout differs between machines: statx(2) has one. */
static inline long sys_statx(int dirfd, const char *path, int flags, unsigned int mask, void *to)
{
	return sys_call(__NR_statx, dirfd, (long)path, flags, mask, (long)to, 0);
}

static inline long sys_faccessat(int dirfd, const char *path, int mode)
{
	return sys_call(__NR_faccessat, dirfd, (long)path, mode, 0, 0, 0);
}

static inline long sys_fgetxattr(int fd, const char *name, void *to, size_t len)
{
	return sys_call(__NR_fgetxattr, fd, (long)name, (long)to, (long)len, 0, 0);
}

/* Private memory of zeros, or a negated errno. mmap2(2) differs from mmap(2) in the offset alone. */
static inline long sys_mmap(size_t len)
{
#ifdef __NR_mmap2
	long number = __NR_mmap2;
#else
	long number = __NR_mmap;
#endif

	return sys_call(number, 0, (long)len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static inline long sys_munmap(void *start, size_t len)
{
	return sys_call(__NR_munmap, (long)start, (long)len, 0, 0, 0, 0);
}

static inline long sys_getpid(void)
{
	return sys_call(__NR_getpid, 0, 0, 0, 0, 0, 0);
}

#endif
