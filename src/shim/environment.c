/*
 * The environment that a program is started with: where it lacks our LD_PRELOAD or TSOCKS_CONTROL,
 * a copy that has both, on the stack where it is small: threads and signal handlers have small
 * ones. The strings are shared, nothing else is changed, the user's own LD_PRELOAD stays behind ours.
 */
#include <errno.h>
#include <linux/futex.h>
#include <stdint.h>

#include "shim.h"
#include "sys.h"

#define PRELOAD "LD_PRELOAD="
#define CONTROL "TSOCKS_CONTROL="
#define STACK_LEN 2048		/* a larger copy goes elsewhere */
#define MIN_PAGE_LEN 4096

/* What there is in an environment. */
struct contents {
	size_t count;
	int has_control;
	int has_shim;			/* every LD_PRELOAD there is names us */
	const char *preload;		/* the value of the first that does not, or NULL */
};

/*
 * Whether the octet at `address` can be read: the kernel says EFAULT to what would kill us. Asks by a
 * futex(2) that wakes none and moves none, which every sandbox allows.
 */
int is_readable(const void *address)
{
	long word = (long)((uintptr_t)address & -sizeof(int));

	return sys_call(__NR_futex, word, FUTEX_CMP_REQUEUE_PRIVATE, 0, 0, word, 0) != -EFAULT;
}

/* The same, asked once of a page: *page is the last one that can be read. */
static int is_page_readable(const void *address, uintptr_t *page)
{
	uintptr_t asked = (uintptr_t)address & -(uintptr_t)MIN_PAGE_LEN;

	if (asked != *page && !is_readable(address))
		return 0;
	*page = asked;
	return 1;
}

static int is_readable_text(const char *text, uintptr_t *page)
{
	for (; is_page_readable(text, page); text++)
		if (!*text)
			return 1;
	return 0;
}

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

/* 0, or EFAULT, as execve(2) has it. */
static int read_contents(char *const *variables, const char *path, struct contents *out)
{
	uintptr_t array_page = 1, page = 1;	/* none */
	int preloads = 0, ours = 0;

	memset(out, 0, sizeof(*out));
	for (;; variables++, out->count++) {
		const char *value;

		if (!is_page_readable(variables, &array_page))
			return EFAULT;
		if (!*variables)
			break;
		if (!is_readable_text(*variables, &page))
			return EFAULT;
		value = variable_value(*variables, PRELOAD);

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
	return 0;
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

/* What the copy is made of, and how many octets its two parts take at most. */
struct copy {
	char *const *variables;
	const struct contents *contents;
	size_t preload_len;
	size_t array_len;
};

/* Writes the copy to `room`, array first, which is returned. */
static char **write_copy(const struct copy *copy, void *room)
{
	char *preload = (char *)room + copy->array_len;
	char *control = copy->contents->has_control ? NULL : (char *)settings_variable();

	write_preload(preload, preload_name(), copy->contents->preload);
	copy_variables(copy->variables, room, copy->contents->has_shim ? NULL : preload, control);
	return room;
}

/* `use` with the copy. Apart from its caller, that the stack is taken only where it is needed. */
static __attribute__((noinline)) int use_on_stack(const struct copy *copy, environment_user *use,
						  const void *context)
{
	char *room[STACK_LEN / sizeof(char *)];

	return use(context, write_copy(copy, room));
}

/* The same. In a child of vfork(2) that executes, the memory stays its parent's, which shares it. */
static int use_elsewhere(const struct copy *copy, environment_user *use, const void *context)
{
	size_t len = copy->array_len + copy->preload_len;
	long room = sys_mmap(len);
	int error;

	if (room < 0 && room >= -4095)
		return (int)-room;
	error = use(context, write_copy(copy, (void *)room));
	sys_munmap((void *)room, len);
	return error;
}

/*
 * Calls `use` with `variables` (NULL is none, as for execve(2)), or with a copy as said above;
 * returns what it returns, or ENOMEM where there is no room for the copy, or EFAULT.
 */
int environment_with_shim(char *const *variables, environment_user *use, const void *context)
{
	static char *const none[] = { NULL };
	const struct settings *settings = settings_find();
	const char *path = preload_name();
	struct contents contents;
	struct copy copy = { variables ? variables : none, &contents, 0, 0 };
	int error;

	if (!path || (settings && settings->flags & SETTINGS_FLAG('E')))
		return use(context, variables);
	error = read_contents(copy.variables, path, &contents);
	if (error)
		return error;
	if (contents.has_shim && (contents.has_control || !settings_variable()))
		return use(context, variables);
	copy.array_len = (contents.count + 3) * sizeof(char *);	/* LD_PRELOAD, TSOCKS_CONTROL, NULL */
	copy.preload_len = sizeof(PRELOAD) + strlen(path) + 1 +
			   (contents.preload ? strlen(contents.preload) : 0);
	return copy.array_len + copy.preload_len <= STACK_LEN ? use_on_stack(&copy, use, context) :
								use_elsewhere(&copy, use, context);
}
