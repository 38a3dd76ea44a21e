/* ADDRESS PORT COUNT: so many non-blocking connections started together. Prints milliseconds until all have their octet. */
#include <fcntl.h>
#include <poll.h>
#include "client.h"

#define MAX 1000

static char request[REQUEST_LENGTH];

/* Connected: send the request and wait for its octet. */
static void on_writable(struct pollfd *entry)
{
	int error = 0;
	socklen_t length = sizeof error;

	getsockopt(entry->fd, SOL_SOCKET, SO_ERROR, &error, &length);
	errno = error;
	if (error || write(entry->fd, request, sizeof request) != sizeof request)
		die("connection");
	entry->events = POLLIN;
}

int main(int argc, char **argv)
{
	static struct pollfd entries[MAX];

	if (argc != 4 || atoi(argv[3]) > MAX)
		return 2;
	struct sockaddr_in address = destination(argv);
	int count = atoi(argv[3]), left = count;
	char octet;
	make_request(request, 1);
	double start = now_us();
	for (int i = 0; i < count; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);
		fcntl(fd, F_SETFL, O_NONBLOCK);
		if (connect(fd, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS)
			die("connect");
		entries[i] = (struct pollfd){ .fd = fd, .events = POLLOUT };
	}
	while (left > 0) {
		if (poll(entries, (nfds_t)count, -1) < 0)
			die("poll");
		for (int i = 0; i < count; i++) {
			if (entries[i].revents == 0)
				continue;
			if (entries[i].events == POLLOUT) {
				on_writable(&entries[i]);
				continue;
			}
			if (read(entries[i].fd, &octet, 1) != 1)
				die("read");
			close(entries[i].fd);
			entries[i].fd = -1; /* poll(2) passes it over */
			left--;
		}
	}
	printf("%.2f\n", (now_us() - start) / 1e3);
	return 0;
}
