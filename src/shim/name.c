/*
 * What the name hooks share: asking the brain, and giving libc a text of the brain's address
 * in the name's place. Resolves nothing.
 *
 * libc copies the text it is given into its result as the host's name. To write the asked
 * name back over that copy, without memory of our own, the text is made as long as the name:
 * inet_aton(3) takes 198.18.0.1 with any number of zeros before it, as octal 0..0306.18.0.1, and
 * getaddrinfo(3) an IPv6 address with the scope 0, in any number of zeros behind a '%'.
 */
#include <netdb.h>

#include "shim.h"

#define MAX_HOST_LEN 254	/* musl's limit; RFC 1035 §2.3.4 has 253 and a dot */

/* Whether the text is of an IPv6 address, given that it is of an address. */
int text_is_inet6(const char *text)
{
	for (; *text; text++)
		if (*text == ':')
			return 1;
	return 0;
}

/* Reads a decimal 0-255 and what follows it: '.' or, of the last, the end. Returns that, or NULL. */
static const char *read_decimal(const char *text, int is_last, unsigned char *out)
{
	unsigned int value = 0;
	int digits = 0;

	for (; *text >= '0' && *text <= '9' && digits < 4; text++, digits++)
		value = value * 10 + (unsigned int)(*text - '0');
	if (!digits || value > 255 || (digits > 1 && text[-digits] == '0') || *text != (is_last ? '\0' : '.'))
		return NULL;
	*out = (unsigned char)value;
	return is_last ? text : text + 1;
}

/* Reads one to four hexadecimal digits into two octets. Returns what follows, or NULL. */
static const char *read_group(const char *text, unsigned char *out)
{
	unsigned int value = 0;
	int digits = 0;
	char c;

	for (; (c = *text | 32), ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')); text++) {
		value = value << 4 | (unsigned int)(c <= '9' ? c - '0' : c - 'a' + 10);
		if (++digits > 4)
			return NULL;
	}
	out[0] = (unsigned char)(value >> 8);
	out[1] = (unsigned char)value;
	return digits ? text : NULL;
}

/* Reads hexadecimal groups with at most one "::" (RFC 4291 section 2.2). Whether it is that. */
static int read_inet6(const char *text, unsigned char out[16])
{
	unsigned char octets[16];
	size_t len = 0, gap = 0;
	int has_gap = 0;

	while (*text) {
		if (text[0] == ':' && text[1] == ':') {
			if (has_gap++)
				return 0;
			gap = len;
			text += 2;
			if (!*text)
				break;
		} else if (len && *text++ != ':') {
			return 0;
		}
		text = len < 16 ? read_group(text, octets + len) : NULL;
		if (!text)
			return 0;
		len += 2;
	}
	if (has_gap ? len == 16 : len != 16)
		return 0;
	memset(out, 0, 16);
	memcpy(out, octets, gap);
	memcpy(out + 16 - (len - gap), octets + gap, len - gap);
	return 1;
}

/* Reads the text of an address, as the brain writes it, with port 0. Whether it is one. */
int address_from_text(const char *text, struct endpoint *out)
{
	int i;

	out->port = 0;
	out->len = text_is_inet6(text) ? 16 : 4;
	if (out->len == 16)
		return read_inet6(text, out->address);
	for (i = 0; i < 4 && text; i++)
		text = read_decimal(text, i == 3, out->address + i);
	return text != NULL;
}

/* The protocol's FAMILY. */
static unsigned int family_number(int family)
{
	if (family == AF_INET)
		return 4;
	return family == AF_INET6 ? 6 : 0;
}

/*
 * Asks what libc may be told of `name`; `family` is AF_UNSPEC, AF_INET or AF_INET6.
 * Returns 0 with an address in `text`; 0 with "" in `text` where libc may resolve the name
 * itself; or the brain's EAI_ code, EAI_NONAME for a name of no or over 1024 octets, EAI_FAIL
 * where the brain cannot be asked.
 */
int name_ask(int family, const char *name, char text[NAME_TEXT_LEN])
{
	size_t len = strlen(name);
	struct endpoint address;
	struct answer answer;

	text[0] = '\0';
	if (!len || len > CTL_MAX_NAME_LEN)
		return EAI_NONAME;
	if (control_resolve(family_number(family), name, len, &answer))
		return EAI_FAIL;
	if (answer.status == CTL_STATUS_LIBC)
		return 0;
	if (answer.status == CTL_STATUS_FAIL)
		return -(int)answer.error;
	if (answer.status != CTL_STATUS_ADDRESS || !address_from_text(answer.text, &address))
		return EAI_FAIL;
	memcpy(text, answer.text, strlen(answer.text) + 1);
	return 0;
}

/* Lengthens the text of an address to the name's length, as said above, where libc takes that. */
void name_make_room(const char *name, char text[NAME_TEXT_LEN])
{
	size_t want = strlen(name), len = strlen(text), rest, zeros, i;
	unsigned int first = 0;
	const char *from = text;
	char tail[CTL_MAX_ANSWER_BODY_LEN + 1];

	if (len >= want || want > MAX_HOST_LEN)
		return;
	if (text_is_inet6(text)) {
		text[len] = '%';
		do
			text[++len] = '0';
		while (len + 1 < want);
		text[len + 1] = '\0';
		return;
	}
	for (; *from != '.'; from++)
		first = first * 10 + (unsigned int)(*from - '0');
	rest = strlen(from);
	memcpy(tail, from, rest + 1);
	zeros = want > rest + 4 ? want - rest - 3 : 1;
	for (i = 0; i < zeros; i++)
		text[i] = '0';
	text[zeros] = (char)('0' + (first >> 6 & 7));
	text[zeros + 1] = (char)('0' + (first >> 3 & 7));
	text[zeros + 2] = (char)('0' + (first & 7));
	memcpy(text + zeros + 3, tail, rest + 1);
}

/* Writes the name over libc's copy of the text; where there is no room (overlong names) it stays. */
void name_put_back(const char *name, char *in_place)
{
	size_t len = strlen(name);

	if (in_place && strlen(in_place) >= len)
		memcpy(in_place, name, len + 1);
}

/*
 * Asks for the name of `address`, for getnameinfo(3) and gethostbyaddr(3). Returns 0 with it in
 * `name`; 0 with "" where libc may look it up; or the brain's EAI_ code, EAI_FAIL where the
 * brain cannot be asked.
 */
int name_of(const struct endpoint *address, char name[CTL_MAX_HOST_NAME_LEN + 1])
{
	struct endpoint asked = *address;
	struct answer answer;

	name[0] = '\0';
	asked.port = 0;
	if (control_reverse(&asked, &answer))
		return EAI_FAIL;
	if (answer.status == CTL_STATUS_FAIL)
		return -(int)answer.error;
	if (answer.status == CTL_STATUS_NAME)
		memcpy(name, answer.text, strlen(answer.text) + 1);
	else if (answer.status != CTL_STATUS_LIBC)
		return EAI_FAIL;
	return 0;
}
