/*
 * The brain resets the socket of a connect that failed while it was waiting, and the kernel
 * then has one word for it, ECONNRESET. Here the true one is asked for.
 */
#include <errno.h>

#include "shim.h"
#include "sys.h"

/* Fills in what tells this connecting socket from all others. 0 or an errno. */
int attempt_read(int fd, struct attempt *out)
{
	struct sockaddr_storage local;
	socklen_t len = sizeof(out->cookie);

	if (sys_getsockopt(fd, SOL_SOCKET, SO_COOKIE, &out->cookie, &len))
		out->cookie = 0;
	len = sizeof(local);
	if (sys_getsockname(fd, &local, &len))
		return EBADF;
	return endpoint_read(&local, len, &out->local) ? 0 : EAFNOSUPPORT;
}

/* The errno for the program of a socket that failed with `error`: the brain's, if it was the brain's reset. */
int true_error(int fd, int error)
{
	struct attempt attempt;
	struct answer answer;

	if (error != ECONNRESET || tcp_family(fd) <= 0 || attempt_read(fd, &attempt))
		return error;
	if (control_verdict(&attempt, &answer) || answer.status != CTL_STATUS_FAIL)
		return error;
	return (int)answer.error;
}
