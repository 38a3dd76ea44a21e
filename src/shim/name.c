/*
 * What the name hooks share: asking the brain, and giving libc a text of the brain's address
 * in the name's place. Resolves nothing.
 *
 * libc copies the text it is given into its result as the host's name. To write the asked
 * name back over that copy, without memory of our own, the text is made as long as the name:
 * inet_aton(3) takes 198.18.0.1 with any number of zeros before it, as octal 0..0306.18.0.1.
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

/* Whether libc must take the text for an address: otherwise it would go looking for the name. */
static int is_address(const char *text)
{
	int colons = 0, dots = 0, letters = 0;
	char c;

	for (; (c = *text); text++) {
		colons += c == ':';
		dots += c == '.';
		letters += (c | 32) >= 'a' && (c | 32) <= 'f';
		if (c != ':' && c != '.' && !(c >= '0' && c <= '9') &&
		    !((c | 32) >= 'a' && (c | 32) <= 'f'))
			return 0;
	}
	return colons >= 2 || (dots == 3 && !letters && text[-1] != '.');
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
	if (answer.status != CTL_STATUS_ADDRESS || !is_address(answer.text))
		return EAI_FAIL;
	memcpy(text, answer.text, strlen(answer.text) + 1);
	return 0;
}

/* Lengthens the text of an IPv4 address to the name's length, as said above, where libc takes that. */
void name_make_room(const char *name, char text[NAME_TEXT_LEN])
{
	size_t want = strlen(name), rest, zeros, i;
	unsigned int first = 0;
	const char *from = text;
	char tail[CTL_MAX_ANSWER_BODY_LEN + 1];

	if (text_is_inet6(text) || strlen(text) >= want || want > MAX_HOST_LEN)
		return;
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

/* Writes the name over libc's copy of the text; where there is no room (IPv6, overlong names) it stays. */
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
