/*
 * res_query(3) and its family, in glibc and musl: they ask the machine's name servers by
 * themselves, with packets that no hook sees. Refused, as though no name server could be reached,
 * except where the policy leaves all names to libc; the brain logs it. What only writes or reads
 * messages (res_mkquery, dn_expand) is not ours.
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>

#include "shim.h"

/* glibc's header before 2.34 has these names as macros for the others. */
#undef res_query
#undef res_search
#undef res_querydomain
#undef res_send
#undef res_nquery
#undef res_nsearch
#undef res_nquerydomain
#undef res_nsend

typedef int res_query_function(const char *name, int class, int type, unsigned char *answer,
			       int len);
typedef int res_search_function(const char *name, int class, int type, unsigned char *answer,
				int len);
typedef int res_querydomain_function(const char *name, const char *domain, int class, int type,
				     unsigned char *answer, int len);
typedef int res_send_function(const unsigned char *message, int message_len,
			      unsigned char *answer, int len);
typedef int res_nquery_function(res_state state, const char *name, int class, int type,
				unsigned char *answer, int len);
typedef int res_nsearch_function(res_state state, const char *name, int class, int type,
				 unsigned char *answer, int len);
typedef int res_nquerydomain_function(res_state state, const char *name, const char *domain,
				      int class, int type, unsigned char *answer, int len);
typedef int res_nsend_function(res_state state, const unsigned char *message, int message_len,
			       unsigned char *answer, int len);

/*
 * The function of libc if it may ask name servers by itself. Otherwise NULL, errno is
 * ECONNREFUSED, and h_errno (and in *state, where given) NO_RECOVERY. `code` is its name.
 */
static void *find_allowed(const char *code, enum real_function which, res_state state)
{
	struct answer answer;
	void *next = real_find(which);

	if (!next)	/* glibc before 2.34 */
		next = real_find(which + REAL_UNDER_RES_QUERY - REAL_RES_QUERY);
	if (!control_notice(code, &answer) && answer.status == CTL_STATUS_LIBC && next)
		return next;
	if (state)
		state->res_h_errno = NO_RECOVERY;
	set_host_error(NO_RECOVERY);
	errno = ECONNREFUSED;
	return NULL;
}

/* The length of the answer, or -1 as find_allowed() says. */
static int shim_res_query(const char *name, int class, int type, unsigned char *answer, int len)
{
	res_query_function *next = find_allowed("res_query", REAL_RES_QUERY, NULL);

	return next ? next(name, class, type, answer, len) : -1;
}

/* The length of the answer, or -1 as find_allowed() says. */
static int shim_res_search(const char *name, int class, int type, unsigned char *answer, int len)
{
	res_search_function *next = find_allowed("res_search", REAL_RES_SEARCH, NULL);

	return next ? next(name, class, type, answer, len) : -1;
}

/* The length of the answer, or -1 as find_allowed() says. */
static int shim_res_querydomain(const char *name, const char *domain, int class, int type,
				unsigned char *answer, int len)
{
	res_querydomain_function *next = find_allowed("res_querydomain", REAL_RES_QUERYDOMAIN, NULL);

	return next ? next(name, domain, class, type, answer, len) : -1;
}

/* The length of the answer, or -1 as find_allowed() says. */
static int shim_res_send(const unsigned char *message, int message_len, unsigned char *answer,
			 int len)
{
	res_send_function *next = find_allowed("res_send", REAL_RES_SEND, NULL);

	return next ? next(message, message_len, answer, len) : -1;
}

/* The length of the answer, or -1 as find_allowed() says. */
static int shim_res_nquery(res_state state, const char *name, int class, int type,
			   unsigned char *answer, int len)
{
	res_nquery_function *next = find_allowed("res_nquery", REAL_RES_NQUERY, state);

	return next ? next(state, name, class, type, answer, len) : -1;
}

/* The length of the answer, or -1 as find_allowed() says. */
static int shim_res_nsearch(res_state state, const char *name, int class, int type,
			    unsigned char *answer, int len)
{
	res_nsearch_function *next = find_allowed("res_nsearch", REAL_RES_NSEARCH, state);

	return next ? next(state, name, class, type, answer, len) : -1;
}

/* The length of the answer, or -1 as find_allowed() says. */
static int shim_res_nquerydomain(res_state state, const char *name, const char *domain, int class,
				 int type, unsigned char *answer, int len)
{
	res_nquerydomain_function *next = find_allowed("res_nquerydomain", REAL_RES_NQUERYDOMAIN, state);

	return next ? next(state, name, domain, class, type, answer, len) : -1;
}

/* The length of the answer, or -1 as find_allowed() says. */
static int shim_res_nsend(res_state state, const unsigned char *message, int message_len,
			  unsigned char *answer, int len)
{
	res_nsend_function *next = find_allowed("res_nsend", REAL_RES_NSEND, state);

	return next ? next(state, message, message_len, answer, len) : -1;
}

EXPORT int res_query(const char *name, int class, int type, unsigned char *answer, int len)
{
	return shim_res_query(name, class, type, answer, len);
}

EXPORT int __res_query(const char *name, int class, int type, unsigned char *answer, int len)
{
	return shim_res_query(name, class, type, answer, len);
}

EXPORT int res_search(const char *name, int class, int type, unsigned char *answer, int len)
{
	return shim_res_search(name, class, type, answer, len);
}

EXPORT int __res_search(const char *name, int class, int type, unsigned char *answer, int len)
{
	return shim_res_search(name, class, type, answer, len);
}

EXPORT int res_querydomain(const char *name, const char *domain, int class, int type,
			   unsigned char *answer, int len)
{
	return shim_res_querydomain(name, domain, class, type, answer, len);
}

EXPORT int __res_querydomain(const char *name, const char *domain, int class, int type,
			     unsigned char *answer, int len)
{
	return shim_res_querydomain(name, domain, class, type, answer, len);
}

EXPORT int res_send(const unsigned char *message, int message_len, unsigned char *answer, int len)
{
	return shim_res_send(message, message_len, answer, len);
}

EXPORT int __res_send(const unsigned char *message, int message_len, unsigned char *answer,
		      int len)
{
	return shim_res_send(message, message_len, answer, len);
}

EXPORT int res_nquery(res_state state, const char *name, int class, int type,
		      unsigned char *answer, int len)
{
	return shim_res_nquery(state, name, class, type, answer, len);
}

EXPORT int __res_nquery(res_state state, const char *name, int class, int type,
			unsigned char *answer, int len)
{
	return shim_res_nquery(state, name, class, type, answer, len);
}

EXPORT int res_nsearch(res_state state, const char *name, int class, int type,
		       unsigned char *answer, int len)
{
	return shim_res_nsearch(state, name, class, type, answer, len);
}

EXPORT int __res_nsearch(res_state state, const char *name, int class, int type,
			 unsigned char *answer, int len)
{
	return shim_res_nsearch(state, name, class, type, answer, len);
}

EXPORT int res_nquerydomain(res_state state, const char *name, const char *domain, int class,
			    int type, unsigned char *answer, int len)
{
	return shim_res_nquerydomain(state, name, domain, class, type, answer, len);
}

EXPORT int __res_nquerydomain(res_state state, const char *name, const char *domain, int class,
			      int type, unsigned char *answer, int len)
{
	return shim_res_nquerydomain(state, name, domain, class, type, answer, len);
}

EXPORT int res_nsend(res_state state, const unsigned char *message, int message_len,
		     unsigned char *answer, int len)
{
	return shim_res_nsend(state, message, message_len, answer, len);
}

EXPORT int __res_nsend(res_state state, const unsigned char *message, int message_len,
		       unsigned char *answer, int len)
{
	return shim_res_nsend(state, message, message_len, answer, len);
}
