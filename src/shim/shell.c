/*
 * system(3), popen(3) and wordexp(3): libc starts their shell by itself, past our hooks, with the
 * environment of the program. Where that has lost the shim, the shell of system() and popen() is
 * told to execute another that has it: libc keeps what it does about signals, threads and streams.
 * wordexp() cannot be told that, and finds the shim in the environment while it runs: nobody else
 * may use the environment then (attributes(7), "const:env").
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <wordexp.h>

#include "shim.h"
#include "sys.h"

#define SHELL "/bin/sh"
#define NOT_EXECUTED (127 << 8)		/* the status of a shell that could not be executed */

extern char **environ;

typedef int system_function(const char *command);
typedef FILE *popen_function(const char *command, const char *type);
typedef int wordexp_function(const char *words, wordexp_t *result, int flags);

/* A command for the shell, how libc is given it, and what came of that. */
struct shell {
	const char *command;
	const char *type;		/* popen; NULL in system */
	int status;
	FILE *stream;
};

/* What wordexp() is given, and what came of it. */
struct expansion {
	const char *words;
	wordexp_t *result;
	int flags;
	int status;
};

/* Appends `text`. Returns where it ends. */
static char *append(char *to, const char *text)
{
	size_t len = strlen(text);

	memcpy(to, text, len + 1);
	return to + len;
}

/* The same in single quotes, four octets at most for one. */
static char *append_quoted(char *to, const char *text)
{
	for (*to++ = '\''; *text; text++)
		if (*text == '\'')
			to = append(to, "'\\''");
		else
			*to++ = *text;
	return append(to, "'");
}

/* The command that has `command` executed with those of `variables` that the shim needs. */
static void write_command(char *to, char *const *variables, const char *command)
{
	to = append(to, "export");
	for (; *variables; variables++) {
		const char *preload = variable_value(*variables, "LD_PRELOAD=");
		const char *control = variable_value(*variables, "TSOCKS_CONTROL=");

		if (preload || control)
			to = append(to, preload ? " LD_PRELOAD=" : " TSOCKS_CONTROL=");
		if (preload || control)
			to = append_quoted(to, preload ? preload : control);
	}
	to = append(to, "; exec " SHELL " -c -- ");
	append(append_quoted(to, command), " sh");	/* its name in messages, as libc has it */
}

/* Room enough for write_command(). */
static size_t measure_command(char *const *variables, const char *command)
{
	size_t len = 100 + 4 * strlen(command);

	for (; *variables; variables++)
		if (variable_value(*variables, "LD_PRELOAD=") ||
		    variable_value(*variables, "TSOCKS_CONTROL="))
			len += 4 * strlen(*variables);
	return len;
}

/* libc's own, or the next one behind us. 0, or an errno. */
static int real_shell(struct shell *shell, const char *command)
{
	system_function *system = (system_function *)real_find(REAL_SYSTEM);
	popen_function *popen = (popen_function *)real_find(REAL_POPEN);

	if (!system || !popen)
		return ENOSYS;
	if (shell->type)
		shell->stream = popen(command, shell->type);
	else
		shell->status = system(command);
	return 0;
}

static int use_shell(const void *context, char *const *variables)
{
	struct shell *shell = (struct shell *)context;
	size_t len;
	long room;
	int error;

	if (variables == environ)
		return real_shell(shell, shell->command);
	len = measure_command(variables, shell->command);
	room = sys_mmap(len);
	if (room < 0 && room >= -4095)
		return (int)-room;
	write_command((char *)room, variables, shell->command);
	error = real_shell(shell, (char *)room);
	sys_munmap((void *)room, len);
	return error;
}

/* system(3) or popen(3). An errno is ours: of a shell that must not or cannot be started. */
static int start_shell(struct shell *shell)
{
	int error = coverage_check(AT_FDCWD, SHELL, 0);

	return error ? error : environment_with_shim(environ, use_shell, shell);
}

/* The member of `variables` that is `variable` itself, or else one of the name `name`; or NULL. */
static char *find(char *const *variables, const char *variable, const char *name)
{
	char *found = NULL;

	for (; variables && *variables && found != variable; variables++)
		if (*variables == variable || (name && variable_value(*variables, name)))
			found = *variables;
	return found;
}

/* wordexp() has set a variable: what is in `lent` alone goes, and the program's LD_PRELOAD comes back. */
static void take_back(char *const *own, char *const *lent)
{
	char **from = environ, **to = environ;

	for (; from && *from; from++) {
		const char *name = variable_value(*from, "LD_PRELOAD=") ? "LD_PRELOAD=" : NULL;

		*to = find(lent, *from, NULL) ? find(own, *from, name) : *from;
		to += *to != NULL;
	}
	if (to)
		*to = NULL;
}

static int use_wordexp(const void *context, char *const *variables)
{
	wordexp_function *next = (wordexp_function *)real_find(REAL_WORDEXP);
	struct expansion *e = (struct expansion *)context;
	char **own = environ;

	if (!next)
		return ENOSYS;
	environ = (char **)variables;
	e->status = next(e->words, e->result, e->flags);
	if (environ == variables)
		environ = own;
	else
		take_back(own, variables);
	return 0;
}

/* As system(3); where the shell may not be executed, the status of a failed exec, with errno. */
EXPORT int system(const char *command)
{
	struct shell shell = { .command = command };
	int error;

	if (!command)
		return real_shell(&shell, NULL) ? 0 : shell.status;
	error = start_shell(&shell);
	if (!error)
		return shell.status;
	errno = error;
	return NOT_EXECUTED;
}

/* As popen(3); NULL with errno where the shell may not be executed. */
EXPORT FILE *popen(const char *command, const char *type)
{
	struct shell shell = { .command = command, .type = type };
	int error = start_shell(&shell);

	if (!error)
		return shell.stream;
	errno = error;
	return NULL;
}

/* As wordexp(3); where the shell may not be executed, no command is (WRDE_CMDSUB). */
EXPORT int wordexp(const char *restrict words, wordexp_t *restrict result, int flags)
{
	struct expansion expansion = { words, result, flags, WRDE_NOSPACE };

	if (coverage_check(AT_FDCWD, SHELL, 0))
		expansion.flags |= WRDE_NOCMD;
	environment_with_shim(environ, use_wordexp, &expansion);
	return expansion.status;
}
