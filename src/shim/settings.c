/*
 * TSOCKS_CONTROL, read once into static storage, so that a program that clears its
 * environment is still covered. What it holds is specified in control.h. Reads no file.
 */
#include "shim.h"

#define VARIABLE "TSOCKS_CONTROL="

extern char **environ;

/* Written before `state` is, always with the same values; threads and handlers may race here. */
static struct settings settings;

/* The whole variable, for programs that are started without it; "" where it is too long. */
static char variable[sizeof(VARIABLE) + 256];

static enum { NOT_READ, PRESENT, ABSENT } state;

/* 0-15, or -1. */
static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Reads '+' and capital letters, or nothing. Returns what follows. */
static const char *read_flags(const char *text, unsigned int *flags)
{
	*flags = 0;
	if (*text == '+')
		for (text++; *text >= 'A' && *text <= 'Z'; text++)
			*flags |= SETTINGS_FLAG(*text);
	return text;
}

/* Reads 32 digits, FLAGS and ':'. Returns what follows, or NULL. */
static const char *read_token(const char *text, struct settings *out)
{
	int i, high, low;

	for (i = 0; i < CTL_TOKEN_LEN; i++) {
		high = hex_digit(*text);
		low = high < 0 ? -1 : hex_digit(text[1]);
		if (low < 0)
			return NULL;
		out->token[i] = (unsigned char)(high << 4 | low);
		text += 2;
	}
	text = read_flags(text, &out->flags);
	return *text == ':' ? text + 1 : NULL;
}

/* Reads a decimal 0-65535 and ':'. Returns what follows, or NULL. */
static const char *read_port(const char *text, unsigned int *port)
{
	const char *start = text;

	for (*port = 0; *text >= '0' && *text <= '9'; text++) {
		*port = *port * 10 + (unsigned int)(*text - '0');
		if (*port > 65535)
			return NULL;
	}
	return text != start && *text == ':' ? text + 1 : NULL;
}

/* Returns whether `text`, the variable's value, is whole and well formed. */
static int read_settings(const char *text, struct settings *out)
{
	size_t len;

	text = read_token(text, out);
	text = text ? read_port(text, &out->port4) : NULL;
	text = text ? read_port(text, &out->port6) : NULL;
	if (!text)
		return 0;
	len = strlen(text);
	if (!len || len >= sizeof(out->path))
		return 0;
	memcpy(out->path, text, len);
	out->path_len = (unsigned int)len;
	return 1;
}

/* The value if `variable` is that of `name` ("NAME="), else NULL. */
const char *variable_value(const char *variable, const char *name)
{
	while (*name && *variable == *name) {
		variable++;
		name++;
	}
	return *name ? NULL : variable;
}

/* Returns the value of TSOCKS_CONTROL in `variables`, or NULL. */
static const char *find_variable(char **variables)
{
	const char *value = NULL;

	for (; *variables && !value; variables++)
		value = variable_value(*variables, VARIABLE);
	return value;
}

/* Keeps the variable, since programs overwrite their environment's memory. */
static void keep_variable(const char *value)
{
	size_t len = strlen(value) + 1;

	if (len > sizeof(variable) - sizeof(VARIABLE))
		return;
	memcpy(variable, VARIABLE, sizeof(VARIABLE) - 1);
	memcpy(variable + sizeof(VARIABLE) - 1, value, len);
}

/*
 * Where the brain is, or NULL if TSOCKS_CONTROL is missing or malformed. Until libc has an
 * environment nothing is remembered: the next call looks again.
 */
const struct settings *settings_find(void)
{
	int now = __atomic_load_n(&state, __ATOMIC_ACQUIRE);

	if (now == NOT_READ && environ) {
		const char *text = find_variable(environ);

		now = text && read_settings(text, &settings) ? PRESENT : ABSENT;
		if (now == PRESENT)
			keep_variable(text);
		__atomic_store_n(&state, now, __ATOMIC_RELEASE);
	}
	return now == PRESENT ? &settings : NULL;
}

/* TSOCKS_CONTROL=..., as it was given to this program, or NULL. */
const char *settings_variable(void)
{
	return settings_find() && variable[0] ? variable : NULL;
}
