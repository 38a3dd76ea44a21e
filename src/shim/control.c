/*
 * The shim's half of the control protocol (control.h is its specification): one connection to the
 * brain (link.c), one request, one answer.
 */
#include <errno.h>

#include "shim.h"
#include "sys.h"

#define BRAIN_WAIT_S 30		/* for calls that must not wait for the network: never a hang */

#define MAX_BODY_LEN (1 + CTL_MAX_NAME_LEN)
#define INET_ENDPOINT_LEN 7	/* 1 + 2 + 4   FAMILY, PORT, IPv4 */
#define INET6_ENDPOINT_LEN 19	/* 1 + 2 + 16  FAMILY, PORT, IPv6 */

struct question {
	unsigned char op;
	int is_interruptible;		/* whether a signal ends it with EINTR */
	int keeps_link;			/* whether the connection outlives the answer PENDING */
	struct timeval limit;		/* longest silence of the brain; 0 is for ever */
	unsigned char *room;		/* for a MESSAGE, or NULL */
	size_t room_len;
	size_t body_len;
	unsigned char bytes[CTL_REQUEST_HEADER_LEN + MAX_BODY_LEN];
};

/* Without the octets, which are written one by one later. */
static void begin(struct question *question, unsigned char op, long limit_s)
{
	question->op = op;
	question->is_interruptible = 0;
	question->keeps_link = 0;
	question->limit.tv_sec = limit_s;
	question->limit.tv_usec = 0;
	question->room = NULL;
}

/* Puts the header before the body and sends both. 0 or an errno. */
static int send_request(const struct link *link, const struct settings *settings,
			struct question *question)
{
	unsigned char *b = question->bytes;
	unsigned int pid = (unsigned int)sys_getpid();

	b[0] = CTL_MAGIC_0;
	b[1] = CTL_MAGIC_1;
	b[2] = CTL_VERSION;
	b[3] = question->op;
	b[4] = (unsigned char)(pid >> 24);
	b[5] = (unsigned char)(pid >> 16);
	b[6] = (unsigned char)(pid >> 8);
	b[7] = (unsigned char)pid;
	memcpy(b + 8, settings->token, CTL_TOKEN_LEN);
	b[24] = (unsigned char)(question->body_len >> 8);
	b[25] = (unsigned char)question->body_len;
	return link_send(link, b, CTL_REQUEST_HEADER_LEN + question->body_len);
}

/* Reads ENDPOINT, which must fill `len` octets. Returns whether it does. */
static int read_endpoint(const unsigned char *b, size_t len, struct endpoint *out)
{
	if (len == INET_ENDPOINT_LEN && b[0] == 4)
		out->len = 4;
	else if (len == INET6_ENDPOINT_LEN && b[0] == 6)
		out->len = 16;
	else
		return 0;
	out->port = (unsigned int)b[1] << 8 | b[2];
	memcpy(out->address, b + 3, out->len);
	return 1;
}

/* Returns whether the body is what STATUS promises; fills *out. */
static int read_body(const unsigned char *body, size_t len, struct answer *out)
{
	switch (out->status) {
	case CTL_STATUS_DIRECT:
	case CTL_STATUS_LIBC:
		return !len;
	case CTL_STATUS_FAIL:
		return !len && out->error >= 1 && out->error <= 4095;
	case CTL_STATUS_FORWARD:
		if (len < CTL_TICKET_LEN)
			return 0;
		len -= CTL_TICKET_LEN;
		memcpy(out->ticket, body + len, CTL_TICKET_LEN);
		return read_endpoint(body, len, &out->endpoint);
	case CTL_STATUS_PEER:
	case CTL_STATUS_PENDING:
	case CTL_STATUS_REDIRECT:
		return read_endpoint(body, len, &out->endpoint);
	case CTL_STATUS_ADDRESS:
		memcpy(out->text, body, len);
		out->text[len] = '\0';
		return len > 0;
	case CTL_STATUS_NAME:
		memcpy(out->text, body, len);
		out->text[len] = '\0';
		return len > 0 && len <= CTL_MAX_HOST_NAME_LEN && strlen(out->text) == len;
	}
	return 0;
}

/* Receives of a MESSAGE of `len` octets what there is room for. 0 or an errno. */
static int receive_dns(const struct link *link, const struct question *question, size_t len,
		       struct answer *out)
{
	long result;

	out->status = CTL_STATUS_MESSAGE;
	out->message_len = (unsigned int)len;
	if (!len)
		return ENETDOWN;
	len = len < question->room_len ? len : question->room_len;
	result = link_receive(link, question->room, len, len);
	return result < 0 ? (int)-result : 0;
}

/*
 * Receives and checks the answer. 0 or an errno. Header and body by one call where they come
 * together: after a long wait the descriptor may be another thread's (link_close()).
 */
static int receive_answer(const struct link *link, const struct question *question,
			  struct answer *out)
{
	unsigned char bytes[CTL_ANSWER_HEADER_LEN + CTL_MAX_ANSWER_BODY_LEN];
	unsigned char *body = bytes + CTL_ANSWER_HEADER_LEN;
	size_t len, whole;
	long seen = link_receive(link, bytes, CTL_ANSWER_HEADER_LEN,
				 question->room ? CTL_ANSWER_HEADER_LEN : sizeof(bytes));
	long more = 0;

	if (seen < 0)
		return (int)-seen;
	len = (size_t)bytes[6] << 8 | bytes[7];
	if (bytes[0] == CTL_STATUS_MESSAGE && question->room)
		return receive_dns(link, question, len, out);
	if (len > CTL_MAX_ANSWER_BODY_LEN)
		return ENETDOWN;
	whole = CTL_ANSWER_HEADER_LEN + len;
	if ((size_t)seen < whole)
		more = link_receive(link, bytes + seen, whole - (size_t)seen, whole - (size_t)seen);
	if (more < 0)
		return (int)-more;
	out->status = bytes[0];
	out->error = (unsigned int)bytes[2] << 24 | (unsigned int)bytes[3] << 16 |
		     (unsigned int)bytes[4] << 8 | bytes[5];
	return read_body(body, len, out) ? 0 : ENETDOWN;
}

/*
 * Asks the brain. 0, or: ENETDOWN (no TSOCKS_CONTROL, no brain, no or a bad answer), EMFILE,
 * ENFILE, ETIMEDOUT (question->limit), EINTR. Closing the socket cancels the attempt; after
 * PENDING it stays open, as answer->link.
 */
static int ask(struct question *question, struct answer *answer)
{
	const struct settings *settings = settings_find();
	struct link link = { .is_interruptible = question->is_interruptible };
	int error;

	if (!settings)
		return ENETDOWN;
	error = link_open(&link, settings, &question->limit);
	if (error)
		return error;
	error = send_request(&link, settings, question);
	if (!error)
		error = receive_answer(&link, question, answer);
	if (!error && answer->status == CTL_STATUS_PENDING && question->keeps_link)
		answer->link = link;
	else
		link_close(&link);
	return error;
}

/* Writes ENDPOINT; returns its length. */
static size_t write_endpoint(const struct endpoint *from, unsigned char *to)
{
	to[0] = from->len == 4 ? 4 : 6;
	to[1] = (unsigned char)(from->port >> 8);
	to[2] = (unsigned char)from->port;
	memcpy(to + 3, from->address, from->len);
	return 3 + from->len;
}

/*
 * May this socket connect to `to`? `flags` is CTL_FLAG_*. A blocking connect waits for the
 * server's verdict at most `limit` (0: for ever) and a signal ends it as it ends connect(2);
 * a non-blocking one knows neither. 0 or an errno of ask().
 */
int control_connect(const struct endpoint *to, unsigned int flags, const struct timeval *limit,
		    struct answer *answer)
{
	struct question question;
	unsigned char *body = question.bytes + CTL_REQUEST_HEADER_LEN;

	begin(&question, CTL_OP_CONNECT, BRAIN_WAIT_S);
	if (!(flags & CTL_FLAG_NONBLOCKING)) {
		question.limit = *limit;
		question.is_interruptible = 1;
	}
	question.keeps_link = !(flags & CTL_FLAG_DATAGRAM);
	body[0] = (unsigned char)flags;
	question.body_len = 1 + write_endpoint(to, body + 1);
	return ask(&question, answer);
}

/* Writes COOKIE ENDPOINT; returns its length. */
static size_t write_attempt(const struct attempt *attempt, unsigned char *to)
{
	int i;

	for (i = 0; i < CTL_COOKIE_LEN; i++)
		to[i] = (unsigned char)(attempt->cookie >> 8 * (CTL_COOKIE_LEN - 1 - i));
	return CTL_COOKIE_LEN + write_endpoint(&attempt->local, to + CTL_COOKIE_LEN);
}

/* Tells the brain which socket waits for it, and closes `link`. 0 or ENETDOWN. */
int control_started(const struct link *link, const struct attempt *attempt)
{
	unsigned char bytes[CTL_MAX_STARTED_LEN];
	int error = link_send(link, bytes, write_attempt(attempt, bytes));

	link_close(link);
	return error ? ENETDOWN : 0;
}

/* Why did the brain reset this attempt? 0 or an errno of ask(). */
int control_verdict(const struct attempt *attempt, struct answer *answer)
{
	struct question question;

	begin(&question, CTL_OP_VERDICT, BRAIN_WAIT_S);
	question.body_len = write_attempt(attempt, question.bytes + CTL_REQUEST_HEADER_LEN);
	return ask(&question, answer);
}

/*
 * What may libc be told of `name`, `len` octets, 1-1024? `family` is 0, 4 or 6. Waits as long
 * as the brain takes, since it may have to ask a name server. 0 or an errno of ask().
 */
int control_resolve(unsigned int family, const char *name, size_t len, struct answer *answer)
{
	struct question question;
	unsigned char *body = question.bytes + CTL_REQUEST_HEADER_LEN;

	begin(&question, CTL_OP_RESOLVE, 0);
	body[0] = (unsigned char)family;
	memcpy(body + 1, name, len);
	question.body_len = 1 + len;
	return ask(&question, answer);
}

/*
 * May `path`, which the shim will not be in for `reason` (CTL_REASON_*), be executed? Of a path
 * too long the end is told. 0 or an errno of ask().
 */
int control_execute(unsigned int reason, const char *path, struct answer *answer)
{
	struct question question;
	unsigned char *body = question.bytes + CTL_REQUEST_HEADER_LEN;
	size_t len = strlen(path);

	if (len > CTL_MAX_PATH_LEN) {
		path += len - CTL_MAX_PATH_LEN;
		len = CTL_MAX_PATH_LEN;
	}
	begin(&question, CTL_OP_EXECUTE, BRAIN_WAIT_S);
	body[0] = (unsigned char)reason;
	memcpy(body + 1, path, len);
	question.body_len = 1 + len;
	return ask(&question, answer);
}

/* A question that is an endpoint and no more. 0 or an errno of ask(). */
static int ask_of(unsigned char op, const struct endpoint *endpoint, struct answer *answer)
{
	struct question question;

	begin(&question, op, BRAIN_WAIT_S);
	question.body_len = write_endpoint(endpoint, question.bytes + CTL_REQUEST_HEADER_LEN);
	return ask(&question, answer);
}

/* Whither goes the relayed connection with these addresses? 0 or an errno of ask(). */
int control_peer(const struct endpoint *local, const struct endpoint *remote, struct answer *answer)
{
	struct question question;
	unsigned char *body = question.bytes + CTL_REQUEST_HEADER_LEN;

	begin(&question, CTL_OP_PEER, BRAIN_WAIT_S);
	question.body_len = write_endpoint(local, body);
	question.body_len += write_endpoint(remote, body + question.body_len);
	return ask(&question, answer);
}

/* What is the name of this address? `address->port` is 0. 0 or an errno of ask(). */
int control_reverse(const struct endpoint *address, struct answer *answer)
{
	return ask_of(CTL_OP_REVERSE, address, answer);
}

/* For which name server does `face` speak? 0 or an errno of ask(). */
int control_source(const struct endpoint *face, struct answer *answer)
{
	return ask_of(CTL_OP_SOURCE, face, answer);
}

/*
 * What does DNS say to the query, 1-1025 octets? As much of the MESSAGE as fits comes into
 * `message`. Waits as control_resolve() does. 0 or an errno of ask(), EMSGSIZE for no such query.
 */
int control_query(const unsigned char *query, size_t len, unsigned char *message, size_t room,
		  struct answer *answer)
{
	struct question question;

	if (!len || len > MAX_BODY_LEN)
		return EMSGSIZE;
	begin(&question, CTL_OP_QUERY, 0);
	question.room = message;
	question.room_len = room;
	question.body_len = len;
	memcpy(question.bytes + CTL_REQUEST_HEADER_LEN, query, len);
	return ask(&question, answer);
}

/*
 * May datagrams go to `to`? `inode` is the socket's where a name server's port is meant, else 0.
 * 0 or an errno of ask().
 */
int control_datagram(const struct endpoint *to, unsigned long long inode, struct answer *answer)
{
	struct question question;
	unsigned char *body = question.bytes + CTL_REQUEST_HEADER_LEN;
	int shift;

	begin(&question, CTL_OP_CONNECT, BRAIN_WAIT_S);
	body[0] = CTL_FLAG_DATAGRAM | CTL_FLAG_NONBLOCKING | (inode ? CTL_FLAG_INODE : 0);
	question.body_len = 1 + write_endpoint(to, body + 1);
	for (shift = inode ? 56 : -1; shift >= 0; shift -= 8)
		body[question.body_len++] = (unsigned char)(inode >> shift);
	return ask(&question, answer);
}

/* May there be a socket of this kind? 0 or an errno of ask(). */
int control_socket(int domain, int type, int protocol, struct answer *answer)
{
	struct question question;
	unsigned char *body = question.bytes + CTL_REQUEST_HEADER_LEN;

	begin(&question, CTL_OP_SOCKET, BRAIN_WAIT_S);
	body[0] = (unsigned char)(domain >> 8);
	body[1] = (unsigned char)domain;
	body[2] = (unsigned char)(type >> 8);
	body[3] = (unsigned char)type;
	body[4] = (unsigned char)(protocol >> 8);
	body[5] = (unsigned char)protocol;
	question.body_len = 6;
	return ask(&question, answer);
}
