/*
 * What the shim's files share. The hooks (connect.c, getpeername.c, getaddrinfo.c,
 * gethostbyname.c, exec.c, spawn.c) recognise a call and obey the brain's answer; control.c asks, settings.c
 * knows where, real.c finds the functions we stand in front of. No policy lives here.
 *
 * The shim is freestanding: no libc function is called but those that real.c finds, and no
 * memory is taken but the stack and a few statics that are written once with one value.
 */
#ifndef TSOCKS_SHIM_H
#define TSOCKS_SHIM_H

#include <stddef.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "control.h"

#define EXPORT __attribute__((visibility("default")))

/* An address and a port, as a program gave it: 4 or 16 octets, never normalised. */
struct endpoint {
	unsigned int len;		/* 4 or 16 */
	unsigned char address[16];	/* network order */
	unsigned int port;		/* host order */
};

/* The brain's answer, checked; which members hold something depends on status. */
struct answer {
	unsigned int status;		/* CTL_STATUS_* */
	unsigned int error;		/* FAIL: 1-4095 */
	struct endpoint endpoint;	/* FORWARD, PEER */
	unsigned char ticket[CTL_TICKET_LEN];
	char text[CTL_MAX_ANSWER_BODY_LEN + 1];	/* ADDRESS */
};

/* TSOCKS_CONTROL, taken apart. */
struct settings {
	unsigned int flags;		/* SETTINGS_FLAG() of the letters in FLAGS */
	unsigned char token[CTL_TOKEN_LEN];
	unsigned int port4;
	unsigned int port6;		/* 0: none */
	unsigned int path_len;
	char path[108];			/* sun_path's size; not terminated */
};

/* settings.c */
#define SETTINGS_FLAG(letter) (1u << ((letter) - 'A'))
const struct settings *settings_find(void);
const char *settings_variable(void);
const char *variable_value(const char *variable, const char *name);

/* control.c: each returns 0 with *answer filled, or an errno, never a guess. */
int control_connect(const struct endpoint *to, unsigned int flags, const struct timeval *limit,
		    struct answer *answer);
int control_resolve(unsigned int family, const char *name, size_t len, struct answer *answer);
int control_peer(const struct endpoint *local, struct answer *answer);
int control_notice(unsigned int reason, const char *path, struct answer *answer);

/* endpoint.c */
int endpoint_read(const void *addr, size_t len, struct endpoint *out);
socklen_t endpoint_write(const struct endpoint *from, int family, void *addr);
int endpoint_is_loopback(const struct endpoint *e);
int endpoint_is_unspecified(const struct endpoint *e);
int tcp_family(int fd);

/* name.c */
#define NAME_TEXT_LEN (CTL_MAX_NAME_LEN + CTL_MAX_ANSWER_BODY_LEN)
int name_ask(int family, const char *name, char text[NAME_TEXT_LEN]);
void name_make_room(const char *name, char text[NAME_TEXT_LEN]);
void name_put_back(const char *name, char *in_place);
int text_is_inet6(const char *text);

/* environment.c */
typedef int environment_user(const void *context, char *const *variables);
int environment_with_shim(char *const *variables, environment_user *use, const void *context);

/* coverage.c: 0, or the errno with which the program must not be executed */
int coverage_check(int dirfd, const char *file, int flags);
int coverage_check_in_path(const char *name);

/* real.c */
enum real_function {
	REAL_CONNECT,
	REAL_GETPEERNAME,
	REAL_GETADDRINFO,
	REAL_GETHOSTBYNAME,
	REAL_GETHOSTBYNAME2,
	REAL_GETHOSTBYNAME_R,
	REAL_GETHOSTBYNAME2_R,
	REAL_H_ERRNO_LOCATION,
	REAL_EXECVE,
	REAL_EXECVEAT,
	REAL_EXECVPE,
	REAL_FEXECVE,
	REAL_POSIX_SPAWN,
	REAL_POSIX_SPAWNP,
	REAL_COUNT
};
void *real_find(enum real_function which);
const char *real_own_path(void);

/* memory.c, under the names that the compiler calls by itself */
void *memcpy(void *restrict to, const void *restrict from, size_t len);
void *memset(void *to, int value, size_t len);
int memcmp(const void *a, const void *b, size_t len);
size_t strlen(const char *text);

#endif
