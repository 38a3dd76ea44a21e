/* ADDRESS PORT HERE: blocking connects to a listener of our own at the address HERE. Prints their median in microseconds. */
#include "client.h"

#define COUNT 2000

static int is_less(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	static double took[COUNT];
	char *here[] = { argv[0], argc == 4 ? argv[3] : "", "0" };
	struct sockaddr_in address = destination(here);
	socklen_t len = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	if (bind(listener, (struct sockaddr *)&address, len) || listen(listener, 8))
		die("listen");
	getsockname(listener, (struct sockaddr *)&address, &len);
	for (int i = 0; i < COUNT; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);
		double start = now_us();
		if (connect(fd, (struct sockaddr *)&address, len))
			die("connect");
		took[i] = now_us() - start;
		close(accept(listener, NULL, NULL));
		close(fd);
	}
	qsort(took, COUNT, sizeof took[0], is_less);
	printf("%.2f\n", took[COUNT / 2]);
	return 0;
}
