/*
 * getaddrinfo_a(3), of glibc alone: its threads would look the names up past our getaddrinfo. So
 * all is looked up before it returns, GAI_NOWAIT or not; then libc, given an empty list, sends
 * the notification. gai_error(3), gai_suspend(3) and gai_cancel(3) find the requests done.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netdb.h>

#include "shim.h"

typedef int getaddrinfo_a_function(int mode, struct gaicb **list, int count,
				   struct sigevent *event);

/* One request; errno stays, since in libc a thread of its own would do this. */
static void look_up(struct gaicb *request)
{
	int error = errno;

	request->__return = shim_getaddrinfo(request->ar_name, request->ar_service,
					     request->ar_request, &request->ar_result);
	errno = error;
}

/* 0, whatever the requests came to; or EAI_SYSTEM with errno EINVAL (mode), ENOSYS (no such libc). */
static int shim_getaddrinfo_a(int mode, struct gaicb **list, int count, struct sigevent *event)
{
	getaddrinfo_a_function *next =
		(getaddrinfo_a_function *)real_find(REAL_GETADDRINFO_A);
	int i;

	if (!next || (mode != GAI_WAIT && mode != GAI_NOWAIT)) {
		errno = next ? EINVAL : ENOSYS;
		return EAI_SYSTEM;
	}
	for (i = 0; i < count; i++)
		if (list[i])
			look_up(list[i]);
	return next(mode, list, 0, event);
}

EXPORT int getaddrinfo_a(int mode, struct gaicb **restrict list, int count,
			 struct sigevent *restrict event)
{
	return shim_getaddrinfo_a(mode, list, count, event);
}
