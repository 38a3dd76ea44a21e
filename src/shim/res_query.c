/*
 * res_query(3) and its family, in glibc and musl: they ask the machine's name servers by
 * themselves, with packets that no hook sees. The brain answers in their place, except where the
 * policy leaves all names to libc. No domain of resolv.conf is searched: names are the server's to
 * know. What only writes or reads messages (res_mkquery, dn_expand) is not ours.
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>

#include "shim.h"

/* glibc's header before 2.34 has these names as macros for the others. */
#undef res_mkquery
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
typedef int res_querydomain_function(const char *name, const char *domain, int class, int type,
				     unsigned char *answer, int len);
typedef int res_send_function(const unsigned char *message, int message_len,
			      unsigned char *answer, int len);
typedef int res_nquery_function(res_state state, const char *name, int class, int type,
				unsigned char *answer, int len);
typedef int res_nquerydomain_function(res_state state, const char *name, const char *domain,
				      int class, int type, unsigned char *answer, int len);
typedef int res_nsend_function(res_state state, const unsigned char *message, int message_len,
			       unsigned char *answer, int len);

typedef int res_mkquery_function(int op, const char *name, int class, int type,
				 const unsigned char *data, int data_len,
				 const unsigned char *record, unsigned char *message, int len);

#define MAX_QUERY_LEN CTL_MAX_NAME_LEN
#define ASK_LIBC (-2)		/* in place of a length: libc's own function is to be called */

/* The function of libc; glibc before 2.34 has it by its other name. */
static void *find(enum real_function which)
{
	void *next = real_find(which);

	return next ? next : real_find(which + REAL_UNDER_RES_QUERY - REAL_RES_QUERY);
}

/* -1, with h_errno (and that of *state, where given). */
static int fail(res_state state, int error)
{
	if (state)
		state->res_h_errno = error;
	set_host_error(error);
	return -1;
}

/* As where no name server can be reached. */
static int fail_unreached(res_state state)
{
	fail(state, NO_RECOVERY);
	errno = ECONNREFUSED;
	return -1;
}

/*
 * The length of the answer, which may be more than `len`: TC is then set in what fits. Or -1 with
 * errno ECONNREFUSED and h_errno NO_RECOVERY; or ASK_LIBC.
 */
static int ask(res_state state, const unsigned char *message, int message_len,
	       unsigned char *answer, int len)
{
	struct answer said;

	if (message_len < 0 || len < 0 ||
	    control_query(message, (size_t)message_len, answer, (size_t)len, &said))
		return fail_unreached(state);
	if (said.status == CTL_STATUS_LIBC)
		return ASK_LIBC;
	if (said.status != CTL_STATUS_MESSAGE)
		return fail_unreached(state);
	if (said.message_len > (unsigned int)len && len > 2)
		answer[2] |= 2;
	return (int)said.message_len;
}

/* As ask(), of an answer that has records; -1 with h_errno where it has none, as in glibc. */
static int query(res_state state, const char *name, int class, int type, unsigned char *answer,
		 int len)
{
	res_mkquery_function *make = real_find(REAL_RES_MKQUERY);
	unsigned char message[MAX_QUERY_LEN];
	int made, result, saved = errno;

	if (!make)
		make = real_find(REAL_UNDER_RES_MKQUERY);
	made = make ? make(0, name, class, type, NULL, 0, NULL, message, sizeof(message)) : -1;
	errno = saved;	/* glibc has looked for its configuration */
	if (made <= 0)
		return fail(state, NO_RECOVERY);
	result = ask(state, message, made, answer, len);
	if (result < 0)
		return result;
	if (result < 12 || len < 12)
		return fail(state, NO_RECOVERY);
	switch (answer[3] & 15) {
	case 0:
		return answer[6] | answer[7] ? result : fail(state, NO_DATA);
	case 2:
		return fail(state, TRY_AGAIN);
	case 3:
		return fail(state, HOST_NOT_FOUND);
	}
	return fail(state, NO_RECOVERY);
}

/* As query(), of "NAME.DOMAIN". */
static int query_domain(res_state state, const char *name, const char *domain, int class, int type,
			unsigned char *answer, int len)
{
	char joined[MAX_QUERY_LEN];
	size_t name_len = strlen(name), domain_len = domain ? strlen(domain) : 0;

	if (name_len + 1 + domain_len >= sizeof(joined))
		return fail(state, NO_RECOVERY);
	memcpy(joined, name, name_len + 1);
	if (domain_len) {
		joined[name_len] = '.';
		memcpy(joined + name_len + 1, domain, domain_len + 1);
	}
	return query(state, joined, class, type, answer, len);
}

/* Each of the following: as its like above, or what libc's own returns. */
static int shim_res_query(const char *name, int class, int type, unsigned char *answer, int len)
{
	res_query_function *next = find(REAL_RES_QUERY);
	int result = query(NULL, name, class, type, answer, len);

	return result == ASK_LIBC && next ? next(name, class, type, answer, len) : result;
}

static int shim_res_search(const char *name, int class, int type, unsigned char *answer, int len)
{
	res_query_function *next = find(REAL_RES_SEARCH);
	int result = query(NULL, name, class, type, answer, len);

	return result == ASK_LIBC && next ? next(name, class, type, answer, len) : result;
}

static int shim_res_querydomain(const char *name, const char *domain, int class, int type,
				unsigned char *answer, int len)
{
	res_querydomain_function *next = find(REAL_RES_QUERYDOMAIN);
	int result = query_domain(NULL, name, domain, class, type, answer, len);

	return result == ASK_LIBC && next ? next(name, domain, class, type, answer, len) : result;
}

static int shim_res_send(const unsigned char *message, int message_len, unsigned char *answer,
			 int len)
{
	res_send_function *next = find(REAL_RES_SEND);
	int result = ask(NULL, message, message_len, answer, len);

	return result == ASK_LIBC && next ? next(message, message_len, answer, len) : result;
}

static int shim_res_nquery(res_state state, const char *name, int class, int type,
			   unsigned char *answer, int len)
{
	res_nquery_function *next = find(REAL_RES_NQUERY);
	int result = query(state, name, class, type, answer, len);

	return result == ASK_LIBC && next ? next(state, name, class, type, answer, len) : result;
}

static int shim_res_nsearch(res_state state, const char *name, int class, int type,
			    unsigned char *answer, int len)
{
	res_nquery_function *next = find(REAL_RES_NSEARCH);
	int result = query(state, name, class, type, answer, len);

	return result == ASK_LIBC && next ? next(state, name, class, type, answer, len) : result;
}

static int shim_res_nquerydomain(res_state state, const char *name, const char *domain, int class,
				 int type, unsigned char *answer, int len)
{
	res_nquerydomain_function *next = find(REAL_RES_NQUERYDOMAIN);
	int result = query_domain(state, name, domain, class, type, answer, len);

	return result == ASK_LIBC && next ? next(state, name, domain, class, type, answer, len) :
					    result;
}

static int shim_res_nsend(res_state state, const unsigned char *message, int message_len,
			  unsigned char *answer, int len)
{
	res_nsend_function *next = find(REAL_RES_NSEND);
	int result = ask(state, message, message_len, answer, len);

	return result == ASK_LIBC && next ? next(state, message, message_len, answer, len) : result;
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
