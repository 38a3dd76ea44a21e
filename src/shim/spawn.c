/*
 * posix_spawn(3), and glibc's pidfd_spawn(3), as exec.c: libc's own exec inside them does not come
 * through our hooks.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

#include "shim.h"
#include "sys.h"

/* pidfd_spawn() has a descriptor in the place of pid, an int as well. */
typedef int posix_spawn_function(pid_t *pid, const char *path,
				 const posix_spawn_file_actions_t *actions,
				 const posix_spawnattr_t *attributes, char *const argv[],
				 char *const envp[]);

struct spawning {
	pid_t *pid;
	const char *path;
	const posix_spawn_file_actions_t *actions;
	const posix_spawnattr_t *attributes;
	char *const *argv;
	enum real_function which;
};

static int real_posix_spawn(const void *context, char *const *envp)
{
	const struct spawning *s = context;
	posix_spawn_function *next = (posix_spawn_function *)real_find(s->which);

	return next ? next(s->pid, s->path, s->actions, s->attributes, s->argv, envp) : ENOSYS;
}

/*
 * Whether the program can only be found in a directory that the actions lead to: what is said there
 * is libc's own secret, but a relative path that is nothing here must be something elsewhere.
 */
static int is_elsewhere(const struct spawning *s)
{
	const char *c;

	if (!s->actions || !is_readable(s->path) || *s->path == '/')
		return 0;
	for (c = s->path; *c && *c != '/'; c++)
		continue;
	return *c && sys_faccessat(AT_FDCWD, s->path, F_OK) == -ENOENT;
}

/* 0 or an errno as posix_spawn(3); the brain's, for a program that is not covered; E2BIG (environment.c). */
static int shim_posix_spawn(const struct spawning *spawning, char *const envp[])
{
	int is_in_path = spawning->which == REAL_POSIX_SPAWNP || spawning->which == REAL_PIDFD_SPAWNP;
	int error = is_in_path ? coverage_check_in_path(spawning->path) :
				 coverage_check(AT_FDCWD, spawning->path, 0);

	if (!error && is_elsewhere(spawning))
		error = coverage_ask(CTL_REASON_UNSEEN, spawning->path);
	return error ? error : environment_with_shim(envp, real_posix_spawn, spawning);
}

EXPORT int posix_spawn(pid_t *restrict pid, const char *restrict path,
		       const posix_spawn_file_actions_t *actions,
		       const posix_spawnattr_t *restrict attributes, char *const argv[restrict],
		       char *const envp[restrict])
{
	struct spawning spawning = { pid, path, actions, attributes, argv, REAL_POSIX_SPAWN };

	return shim_posix_spawn(&spawning, envp);
}

EXPORT int posix_spawnp(pid_t *restrict pid, const char *restrict name,
			const posix_spawn_file_actions_t *actions,
			const posix_spawnattr_t *restrict attributes, char *const argv[restrict],
			char *const envp[restrict])
{
	struct spawning spawning = { pid, name, actions, attributes, argv, REAL_POSIX_SPAWNP };

	return shim_posix_spawn(&spawning, envp);
}

/* Where libc has none: ENOSYS, as where the kernel has no pidfd. */
EXPORT int pidfd_spawn(int *restrict pidfd, const char *restrict path,
		       const posix_spawn_file_actions_t *restrict actions,
		       const posix_spawnattr_t *restrict attributes, char *const argv[restrict],
		       char *const envp[restrict])
{
	struct spawning spawning = { pidfd, path, actions, attributes, argv, REAL_PIDFD_SPAWN };

	return shim_posix_spawn(&spawning, envp);
}

EXPORT int pidfd_spawnp(int *restrict pidfd, const char *restrict name,
			const posix_spawn_file_actions_t *restrict actions,
			const posix_spawnattr_t *restrict attributes, char *const argv[restrict],
			char *const envp[restrict])
{
	struct spawning spawning = { pidfd, name, actions, attributes, argv, REAL_PIDFD_SPAWNP };

	return shim_posix_spawn(&spawning, envp);
}
