/*
 * getaddrinfo(3): libc never sees a name that the brain keeps for itself. It is given the
 * text of an address, so that libc builds and frees the list. RFC 3493 §6.1.
 */
#include <netdb.h>

#include "shim.h"

#define EAI_ADDRFAMILY_ALIKE (-9)	/* EAI_ADDRFAMILY, which POSIX dropped and musl names late */

typedef int getaddrinfo_function(const char *node, const char *service,
				 const struct addrinfo *hints, struct addrinfo **list);

static int real_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
			    struct addrinfo **list)
{
	getaddrinfo_function *next = (getaddrinfo_function *)real_find(REAL_GETADDRINFO);

	return next ? next(node, service, hints, list) : EAI_FAIL;
}

/* Whether libc looks up no name for these. */
static int is_numeric(const char *node, const struct addrinfo *hints)
{
	return !node || (hints && hints->ai_flags & AI_NUMERICHOST);
}

/* getaddrinfo of `text`, with `node` as the canonical name. 0 or an EAI_ code. */
static int resolve_text(const char *node, char *text, const char *service,
			const struct addrinfo *hints, struct addrinfo **list)
{
	struct addrinfo numeric = { .ai_flags = 0 };
	int error;

	if (hints)
		numeric = *hints;
	if (numeric.ai_family == AF_INET && text_is_inet6(text))
		return EAI_NONAME;
	numeric.ai_flags = (numeric.ai_flags & ~AI_ADDRCONFIG) | AI_NUMERICHOST;
	name_make_room(node, text);
	error = real_getaddrinfo(text, service, &numeric, list);
	if (!error)	/* musl fills ai_canonname unasked */
		name_put_back(node, (*list)->ai_canonname);
	return error == EAI_ADDRFAMILY_ALIKE ? EAI_NONAME : error;
}

/* 0 with a list that freeaddrinfo(3) frees, or an EAI_ code: libc's, the brain's, name_ask()'s. */
int shim_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
		     struct addrinfo **list)
{
	int family = hints ? hints->ai_family : AF_UNSPEC;
	char text[NAME_TEXT_LEN];
	int error;

	if (is_numeric(node, hints))
		return real_getaddrinfo(node, service, hints, list);
	if (family != AF_UNSPEC && family != AF_INET && family != AF_INET6)
		return EAI_FAMILY;
	error = name_ask(family, node, text);
	if (error)
		return error;
	if (!text[0])
		return real_getaddrinfo(node, service, hints, list);
	return resolve_text(node, text, service, hints, list);
}

EXPORT int getaddrinfo(const char *restrict node, const char *restrict service,
		       const struct addrinfo *restrict hints, struct addrinfo **restrict list)
{
	return shim_getaddrinfo(node, service, hints, list);
}
