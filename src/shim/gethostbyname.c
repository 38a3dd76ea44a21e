/*
 * gethostbyname(3) and its family: libc is asked only for what the brain leaves to it; an address
 * of the brain's is given in a hostent of our own (hostent.c).
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
	int is_libcs;			/* libc may resolve the name itself */
	struct endpoint address;	/* else */
};

/* What gethostbyname() and gethostbyname2() return, written by each call, as in every libc. */
static struct hostent static_host;
static char static_buffer[HOST_BUFFER_LEN];

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

static void look_up(const char *name, int family, struct lookup *lookup)
{
	char text[NAME_TEXT_LEN];

	lookup->is_libcs = 0;
	lookup->error = NO_RECOVERY;
	if (family != AF_INET && family != AF_INET6)
		return;
	lookup->error = host_error(name_ask(family, name, text));
	if (lookup->error)
		return;
	lookup->is_libcs = !text[0];
	if (text[0] && (!address_from_text(text, &lookup->address) ||
			(lookup->address.len == 4) != (family == AF_INET)))
		lookup->error = HOST_NOT_FOUND;
}

/* A hostent in static storage, or NULL with h_errno. */
static struct hostent *finish(const char *name, const struct lookup *lookup)
{
	if (!lookup->error && !lookup->is_libcs &&
	    host_build(&lookup->address, name, &static_host, static_buffer, sizeof(static_buffer)))
		return &static_host;
	set_host_error(lookup->error ? lookup->error : NO_RECOVERY);
	return NULL;
}

/* 0 with *result, 0 with NULL and *error (no such host), or an errno with NULL and *error. */
static int finish_r(const char *name, const struct lookup *lookup, struct hostent *host,
		    char *buffer, size_t len, struct hostent **result, int *error)
{
	if (!lookup->error && !lookup->is_libcs)
		return host_result_built(host_build(&lookup->address, name, host, buffer, len),
					 host, result, error);
	*result = NULL;
	*error = lookup->error ? lookup->error : NO_RECOVERY;
	return host_result(*error);
}

/* A hostent in static storage, or NULL with h_errno. */
static struct hostent *shim_gethostbyname(const char *name)
{
	gethostbyname_function *next = (gethostbyname_function *)real_find(REAL_GETHOSTBYNAME);
	struct lookup lookup;

	look_up(name, AF_INET, &lookup);
	return next && lookup.is_libcs ? next(name) : finish(name, &lookup);
}

/* A hostent in static storage, or NULL with h_errno. */
static struct hostent *shim_gethostbyname2(const char *name, int family)
{
	gethostbyname2_function *next =
		(gethostbyname2_function *)real_find(REAL_GETHOSTBYNAME2);
	struct lookup lookup;

	look_up(name, family, &lookup);
	return next && lookup.is_libcs ? next(name, family) : finish(name, &lookup);
}

/* As finish_r(). */
static int shim_gethostbyname_r(const char *name, struct hostent *host, char *buffer, size_t len,
				struct hostent **result, int *error)
{
	gethostbyname_r_function *next =
		(gethostbyname_r_function *)real_find(REAL_GETHOSTBYNAME_R);
	struct lookup lookup;

	look_up(name, AF_INET, &lookup);
	return next && lookup.is_libcs ? next(name, host, buffer, len, result, error) :
					 finish_r(name, &lookup, host, buffer, len, result, error);
}

/* As finish_r(). */
static int shim_gethostbyname2_r(const char *name, int family, struct hostent *host, char *buffer,
				 size_t len, struct hostent **result, int *error)
{
	gethostbyname2_r_function *next =
		(gethostbyname2_r_function *)real_find(REAL_GETHOSTBYNAME2_R);
	struct lookup lookup;

	look_up(name, family, &lookup);
	return next && lookup.is_libcs ?
		       next(name, family, host, buffer, len, result, error) :
		       finish_r(name, &lookup, host, buffer, len, result, error);
}

EXPORT struct hostent *gethostbyname(const char *name)
{
	return shim_gethostbyname(name);
}

EXPORT struct hostent *gethostbyname2(const char *name, int family)
{
	return shim_gethostbyname2(name, family);
}

/* What glibc's libresolv has for programs linked long ago, and asks name servers about. */
EXPORT struct hostent *res_gethostbyname(const char *name) __attribute__((alias("gethostbyname")));
EXPORT struct hostent *res_gethostbyname2(const char *name, int family)
	__attribute__((alias("gethostbyname2")));

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
