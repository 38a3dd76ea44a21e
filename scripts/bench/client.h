/* What the measuring programs share: the destination from argv, the clock, the request of server.c. */
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define REQUEST_LENGTH 9 /* 1 + 8: 'b', count */

static inline struct sockaddr_in destination(char **argv)
{
	struct sockaddr_in address = { .sin_family = AF_INET };

	inet_pton(AF_INET, argv[1], &address.sin_addr);
	address.sin_port = htons((uint16_t)atoi(argv[2]));
	return address;
}

static inline double now_us(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static inline void make_request(char *request, uint64_t count)
{
	uint64_t order = htobe64(count);

	request[0] = 'b';
	memcpy(request + 1, &order, sizeof order);
}

static inline void die(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}
