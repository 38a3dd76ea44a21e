/*
 * Finds the functions that we stand in front of: the first of each name in an object loaded
 * after ours, which is what dlsym(RTLD_NEXT) finds. Not dlsym, which glibc before 2.34 keeps in
 * a library that a program need not have loaded; the symbol tables are the same everywhere.
 * Source: the System V gABI, "Dynamic Section" and "Hash Table"; for DT_GNU_HASH the linkers.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <link.h>
#include <stdint.h>

#include "shim.h"

#define VERSION_IS_HIDDEN 0x8000	/* an old version, kept for old programs */

static const char *const NAMES[REAL_COUNT] = {
	[REAL_CONNECT] = "connect",
	[REAL_GETPEERNAME] = "getpeername",
	[REAL_GETSOCKOPT] = "getsockopt",
	[REAL_GETADDRINFO] = "getaddrinfo",
	[REAL_GETHOSTBYNAME] = "gethostbyname",
	[REAL_GETHOSTBYNAME2] = "gethostbyname2",
	[REAL_GETHOSTBYNAME_R] = "gethostbyname_r",
	[REAL_GETHOSTBYNAME2_R] = "gethostbyname2_r",
	[REAL_H_ERRNO_LOCATION] = "__h_errno_location",
	[REAL_DLOPEN] = "dlopen",
	[REAL_GETNAMEINFO] = "getnameinfo",
	[REAL_GETHOSTBYADDR] = "gethostbyaddr",
	[REAL_GETHOSTBYADDR_R] = "gethostbyaddr_r",
	[REAL_GETADDRINFO_A] = "getaddrinfo_a",
	[REAL_GETNETBYNAME] = "getnetbyname",
	[REAL_GETNETBYADDR] = "getnetbyaddr",
	[REAL_GETNETBYNAME_R] = "getnetbyname_r",
	[REAL_GETNETBYADDR_R] = "getnetbyaddr_r",
	[REAL_NSS_CONFIGURE_LOOKUP] = "__nss_configure_lookup",
	[REAL_RES_QUERY] = "res_query",
	[REAL_RES_SEARCH] = "res_search",
	[REAL_RES_QUERYDOMAIN] = "res_querydomain",
	[REAL_RES_SEND] = "res_send",
	[REAL_RES_NQUERY] = "res_nquery",
	[REAL_RES_NSEARCH] = "res_nsearch",
	[REAL_RES_NQUERYDOMAIN] = "res_nquerydomain",
	[REAL_RES_NSEND] = "res_nsend",
	[REAL_UNDER_RES_QUERY] = "__res_query",
	[REAL_UNDER_RES_SEARCH] = "__res_search",
	[REAL_UNDER_RES_QUERYDOMAIN] = "__res_querydomain",
	[REAL_UNDER_RES_SEND] = "__res_send",
	[REAL_UNDER_RES_NQUERY] = "__res_nquery",
	[REAL_UNDER_RES_NSEARCH] = "__res_nsearch",
	[REAL_UNDER_RES_NQUERYDOMAIN] = "__res_nquerydomain",
	[REAL_UNDER_RES_NSEND] = "__res_nsend",
	[REAL_SENDTO] = "sendto",
	[REAL_SENDMSG] = "sendmsg",
	[REAL_SENDMMSG] = "sendmmsg",
	[REAL_SOCKET] = "socket",
	[REAL_RECVFROM] = "recvfrom",
	[REAL_RECVFROM_CHK] = "__recvfrom_chk",
	[REAL_RECVMSG] = "recvmsg",
	[REAL_RECVMMSG] = "recvmmsg",
	[REAL_RECVMSG64] = "__recvmsg64",
	[REAL_RECVMMSG64] = "__recvmmsg64",
	[REAL_RECVMMSG_TIME64] = "__recvmmsg_time64",
	[REAL_RES_MKQUERY] = "res_mkquery",
	[REAL_UNDER_RES_MKQUERY] = "__res_mkquery",
	[REAL_EXECVE] = "execve",
	[REAL_EXECVEAT] = "execveat",
	[REAL_EXECVPE] = "execvpe",
	[REAL_FEXECVE] = "fexecve",
	[REAL_POSIX_SPAWN] = "posix_spawn",
	[REAL_POSIX_SPAWNP] = "posix_spawnp",
	[REAL_PIDFD_SPAWN] = "pidfd_spawn",
	[REAL_PIDFD_SPAWNP] = "pidfd_spawnp",
	[REAL_SYSTEM] = "system",
	[REAL_POPEN] = "popen",
	[REAL_WORDEXP] = "wordexp",
};

/* Written before `is_searched` is, always with the same values; threads may race here. */
static void *found[REAL_COUNT];

static int is_searched;

/* Our own file as ld.so names it; written like `found`. ld.so keeps the text, since we are never unloaded. */
static const char *own_path;

/* One loaded object's tables. */
struct object {
	uintptr_t base;
	const ElfW(Sym) *symbols;
	const char *strings;
	const ElfW(Half) *versions;
	const uint32_t *gnu_hash;
	const uint32_t *hash;
};

static int is_same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

/* glibc relocates these pointers where they stand; musl, and the kernel in the vdso, do not. */
static const void *table_at(uintptr_t base, uintptr_t value)
{
	return (const void *)(value >= base ? value : base + value);
}

/* Fills *o from the dynamic section. Returns whether the object can be searched. */
static int read_object(const struct dl_phdr_info *info, struct object *o)
{
	const ElfW(Dyn) *dynamic = NULL;
	int i;

	memset(o, 0, sizeof(*o));
	o->base = info->dlpi_addr;
	for (i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_DYNAMIC)
			dynamic = (const void *)(o->base + info->dlpi_phdr[i].p_vaddr);
	for (; dynamic && dynamic->d_tag != DT_NULL; dynamic++) {
		const void *table = table_at(o->base, dynamic->d_un.d_ptr);

		if (dynamic->d_tag == DT_SYMTAB)
			o->symbols = table;
		else if (dynamic->d_tag == DT_STRTAB)
			o->strings = table;
		else if (dynamic->d_tag == DT_VERSYM)
			o->versions = table;
		else if (dynamic->d_tag == DT_GNU_HASH)
			o->gnu_hash = table;
		else if (dynamic->d_tag == DT_HASH)
			o->hash = table;
	}
	return o->symbols && o->strings && (o->gnu_hash || o->hash);
}

/* The function's address if symbol `i` defines `name` for new programs, else NULL. */
static void *symbol_at(const struct object *o, uint32_t i, const char *name)
{
	const ElfW(Sym) *s = &o->symbols[i];

	if ((s->st_info & 0xf) != STT_FUNC || s->st_shndx == SHN_UNDEF)
		return NULL;
	if (o->versions && o->versions[i] & VERSION_IS_HIDDEN)
		return NULL;
	return is_same(o->strings + s->st_name, name) ? (void *)(o->base + s->st_value) : NULL;
}

/* DT_GNU_HASH is four words (buckets, first symbol, filter words, shift), filter, buckets, chains. */
static void *find_by_gnu_hash(const struct object *o, const char *name)
{
	const uint32_t *h = o->gnu_hash;
	const uint32_t *buckets = h + 4 + h[2] * (sizeof(ElfW(Addr)) / sizeof(*h));
	const uint32_t *chains = buckets + h[0];
	uint32_t hash = 5381, i;
	const char *c;
	void *address;

	for (c = name; *c; c++)
		hash = hash * 33 + (unsigned char)*c;
	i = h[0] ? buckets[hash % h[0]] : 0;
	if (i < h[1])
		return NULL;
	for (;; i++) {
		uint32_t entry = chains[i - h[1]];

		address = (entry | 1) == (hash | 1) ? symbol_at(o, i, name) : NULL;
		if (address || entry & 1)
			return address;
	}
}

/* DT_HASH is two words (buckets, symbols), buckets, chains. Few objects have no other: a scan will do. */
static void *find_by_hash(const struct object *o, const char *name)
{
	void *address = NULL;
	uint32_t i;

	for (i = 1; i < o->hash[1] && !address; i++)
		address = symbol_at(o, i, name);
	return address;
}

static int is_ours(const struct dl_phdr_info *info)
{
	uintptr_t here = (uintptr_t)&found - info->dlpi_addr;
	int i;

	for (i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];

		if (segment->p_type == PT_LOAD && here - segment->p_vaddr < segment->p_memsz)
			return 1;
	}
	return 0;
}

/* Called for each object in the order of loading; *is_behind_us is carried from one to the next. */
static int visit(struct dl_phdr_info *info, size_t size, void *is_behind_us)
{
	struct object o;
	int i;

	(void)size;
	if (!*(int *)is_behind_us) {
		*(int *)is_behind_us = is_ours(info);
		if (*(int *)is_behind_us)
			own_path = info->dlpi_name;
		return 0;
	}
	if (!read_object(info, &o))
		return 0;
	for (i = 0; i < REAL_COUNT; i++)
		if (!found[i])
			found[i] = o.gnu_hash ? find_by_gnu_hash(&o, NAMES[i]) :
						find_by_hash(&o, NAMES[i]);
	return 0;
}

/*
 * The next function of that name behind ours, or NULL where there is none. glibc before 2.34 has
 * dlopen in a library that may be loaded later.
 */
void *real_find(enum real_function which)
{
	int is_behind_us = 0;

	if (!__atomic_load_n(&is_searched, __ATOMIC_ACQUIRE) ||
	    (which == REAL_DLOPEN && !found[which])) {
		dl_iterate_phdr(visit, &is_behind_us);
		__atomic_store_n(&is_searched, 1, __ATOMIC_RELEASE);
	}
	return found[which];
}

/* A raw call's result as libc's: -1 with errno for a negated errno. */
long with_errno(long result)
{
	if (result >= 0)
		return result;
	errno = (int)-result;
	return -1;
}

/* Our file's absolute path as ld.so has it, or NULL where ld.so was given another kind. */
const char *real_own_path(void)
{
	real_find(REAL_EXECVE);
	return own_path && own_path[0] == '/' ? own_path : NULL;
}

/* All that happens at load: what a later call could only find out with locks is found out now. */
__attribute__((constructor)) static void at_load(void)
{
	settings_find();
	real_find(REAL_CONNECT);
}
