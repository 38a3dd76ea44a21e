/*
 * execve(2) and all of exec(3): the program that is started gets the shim again if it was dropped
 * from the environment (environment.c), and one that the shim cannot be in is told to the brain
 * first (coverage.c). libc's own calls among these do not come through our hooks, so each is here.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <unistd.h>

#include "shim.h"
#include "sys.h"

#define MAX_ARGUMENTS 8192	/* of the execl() family: 64 KB of pointers */

extern char **environ;

typedef int execve_function(const char *path, char *const argv[], char *const envp[]);
typedef int execveat_function(int dirfd, const char *path, char *const argv[],
			      char *const envp[], int flags);
typedef int fexecve_function(int fd, char *const argv[], char *const envp[]);

/* What is to be executed, in any of the three forms. */
struct program {
	int dirfd;			/* execveat, fexecve; AT_FDCWD in execve */
	const char *path;
	char *const *argv;
	int flags;			/* execveat */
};

/* errno of a libc function that returns only if it fails. */
static int failure(int result)
{
	return result ? errno : 0;
}

/* The system call itself; for calls by number too, as another library's function may make one. */
static int raw_exec(const void *context, char *const *envp)
{
	const struct program *p = context;

	if (p->dirfd == AT_FDCWD && !p->flags)
		return (int)-sys_call(__NR_execve, (long)p->path, (long)p->argv, (long)envp, 0, 0, 0);
	return (int)-sys_call(__NR_execveat, p->dirfd, (long)p->path, (long)p->argv, (long)envp,
			      p->flags, 0);
}

static int real_execve(const void *context, char *const *envp)
{
	execve_function *next = (execve_function *)real_find(REAL_EXECVE);
	const struct program *p = context;

	return next ? failure(next(p->path, p->argv, envp)) : raw_exec(context, envp);
}

static int real_execvpe(const void *context, char *const *envp)
{
	execve_function *next = (execve_function *)real_find(REAL_EXECVPE);
	const struct program *p = context;

	return next ? failure(next(p->path, p->argv, envp)) : ENOSYS;
}

/* musl has no execveat(). */
static int real_execveat(const void *context, char *const *envp)
{
	execveat_function *next = (execveat_function *)real_find(REAL_EXECVEAT);
	const struct program *p = context;

	return next ? failure(next(p->dirfd, p->path, p->argv, envp, p->flags)) : raw_exec(context, envp);
}

static int real_fexecve(const void *context, char *const *envp)
{
	fexecve_function *next = (fexecve_function *)real_find(REAL_FEXECVE);
	const struct program *p = context;

	return next ? failure(next(p->dirfd, p->argv, envp)) : ENOSYS;
}

/* -1 with errno `error`, the one way in which these functions return. */
static int refuse(int error)
{
	errno = error;
	return -1;
}

/* -1 with execve(2)'s errno; the brain's, for a program that is not covered; E2BIG (environment.c). */
static int shim_execve(const char *path, char *const argv[], char *const envp[])
{
	struct program program = { .dirfd = AT_FDCWD, .path = path, .argv = argv };
	int error = coverage_check(AT_FDCWD, path, 0);

	if (!error)
		error = environment_with_shim(envp, real_execve, &program);
	return refuse(error);
}

/* The same for a name that is looked for in PATH. */
static int shim_execvpe(const char *name, char *const argv[], char *const envp[])
{
	struct program program = { .path = name, .argv = argv };
	int error = coverage_check_in_path(name);

	if (!error)
		error = environment_with_shim(envp, real_execvpe, &program);
	return refuse(error);
}

/* The same for execveat(2). */
static int shim_execveat(int dirfd, const char *path, char *const argv[], char *const envp[],
			 int flags, environment_user *next)
{
	struct program program = { .dirfd = dirfd, .path = path, .argv = argv, .flags = flags };
	int error = coverage_check(dirfd, path, flags);

	if (!error)
		error = environment_with_shim(envp, next, &program);
	return refuse(error);
}

/* The same for fexecve(3). */
static int shim_fexecve(int fd, char *const argv[], char *const envp[])
{
	struct program program = { .dirfd = fd, .argv = argv };
	int error = coverage_check(fd, "", AT_EMPTY_PATH);

	if (!error)
		error = environment_with_shim(envp, real_fexecve, &program);
	return refuse(error);
}

/* The number of arguments from the current one to the NULL that ends them, which is not counted. */
static size_t count_arguments(va_list *arguments)
{
	size_t count = 0;

	while (va_arg(*arguments, char *))
		count++;
	return count;
}

/* How the execl() family goes on once its arguments are an array. */
enum listed { LISTED_PATH, LISTED_NAME, LISTED_WITH_ENVIRONMENT };

/* The execl() family: `arguments` begins behind `first`. E2BIG beyond MAX_ARGUMENTS. */
static int shim_execl(enum listed form, const char *path, const char *first, va_list *arguments)
{
	va_list counted;
	size_t count, i;

	va_copy(counted, *arguments);
	count = first ? 1 + count_arguments(&counted) : 0;
	va_end(counted);
	if (count > MAX_ARGUMENTS)
		return refuse(E2BIG);

	char *argv[count + 1];

	argv[0] = (char *)first;
	for (i = 1; i <= count; i++)
		argv[i] = va_arg(*arguments, char *);	/* the last is the NULL */
	if (form == LISTED_NAME)
		return shim_execvpe(path, argv, environ);
	if (form == LISTED_WITH_ENVIRONMENT)
		return shim_execve(path, argv, va_arg(*arguments, char **));
	return shim_execve(path, argv, environ);
}

EXPORT int execve(const char *path, char *const argv[], char *const envp[])
{
	return shim_execve(path, argv, envp);
}

EXPORT int execv(const char *path, char *const argv[])
{
	return shim_execve(path, argv, environ);
}

EXPORT int execvp(const char *name, char *const argv[])
{
	return shim_execvpe(name, argv, environ);
}

EXPORT int execvpe(const char *name, char *const argv[], char *const envp[])
{
	return shim_execvpe(name, argv, envp);
}

EXPORT int execveat(int dirfd, const char *path, char *const argv[], char *const envp[], int flags)
{
	return shim_execveat(dirfd, path, argv, envp, flags, real_execveat);
}

/* syscall(SYS_execve, ...), with AT_FDCWD and 0, and syscall(SYS_execveat, ...). */
long exec_by_number(int dirfd, const char *path, char *const argv[], char *const envp[], int flags)
{
	return shim_execveat(dirfd, path, argv, envp, flags, raw_exec);
}

EXPORT int fexecve(int fd, char *const argv[], char *const envp[])
{
	return shim_fexecve(fd, argv, envp);
}

EXPORT int execl(const char *path, const char *argument, ...)
{
	va_list arguments;
	int result;

	va_start(arguments, argument);
	result = shim_execl(LISTED_PATH, path, argument, &arguments);
	va_end(arguments);
	return result;
}

EXPORT int execlp(const char *name, const char *argument, ...)
{
	va_list arguments;
	int result;

	va_start(arguments, argument);
	result = shim_execl(LISTED_NAME, name, argument, &arguments);
	va_end(arguments);
	return result;
}

EXPORT int execle(const char *path, const char *argument, ...)
{
	va_list arguments;
	int result;

	va_start(arguments, argument);
	result = shim_execl(LISTED_WITH_ENVIRONMENT, path, argument, &arguments);
	va_end(arguments);
	return result;
}
