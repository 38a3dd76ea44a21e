/*
 * The environment that a program is started with: where it lacks our LD_PRELOAD or TSOCKS_CONTROL,
 * a copy that has both, on the stack. The strings are shared, nothing else is changed, the
 * user's own LD_PRELOAD stays behind ours.
 */
#include <errno.h>

#include "shim.h"

#define PRELOAD "LD_PRELOAD="
#define CONTROL "TSOCKS_CONTROL="
#define MAX_VARIABLES 8192	/* 64 KB of pointers: threads have stacks of 128 KB in musl */
#define MAX_PRELOAD_LEN 4096

/* What there is in an environment. */
struct contents {
	size_t count;
	int has_control;
	int has_shim;			/* every LD_PRELOAD there is names us */
	const char *preload;		/* the value of the first that does not, or NULL */
};

/* ld.so takes blanks and colons for what separates libraries. */
static int is_separator(char c)
{
	return c == ' ' || c == ':' || (c >= '\t' && c <= '\r');
}

/* Whether `path` is one of the libraries in `list`. */
static int names_library(const char *list, const char *path)
{
	while (*list) {
		const char *rest = variable_value(list, path);

		if (rest && (!*rest || is_separator(*rest)))
			return 1;
		while (*list && !is_separator(*list))
			list++;
		while (is_separator(*list))
			list++;
	}
	return 0;
}

static void read_contents(char *const *variables, const char *path, struct contents *out)
{
	int preloads = 0, ours = 0;

	memset(out, 0, sizeof(*out));
	for (; *variables; variables++, out->count++) {
		const char *value = variable_value(*variables, PRELOAD);

		out->has_control |= variable_value(*variables, CONTROL) != NULL;
		if (!value)
			continue;
		preloads++;
		if (names_library(value, path))
			ours++;
		else if (!out->preload)
			out->preload = value;
	}
	out->has_shim = preloads && ours == preloads;
}

/* Writes LD_PRELOAD=PATH, and behind it ':' and the user's own, if it has any. */
static void write_preload(char *to, const char *path, const char *own)
{
	memcpy(to, PRELOAD, sizeof(PRELOAD) - 1);
	to += sizeof(PRELOAD) - 1;
	memcpy(to, path, strlen(path) + 1);
	to += strlen(path);
	if (!own || !*own)
		return;
	*to++ = ':';
	memcpy(to, own, strlen(own) + 1);
}

/* The copy: `preload`, where given, instead of every LD_PRELOAD; TSOCKS_CONTROL where it is lacking. */
static void copy_variables(char *const *variables, char **to, char *preload, char *control)
{
	for (; *variables; variables++)
		if (!preload || !variable_value(*variables, PRELOAD))
			*to++ = *variables;
	if (preload)
		*to++ = preload;
	if (control)
		*to++ = control;
	*to = NULL;
}

/* `use` with the copy. Apart from its caller, that the stack is taken only where it is needed. */
static __attribute__((noinline)) int use_copy(char *const *variables, const struct contents *contents,
					      environment_user *use, const void *context)
{
	const char *path = preload_name();
	size_t own_len = contents->preload ? strlen(contents->preload) : 0;
	char *control = contents->has_control ? NULL : (char *)settings_variable();

	if (contents->count > MAX_VARIABLES || own_len > MAX_PRELOAD_LEN)
		return E2BIG;

	char preload[sizeof(PRELOAD) + strlen(path) + 1 + own_len];
	char *copy[contents->count + 3];	/* LD_PRELOAD, TSOCKS_CONTROL, NULL */

	write_preload(preload, path, contents->preload);
	copy_variables(variables, copy, contents->has_shim ? NULL : preload, control);
	return use(context, copy);
}

/*
 * Calls `use` with `variables` (NULL is none, as for execve(2)), or with a copy as said above;
 * returns what it returns, or E2BIG where there is no room for the copy.
 */
int environment_with_shim(char *const *variables, environment_user *use, const void *context)
{
	static char *const none[] = { NULL };
	const struct settings *settings = settings_find();
	const char *path = preload_name();
	struct contents contents;

	if (!path || (settings && settings->flags & SETTINGS_FLAG('E')))
		return use(context, variables);
	read_contents(variables ? variables : none, path, &contents);
	if (contents.has_shim && (contents.has_control || !settings_variable()))
		return use(context, variables);
	return use_copy(variables ? variables : none, &contents, use, context);
}
