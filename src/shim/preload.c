/*
 * How LD_PRELOAD names us: one value for programs of every architecture.
 * Where there are shims for several, they lie beside each other as io/run_directory.ts puts them, and
 * the names are DIRECTORY/libtsocks.so.$PLATFORM and DIRECTORY/libtsocks32.so.$PLATFORM: glibc's ld.so
 * replaces $PLATFORM (ld.so(8)), finds the program's own shim by both, and loads it once; musl's,
 * which replaces nothing and skips what it cannot load, finds us under the one name or the other.
 */
#include <elf.h>
#include <fcntl.h>
#include <unistd.h>

#include "shim.h"
#include "sys.h"

#define NAME "libtsocks.so."
#define NAME_32 "libtsocks32.so."
#define TOKEN "$PLATFORM"
#define MAX_DIRECTORY_LEN 107	/* the directory holds the brain's socket */

/* Our programs' kind, and the kind that the same kernel runs beside it, with its $PLATFORM. */
#if defined(__x86_64__)
#define OUR_CLASS ELFCLASS64
#define OUR_MACHINE EM_X86_64
#define OTHER_CLASS ELFCLASS32
#define OTHER_MACHINE EM_386
#define OTHER_PLATFORM "i686"
#elif defined(__i386__)
#define OUR_CLASS ELFCLASS32
#define OUR_MACHINE EM_386
#define OTHER_CLASS ELFCLASS64
#define OTHER_MACHINE EM_X86_64
#define OTHER_PLATFORM "x86_64"
#else
#define OUR_CLASS ELFCLASS64
#define OUR_MACHINE EM_AARCH64
#define OTHER_CLASS ELFCLASSNONE
#define OTHER_MACHINE EM_NONE
#define OTHER_PLATFORM ""
#endif

/* Always written with the same octets; threads may race here. */
static char both_names[2 * MAX_DIRECTORY_LEN + sizeof(NAME TOKEN ":" NAME_32 TOKEN)];

/* The length of the directory, with its '/', where shims lie beside each other; else 0. */
static size_t directory_len(const char *path)
{
	size_t len = 0, i;

	for (i = 0; path && path[i]; i++)
		if (path[i] == '/')
			len = i + 1;
	if (!len || len > MAX_DIRECTORY_LEN)
		return 0;
	return variable_value(path + len, NAME) || variable_value(path + len, NAME_32) ? len : 0;
}

static char *append(char *to, const char *text, size_t len)
{
	memcpy(to, text, len);
	return to + len;
}

/* What LD_PRELOAD must hold, or NULL where ld.so was given no absolute path. */
const char *preload_name(void)
{
	const char *path = real_own_path();
	size_t len = directory_len(path);
	char *end = both_names;

	if (!len)
		return path;
	end = append(end, path, len);
	end = append(end, NAME TOKEN ":", sizeof(NAME TOKEN ":") - 1);
	end = append(end, path, len);
	append(end, NAME_32 TOKEN, sizeof(NAME_32 TOKEN));
	return both_names;
}

/* Whether LD_PRELOAD names a shim for programs with these e_ident[EI_CLASS] and e_machine. */
int preload_is_for(unsigned int class, unsigned int machine)
{
	char file[MAX_DIRECTORY_LEN + sizeof(NAME OTHER_PLATFORM)];
	const char *path = real_own_path();
	size_t len = directory_len(path);

	if (class == OUR_CLASS && machine == OUR_MACHINE)
		return 1;
	if (!len || class != OTHER_CLASS || machine != OTHER_MACHINE)
		return 0;
	append(append(file, path, len), NAME OTHER_PLATFORM, sizeof(NAME OTHER_PLATFORM));
	return !sys_faccessat(AT_FDCWD, file, R_OK);
}
