/* ADDRESS PORT COUNT: one blocking connection after the other, one octet each. Prints microseconds for one. */
#include "client.h"

int main(int argc, char **argv)
{
	char request[REQUEST_LENGTH], octet;

	if (argc != 4)
		return 2;
	struct sockaddr_in address = destination(argv);
	int count = atoi(argv[3]);
	make_request(request, 1);
	double start = now_us();
	for (int i = 0; i < count; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);
		if (connect(fd, (struct sockaddr *)&address, sizeof address))
			die("connect");
		if (write(fd, request, sizeof request) != sizeof request || read(fd, &octet, 1) != 1)
			die("exchange");
		close(fd);
	}
	printf("%.1f\n", (now_us() - start) / count);
	return 0;
}
