/*
 * The one server of all measurements: SOCKS5 without authentication (RFC 1928), and at the same
 * time every destination behind it: it never dials, it answers itself. A connection that does not begin
 * with a 5 is taken for a direct one. Request: 'b' and a count of 8 octets, network order; answer: so many octets.
 * Usage: server DELAY_MS, which is waited before each answer (a round trip). Prints "ready PORT".
 */
#include <arpa/inet.h>
#include <endian.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BLOCK (256 * 1024)

static useconds_t delay_us;
static char block[BLOCK];

/* 0, or -1 at the end of the connection. */
static int read_all(int fd, void *buffer, size_t length)
{
	for (char *at = buffer; length > 0;) {
		ssize_t n = read(fd, at, length);
		if (n <= 0)
			return -1;
		at += n;
		length -= (size_t)n;
	}
	return 0;
}

static int write_all(int fd, const void *buffer, size_t length)
{
	for (const char *at = buffer; length > 0;) {
		ssize_t n = write(fd, at, length);
		if (n <= 0)
			return -1;
		at += n;
		length -= (size_t)n;
	}
	return 0;
}

static int answer(int fd, const void *buffer, size_t length)
{
	if (delay_us > 0)
		usleep(delay_us);
	return write_all(fd, buffer, length);
}

/* The greeting's VER has been read. 0 when the "destination" is connected. */
static int socks5(int fd)
{
	static const unsigned char granted[] = { 5, 0, 0, 1, 127, 0, 0, 1, 0, 80 };
	unsigned char buffer[262];
	size_t rest;

	if (read_all(fd, buffer, 1) || read_all(fd, buffer + 1, buffer[0]))
		return -1;
	if (answer(fd, "\5\0", 2) || read_all(fd, buffer, 5))
		return -1;
	if (buffer[3] == 1)
		rest = 3 + 2;
	else if (buffer[3] == 3)
		rest = buffer[4] + 2u;
	else
		rest = 15 + 2;
	return read_all(fd, buffer, rest) || answer(fd, granted, sizeof granted) ? -1 : 0;
}

static void *serve(void *argument)
{
	int fd = (int)(intptr_t)argument;
	unsigned char first;
	uint64_t count;

	if (read_all(fd, &first, 1))
		goto out;
	if (first == 5 && (socks5(fd) || read_all(fd, &first, 1)))
		goto out;
	if (first != 'b' || read_all(fd, &count, sizeof count))
		goto out;
	if (delay_us > 0)
		usleep(delay_us);
	for (count = be64toh(count); count > 0;) {
		size_t n = count < BLOCK ? (size_t)count : BLOCK;
		if (write_all(fd, block, n))
			break;
		count -= n;
	}
out:
	close(fd);
	return NULL;
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t length = sizeof address;
	pthread_attr_t detached;
	int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0);

	delay_us = argc > 1 ? (useconds_t)atoi(argv[1]) * 1000 : 0;
	signal(SIGPIPE, SIG_IGN);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(listener, (struct sockaddr *)&address, length) || listen(listener, 4096) ||
	    getsockname(listener, (struct sockaddr *)&address, &length)) {
		perror("server");
		return 1;
	}
	printf("ready %d\n", ntohs(address.sin_port));
	fflush(stdout);
	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	for (;;) {
		pthread_t thread;
		int fd = accept(listener, NULL, NULL);
		if (fd < 0)
			continue;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		if (pthread_create(&thread, &detached, serve, (void *)(intptr_t)fd))
			close(fd);
	}
}
