/*
 * What the shim's files share. The hooks, one file for each family of calls, recognise a call and
 * obey the brain's answer; control.c asks, settings.c knows where, real.c finds the functions that
 * we stand in front of. No policy lives here.
 *
 * The shim is freestanding: no libc function is called but those that real.c finds, and no
 * memory is taken but the stack, a few statics that are written once with one value, and the
 * results of gethostbyname(3) and gethostbyaddr(3), which are static in every libc.
 *
 * dlopen.c keeps libraries from being bound past the hooks.
 */
#ifndef TSOCKS_SHIM_H
#define TSOCKS_SHIM_H

#include <stddef.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>

#include "control.h"

#define EXPORT __attribute__((visibility("default")))

/* An address and a port, as a program gave it: 4 or 16 octets, never normalised. */
struct endpoint {
	unsigned int len;		/* 4 or 16 */
	unsigned char address[16];	/* network order */
	unsigned int port;		/* host order */
};

/* A connection to the brain. */
struct link {
	int fd;
	int is_interruptible;		/* whether a signal ends a wait with EINTR */
	unsigned long long cookie;	/* SO_COOKIE, or 0 */
};

/* By what the brain knows a connect that it lets wait. */
struct attempt {
	unsigned long long cookie;	/* SO_COOKIE, or 0 */
	struct endpoint local;
};

/* The brain's answer, checked; which members hold something depends on status. */
struct answer {
	unsigned int status;		/* CTL_STATUS_* */
	unsigned int error;		/* FAIL: 1-4095 */
	struct link link;		/* PENDING: for control_started() */
	struct endpoint endpoint;	/* FORWARD, PENDING, PEER, REDIRECT */
	unsigned char ticket[CTL_TICKET_LEN];
	char text[CTL_MAX_ANSWER_BODY_LEN + 1];	/* ADDRESS, NAME */
	unsigned int message_len;	/* MESSAGE, whether it fits or not */
};

/* TSOCKS_CONTROL, taken apart. */
struct settings {
	unsigned int flags;		/* SETTINGS_FLAG() of the letters in FLAGS */
	unsigned char token[CTL_TOKEN_LEN];
	unsigned int port4;
	unsigned int port6;		/* 0: none */
	unsigned int path_len;
	char path[108];		};

/* struct mmsghdr, which the headers keep from those who do not ask for all of GNU's. */
struct message {
	struct msghdr header;
	unsigned int sent;
};

/* Where a datagram goes in its destination's place; nowhere else where len is 0. */
struct redirect {
	socklen_t len;
	struct sockaddr_storage addr;
};

/* settings.c */
#define SETTINGS_FLAG(letter) (1u << ((letter) - 'A'))
const struct settings *settings_find(void);
const char *settings_variable(void);
const char *variable_value(const char *variable, const char *name);

/* link.c */
int link_open(struct link *link, const struct settings *settings, const struct timeval *limit);
int link_send(const struct link *link, const unsigned char *bytes, size_t len);
long link_receive(const struct link *link, unsigned char *to, size_t len, size_t room);
void link_close(const struct link *link);

/* control.c: each returns 0 with *answer filled, or an errno, never a guess. */
int control_connect(const struct endpoint *to, unsigned int flags, const struct timeval *limit,
		    struct answer *answer);
int control_started(const struct link *link, const struct attempt *attempt);
int control_verdict(const struct attempt *attempt, struct answer *answer);
int control_resolve(unsigned int family, const char *name, size_t len, struct answer *answer);
int control_peer(const struct endpoint *local, const struct endpoint *remote, struct answer *answer);
int control_reverse(const struct endpoint *address, struct answer *answer);
int control_query(const unsigned char *query, size_t len, unsigned char *message, size_t room,
		  struct answer *answer);
int control_source(const struct endpoint *face, struct answer *answer);
int control_datagram(const struct endpoint *to, unsigned long long inode, struct answer *answer);
int control_socket(int domain, int type, int protocol, struct answer *answer);
int control_execute(unsigned int reason, const char *path, struct answer *answer);

/* endpoint.c */
int endpoint_read(const void *addr, size_t len, struct endpoint *out);
socklen_t endpoint_write(const struct endpoint *from, int family, void *addr);
int endpoint_is_inet(const struct endpoint *e);
int endpoint_is_loopback(const struct endpoint *e);
int endpoint_is_unspecified(const struct endpoint *e);
int endpoint_is_reserved(const struct endpoint *e);
int endpoint_is_unasked(const struct endpoint *e);
int endpoint_is_face(const struct endpoint *e);
#define DNS_PORT 53
int tcp_family(int fd);
int is_multipath(int fd);
int socket_domain(int fd);
unsigned long long socket_inode(int fd);
int sends_datagrams(int fd);

/* connect.c; the second is connect(2) that came by syscall(2) */
int leave_device(int fd);
long connect_by_number(int fd, const struct sockaddr *addr, socklen_t len);
long exec_by_number(int dirfd, const char *path, char *const argv[], char *const envp[], int flags);

/* verdict.c */
int attempt_read(int fd, struct attempt *out);
int true_error(int fd, int error);

/* getsockopt.c, for syscall.c */
void correct_option(int fd, int level, int name, void *value, socklen_t len);

/* datagram.c, socket.c: 0, or the errno of a refusal */
int datagram_connect_refusal(int fd, const void *addr, size_t len, struct redirect *to);
int send_refusal(int fd, const void *addr, size_t len, int flags, struct redirect *to);
typedef ssize_t send_one(int fd, const struct msghdr *message, int flags);
typedef int send_many(int fd, struct message *messages, unsigned int count, int flags);
ssize_t send_message(int fd, const struct msghdr *message, int flags, send_one *next);
int send_messages(int fd, struct message *messages, unsigned int count, int flags,
		  send_one *next, send_many *next_many);
int socket_refusal(int domain, int type, int protocol);

/* receive.c */
socklen_t find_name_server(const void *face, socklen_t len, void *addr);
typedef ssize_t receive_one(int fd, struct msghdr *message, int flags);
typedef int receive_many(int fd, struct message *messages, unsigned int count, int flags,
			 struct timespec *limit);
void restore_source(void *addr, socklen_t room, socklen_t len);
ssize_t receive_message(int fd, struct msghdr *message, int flags, receive_one *next);
int receive_messages(int fd, struct message *messages, unsigned int count, int flags,
		     struct timespec *limit, receive_many *next);

/* name.c */
#define NAME_TEXT_LEN (CTL_MAX_NAME_LEN + CTL_MAX_ANSWER_BODY_LEN)
int name_ask(int family, const char *name, char text[NAME_TEXT_LEN]);
void name_make_room(const char *name, char text[NAME_TEXT_LEN]);
void name_put_back(const char *name, char *in_place);
int text_is_inet6(const char *text);
int name_of(const struct endpoint *address, char name[CTL_MAX_HOST_NAME_LEN + 1]);

int address_from_text(const char *text, struct endpoint *out);

/* hostent.c */
#define HOST_BUFFER_LEN (CTL_MAX_HOST_NAME_LEN + 1 + 64)
struct hostent;
int host_build(const struct endpoint *address, const char *name, struct hostent *host,
	       char *buffer, size_t len);
int host_result_built(int is_built, struct hostent *host, struct hostent **result, int *error);

/* getaddrinfo.c, for getaddrinfo_a.c */
struct addrinfo;
int shim_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
		     struct addrinfo **list);

/* gethostbyname.c, for gethostbyaddr.c and res_query.c */
int host_error(int error);
int host_result(int error);
void set_host_error(int error);

/* environment.c */
typedef int environment_user(const void *context, char *const *variables);
int environment_with_shim(char *const *variables, environment_user *use, const void *context);
int is_readable(const void *address);

/* elf.c */
unsigned int elf_reason(int fd, const void *head, long len, const char *path);

/* coverage.c: 0, or the errno with which the program must not be executed */
int coverage_check(int dirfd, const char *file, int flags);
int coverage_check_in_path(const char *name);
int coverage_ask(unsigned int reason, const char *path);

/* preload.c */
const char *preload_name(void);
int preload_is_for(unsigned int class, unsigned int machine);

/* real.c */
enum real_function {
	REAL_CONNECT,
	REAL_GETPEERNAME,
	REAL_GETSOCKOPT,
	REAL_GETADDRINFO,
	REAL_GETHOSTBYNAME,
	REAL_GETHOSTBYNAME2,
	REAL_GETHOSTBYNAME_R,
	REAL_GETHOSTBYNAME2_R,
	REAL_H_ERRNO_LOCATION,
	REAL_DLOPEN,
	REAL_GETNAMEINFO,
	REAL_GETHOSTBYADDR,
	REAL_GETHOSTBYADDR_R,
	REAL_GETADDRINFO_A,
	REAL_GETNETBYNAME,
	REAL_GETNETBYADDR,
	REAL_GETNETBYNAME_R,
	REAL_GETNETBYADDR_R,
	REAL_NSS_CONFIGURE_LOOKUP,
	REAL_RES_QUERY,
	REAL_RES_SEARCH,
	REAL_RES_QUERYDOMAIN,
	REAL_RES_SEND,
	REAL_RES_NQUERY,
	REAL_RES_NSEARCH,
	REAL_RES_NQUERYDOMAIN,
	REAL_RES_NSEND,
	REAL_UNDER_RES_QUERY,		/* from here on in the order of the eight above */
	REAL_UNDER_RES_SEARCH,
	REAL_UNDER_RES_QUERYDOMAIN,
	REAL_UNDER_RES_SEND,
	REAL_UNDER_RES_NQUERY,
	REAL_UNDER_RES_NSEARCH,
	REAL_UNDER_RES_NQUERYDOMAIN,
	REAL_UNDER_RES_NSEND,
	REAL_SENDTO,
	REAL_SENDMSG,
	REAL_SENDMMSG,
	REAL_SOCKET,
	REAL_RECVFROM,
	REAL_RECVFROM_CHK,
	REAL_RECVMSG,
	REAL_RECVMMSG,
	REAL_RECVMSG64,
	REAL_RECVMMSG64,
	REAL_RECVMMSG_TIME64,
	REAL_RES_MKQUERY,
	REAL_UNDER_RES_MKQUERY,
	REAL_EXECVE,
	REAL_EXECVEAT,
	REAL_EXECVPE,
	REAL_FEXECVE,
	REAL_POSIX_SPAWN,
	REAL_POSIX_SPAWNP,
	REAL_PIDFD_SPAWN,
	REAL_PIDFD_SPAWNP,
	REAL_SYSTEM,
	REAL_POPEN,
	REAL_WORDEXP,
	REAL_COUNT
};
void *real_find(enum real_function which);
long with_errno(long result);
const char *real_own_path(void);

/* memory.c, under the names that the compiler calls by itself */
void *memcpy(void *restrict to, const void *restrict from, size_t len);
void *memset(void *to, int value, size_t len);
int memcmp(const void *a, const void *b, size_t len);
size_t strlen(const char *text);

#endif
