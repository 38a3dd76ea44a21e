/*
 * TSOCKS_CONTROL, read once into static storage, so that a program that clears its
 * environment is still covered. What it holds is specified in control.h. Reads no file.
 */
#include "shim.h"

#define VARIABLE "TSOCKS_CONTROL="

extern char **environ;

/* Written before `state` is, always with the same values; threads and handlers may race here. */
static struct settings settings;

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

/* Reads 32 digits and ':'. Returns what follows, or NULL. */
static const char *read_token(const char *text, unsigned char token[CTL_TOKEN_LEN])
{
	int i, high, low;

	for (i = 0; i < CTL_TOKEN_LEN; i++) {
		high = hex_digit(*text);
		low = high < 0 ? -1 : hex_digit(text[1]);
		if (low < 0)
			return NULL;
		token[i] = (unsigned char)(high << 4 | low);
		text += 2;
	}
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

	out->is_udp_direct = *text == CTL_LETTER_UDP_DIRECT;
	text = read_token(text + out->is_udp_direct, out->token);
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

/* Returns the value of TSOCKS_CONTROL in `variables`, or NULL. */
static const char *find_variable(char **variables)
{
	size_t len = sizeof(VARIABLE) - 1;

	for (; *variables; variables++) {
		size_t i = 0;

		while (i < len && (*variables)[i] == VARIABLE[i])
			i++;
		if (i == len)
			return *variables + len;
	}
	return NULL;
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
		__atomic_store_n(&state, now, __ATOMIC_RELEASE);
	}
	return now == PRESENT ? &settings : NULL;
}
