/*
 * gethostbyname(3) and its family, as getaddrinfo.c does it: libc is given the text of an
 * address, and the name is written back as h_name.
 */
#include <errno.h>
#include <netdb.h>

#include "shim.h"

typedef struct hostent *gethostbyname_function(const char *name);
typedef struct hostent *gethostbyname2_function(const char *name, int family);
typedef int gethostbyname_r_function(const char *name, struct hostent *host, char *buffer,
				     size_t len, struct hostent **result, int *error);
typedef int gethostbyname2_r_function(const char *name, int family, struct hostent *host,
				      char *buffer, size_t len, struct hostent **result,
				      int *error);
typedef int *h_errno_location_function(void);

/* What the brain said, in this family's terms. */
struct lookup {
	int error;			/* 0, or what h_errno is to be */
	const char *name;		/* what libc may be asked */
	char text[NAME_TEXT_LEN];	/* "" where libc may resolve the name itself */
};

/* h_errno for an EAI_ code. */
int host_error(int error)
{
	switch (error) {
	case 0:
		return 0;
	case EAI_NONAME:
		return HOST_NOT_FOUND;
	case EAI_AGAIN:
		return TRY_AGAIN;
	}
	return NO_RECOVERY;
}

/* What the _r forms return for an h_errno: glibc's convention, 0 for "no such host". */
int host_result(int error)
{
	if (error == HOST_NOT_FOUND)
		return 0;
	return error == TRY_AGAIN ? EAGAIN : EBADMSG;
}

void set_host_error(int error)
{
	h_errno_location_function *location =
		(h_errno_location_function *)real_find(REAL_H_ERRNO_LOCATION);

	if (location)
		*location() = error;
}

/* Asks the brain; the real function may be called with lookup->name if lookup->error is 0. */
static void look_up(const char *name, int family, struct lookup *lookup)
{
	if (family != AF_INET && family != AF_INET6) {
		lookup->error = NO_RECOVERY;
		return;
	}
	lookup->name = name;
	lookup->error = host_error(name_ask(family, name, lookup->text));
	if (lookup->error || !lookup->text[0])
		return;
	if (text_is_inet6(lookup->text) != (family == AF_INET6))
		lookup->error = HOST_NOT_FOUND;
	name_make_room(name, lookup->text);
	lookup->name = lookup->text;
}

/* Ends a lookup: the name the program asked for becomes h_name. Returns `host`. */
static struct hostent *finish(const char *name, const struct lookup *lookup, struct hostent *host)
{
	if (host && lookup->text[0])
		name_put_back(name, host->h_name);
	return host;
}

/* A hostent in libc's static storage, or NULL with h_errno. */
static struct hostent *shim_gethostbyname(const char *name)
{
	gethostbyname_function *next = (gethostbyname_function *)real_find(REAL_GETHOSTBYNAME);
	struct lookup lookup;

	look_up(name, AF_INET, &lookup);
	if (next && !lookup.error)
		return finish(name, &lookup, next(lookup.name));
	set_host_error(lookup.error ? lookup.error : NO_RECOVERY);
	return NULL;
}

/* A hostent in libc's static storage, or NULL with h_errno. */
static struct hostent *shim_gethostbyname2(const char *name, int family)
{
	gethostbyname2_function *next =
		(gethostbyname2_function *)real_find(REAL_GETHOSTBYNAME2);
	struct lookup lookup;

	look_up(name, family, &lookup);
	if (next && !lookup.error)
		return finish(name, &lookup, next(lookup.name, family));
	set_host_error(lookup.error ? lookup.error : NO_RECOVERY);
	return NULL;
}

/* 0 with *result, 0 with NULL and *error (no such host), or an errno with NULL and *error. */
static int shim_gethostbyname_r(const char *name, struct hostent *host, char *buffer, size_t len,
				struct hostent **result, int *error)
{
	gethostbyname_r_function *next =
		(gethostbyname_r_function *)real_find(REAL_GETHOSTBYNAME_R);
	struct lookup lookup;
	int failed;

	look_up(name, AF_INET, &lookup);
	if (next && !lookup.error) {
		failed = next(lookup.name, host, buffer, len, result, error);
		finish(name, &lookup, failed ? NULL : *result);
		return failed;
	}
	*result = NULL;
	*error = lookup.error ? lookup.error : NO_RECOVERY;
	return host_result(*error);
}

/* As shim_gethostbyname_r(). */
static int shim_gethostbyname2_r(const char *name, int family, struct hostent *host, char *buffer,
				 size_t len, struct hostent **result, int *error)
{
	gethostbyname2_r_function *next =
		(gethostbyname2_r_function *)real_find(REAL_GETHOSTBYNAME2_R);
	struct lookup lookup;
	int failed;

	look_up(name, family, &lookup);
	if (next && !lookup.error) {
		failed = next(lookup.name, family, host, buffer, len, result, error);
		finish(name, &lookup, failed ? NULL : *result);
		return failed;
	}
	*result = NULL;
	*error = lookup.error ? lookup.error : NO_RECOVERY;
	return host_result(*error);
}

EXPORT struct hostent *gethostbyname(const char *name)
{
	return shim_gethostbyname(name);
}

EXPORT struct hostent *gethostbyname2(const char *name, int family)
{
	return shim_gethostbyname2(name, family);
}

EXPORT int gethostbyname_r(const char *restrict name, struct hostent *restrict host,
			   char *restrict buffer, size_t len, struct hostent **restrict result,
			   int *restrict error)
{
	return shim_gethostbyname_r(name, host, buffer, len, result, error);
}

EXPORT int gethostbyname2_r(const char *restrict name, int family, struct hostent *restrict host,
			    char *restrict buffer, size_t len, struct hostent **restrict result,
			    int *restrict error)
{
	return shim_gethostbyname2_r(name, family, host, buffer, len, result, error);
}
