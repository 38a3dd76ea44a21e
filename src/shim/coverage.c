/*
 * A look at a program before it is executed: ld.so puts the shim into a dynamically linked program
 * for which there is one (preload.c) that gains no rights by being executed (execve(2), ld.so(8) "Secure-execution
 * mode"); any other is told to the brain, which may forbid it. A file that cannot be looked at is
 * left to the kernel.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shim.h"
#include "sys.h"

#define DEFAULT_PATH "/usr/local/bin:/bin:/usr/bin"	/* where PATH is not set, libc's */
#define MAX_FILE_LEN 1024	/* of DIRECTORY/NAME that is looked for in PATH */
#define HEAD_LEN 256		/* the kernel reads as much of a script (BINPRM_BUF_SIZE) */
#define MAX_SCRIPTS 5		/* a script's interpreter may be a script: the kernel follows so many */

#define FD_LINK_LEN 32		/* "/proc/self/fd/" and a number */

extern char **environ;

/* A program's file: a path from a directory. */
struct file {
	int dirfd;
	const char *path;
	int flags;			/* AT_SYMLINK_NOFOLLOW or 0 */
};

/* Whether the program will have an effective user or group that is not the real one. */
static int gains_identity(const struct statx *st)
{
	int is_honoured = !sys_call(__NR_prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0, 0);
	long uid = sys_call(NR_GETEUID, 0, 0, 0, 0, 0, 0);
	long gid = sys_call(NR_GETEGID, 0, 0, 0, 0, 0, 0);

	if (is_honoured && st->stx_mode & S_ISUID)
		uid = st->stx_uid;
	if (is_honoured && st->stx_mode & S_ISGID && st->stx_mode & S_IXGRP)
		gid = st->stx_gid;
	return uid != sys_call(NR_GETUID, 0, 0, 0, 0, 0, 0) ||
	       gid != sys_call(NR_GETGID, 0, 0, 0, 0, 0, 0);
}

/* File capabilities are nothing new to root. */
static int gains_capabilities(int fd)
{
	return sys_call(NR_GETUID, 0, 0, 0, 0, 0, 0) &&
	       sys_fgetxattr(fd, "security.capability", NULL, 0) > 0;
}

/*
 * Whether ld.so will not find us: after chroot(2), or below another /tmp. Then the brain cannot be
 * asked either, as a rule, and the program does not start; --no-reexec lets it go.
 */
static int is_out_of_sight(void)
{
	const struct settings *settings = settings_find();
	const char *path = real_own_path();

	if (!path || (settings && settings->flags & SETTINGS_FLAG('E')))
		return 0;
	return sys_faccessat(AT_FDCWD, path, R_OK) != 0;
}

/* Writes the interpreter's path in a script's first line, or "" where it is no script. */
static void read_interpreter(const char *head, long len, char out[HEAD_LEN])
{
	const char *end = head + len;

	*out = '\0';
	if (len < 3 || head[0] != '#' || head[1] != '!')
		return;
	head += 2;
	while (head < end && (*head == ' ' || *head == '\t'))
		head++;
	while (head < end && *head && *head != ' ' && *head != '\t' && *head != '\n')
		*out++ = *head++;
	*out = '\0';
}

static int open_file(const struct file *file)
{
	int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_LARGEFILE;

	if (file->flags & AT_SYMLINK_NOFOLLOW)
		flags |= O_NOFOLLOW;
	return (int)sys_openat(file->dirfd, file->path, flags);
}

/*
 * CTL_REASON_* of a program that the shim will not be in, or 0. Of a script it is 0, with its
 * interpreter's path in `interpreter`, which is "" otherwise.
 */
static unsigned int find_reason(const struct file *file, char interpreter[HEAD_LEN])
{
	unsigned int mask = STATX_TYPE | STATX_MODE | STATX_UID | STATX_GID;
	union {
		Elf64_Ehdr elf;
		char bytes[HEAD_LEN];
	} head;
	unsigned int reason = 0;
	struct statx st;
	long len = 0;
	int fd;

	*interpreter = '\0';
	memset(&head, 0, sizeof(head));
	if (sys_statx(file->dirfd, file->path, file->flags, mask, &st) || !S_ISREG(st.stx_mode))
		return 0;
	fd = open_file(file);
	if (fd >= 0)
		len = sys_pread(fd, &head, sizeof(head), 0);
	read_interpreter(head.bytes, len, interpreter);
	if (!*interpreter && gains_identity(&st))
		reason = CTL_REASON_SET_ID;
	else if (!*interpreter && fd >= 0)
		reason = gains_capabilities(fd) ? CTL_REASON_CAPABILITIES :
						  elf_reason(fd, &head.elf, len, file->path);
	if (!*interpreter && !reason && is_out_of_sight())
		reason = CTL_REASON_HIDDEN;
	if (fd >= 0)
		sys_close(fd);
	return reason;
}

/* The brain's word on a program. 0, or an errno: its own, or EACCES where it cannot be asked. */
int coverage_ask(unsigned int reason, const char *path)
{
	struct answer answer;

	if (control_execute(reason, path, &answer))
		return EACCES;
	if (answer.status == CTL_STATUS_FAIL)
		return (int)answer.error;
	return answer.status == CTL_STATUS_DIRECT ? 0 : EACCES;
}

/* Writes /proc/self/fd/FD. */
static void write_fd_link(int fd, char out[FD_LINK_LEN])
{
	static const char start[] = "/proc/self/fd/";
	unsigned int rest = (unsigned int)fd, digits = 1, power = 1;

	memcpy(out, start, sizeof(start) - 1);
	out += sizeof(start) - 1;
	for (; rest / power > 9; digits++)
		power *= 10;
	for (; digits; digits--, power /= 10)
		*out++ = (char)('0' + rest / power % 10);
	*out = '\0';
}

/*
 * May `path`, as execveat(2) has it, be executed? 0, or the errno with which it must not: the
 * brain's, or EACCES where the shim will not be in it and the brain cannot be asked.
 */
int coverage_check(int dirfd, const char *path, int flags)
{
	struct file file = { dirfd, path, flags & AT_SYMLINK_NOFOLLOW };
	char interpreter[HEAD_LEN], script[HEAD_LEN], link[FD_LINK_LEN], target[CTL_MAX_PATH_LEN + 1];
	unsigned int reason, depth;
	long len;

	if (!path)
		return 0;
	if (flags & AT_EMPTY_PATH && is_readable(path) && !*path) {
		write_fd_link(dirfd, link);
		file.path = link;
		file.flags = 0;
	}
	reason = find_reason(&file, interpreter);
	for (depth = 0; *interpreter && depth < MAX_SCRIPTS; depth++) {
		memcpy(script, interpreter, HEAD_LEN);
		file = (struct file){ AT_FDCWD, script, 0 };
		reason = find_reason(&file, interpreter);
	}
	if (!reason || file.path != link)
		return reason ? coverage_ask(reason, file.path) : 0;
	len = sys_call(__NR_readlinkat, AT_FDCWD, (long)link, (long)target, CTL_MAX_PATH_LEN, 0, 0);
	target[len > 0 ? len : 0] = '\0';
	return coverage_ask(reason, target);
}

/* PATH's value. */
static const char *search_path(void)
{
	const char *value = NULL;
	char **variable;

	for (variable = environ; variable && *variable && !value; variable++)
		value = variable_value(*variable, "PATH=");
	return value ? value : DEFAULT_PATH;
}

/* Writes DIRECTORY/NAME with the directory at the beginning of `list`. Whether there was room. */
static int join(const char *list, size_t len, const char *name, char out[MAX_FILE_LEN])
{
	size_t name_len = strlen(name);

	if (len + 1 + name_len >= MAX_FILE_LEN)
		return 0;
	memcpy(out, list, len);
	if (len)
		out[len++] = '/';
	memcpy(out + len, name, name_len + 1);
	return 1;
}

/* Whether execvp(3) stops at `path`: directories it passes over. */
static int is_program(const char *path)
{
	struct statx st;

	return !sys_faccessat(AT_FDCWD, path, X_OK) &&
	       (sys_statx(AT_FDCWD, path, 0, STATX_TYPE, &st) || S_ISREG(st.stx_mode));
}

/* coverage_check() of the program that execvp(3) finds for `name`. */
int coverage_check_in_path(const char *name)
{
	char file[MAX_FILE_LEN];
	const char *list = search_path(), *c;
	size_t len;

	for (c = name; c && *c; c++)
		if (*c == '/')
			return coverage_check(AT_FDCWD, name, 0);
	for (; name && *name; list += len + 1) {
		for (len = 0; list[len] && list[len] != ':';)
			len++;
		if (join(list, len, name, file) && is_program(file))
			return coverage_check(AT_FDCWD, file, 0);
		if (!list[len])
			break;
	}
	return 0;
}
