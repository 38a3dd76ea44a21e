/* ADDRESS PORT OCTETS: reads so many over one blocking connection. Prints megabytes (10^6) a second. */
#include "client.h"

int main(int argc, char **argv)
{
	static char buffer[256 * 1024];
	char request[REQUEST_LENGTH];

	if (argc != 4)
		return 2;
	struct sockaddr_in address = destination(argv);
	uint64_t total = strtoull(argv[3], NULL, 10), got = 0;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	make_request(request, total);
	if (connect(fd, (struct sockaddr *)&address, sizeof address))
		die("connect");
	double start = now_us();
	if (write(fd, request, sizeof request) != sizeof request)
		die("write");
	while (got < total) {
		ssize_t n = read(fd, buffer, sizeof buffer);
		if (n <= 0)
			die("read");
		got += (uint64_t)n;
	}
	printf("%.1f\n", (double)total / (now_us() - start));
	return 0;
}
