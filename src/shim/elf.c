/*
 * What an ELF file's header, segments and notes say of whether the shim will be in the program, and
 * seen by it: elf(5). Both classes. What else decides is in coverage.c.
 */
#include <elf.h>

#include "shim.h"
#include "sys.h"

#define MAX_SEGMENTS 64
#define MAX_NOTES 16		/* of a segment */
#define GO_BUILD_ID 4

/* The dynamic linker itself, which loads LD_PRELOAD too, is named ld-linux-x86-64.so.2 and the like. */
static int is_named_as_library(const char *path)
{
	const char *c;
	int found = 0;

	for (c = path; *c; c++)
		if (*c == '/')
			found = 0;
		else if (variable_value(c, ".so"))
			found |= !c[3] || c[3] == '.';
	return found;
}

/* A program header of either class as one of class 64. Whether it could be read. */
static int read_segment(int fd, int is_64, unsigned long long at, Elf64_Phdr *out)
{
	Elf32_Phdr segment;

	if (is_64)
		return sys_pread(fd, out, sizeof(*out), (long long)at) == sizeof(*out);
	if (sys_pread(fd, &segment, sizeof(segment), (long long)at) != sizeof(segment))
		return 0;
	out->p_type = segment.p_type;
	out->p_offset = segment.p_offset;
	out->p_filesz = segment.p_filesz;
	out->p_align = segment.p_align;
	return 1;
}

/* Whether one of the notes is Go's build id: such a program makes its system calls itself, with a libc too. */
static int has_go_note(int fd, const Elf64_Phdr *notes)
{
	struct {
		Elf64_Nhdr head;
		char name[4];
	} note;
	unsigned long long at = 0, unit = notes->p_align == 8 ? 8 : 4;
	int i;

	for (i = 0; i < MAX_NOTES && at + sizeof(note) <= notes->p_filesz; i++) {
		if (sys_pread(fd, &note, sizeof(note), (long long)(notes->p_offset + at)) != sizeof(note))
			return 0;
		if (note.head.n_type == GO_BUILD_ID && note.head.n_namesz == 4 &&
		    !memcmp(note.name, "Go\0", 4))
			return 1;
		at = (at + sizeof(note.head) + note.head.n_namesz + unit - 1) & -unit;
		at = (at + note.head.n_descsz + unit - 1) & -unit;
	}
	return 0;
}

/*
 * Looks at the program headers: CTL_REASON_STATIC where none names an interpreter (ld.so),
 * CTL_REASON_GO, or 0, also where they cannot be read.
 */
static unsigned int segments_reason(int fd, const Elf64_Ehdr *elf)
{
	int is_64 = elf->e_ident[EI_CLASS] == ELFCLASS64, has_interpreter = 0, is_go = 0;
	unsigned int i, size = elf->e_phentsize, count = elf->e_phnum;
	unsigned long long at = elf->e_phoff;
	Elf64_Phdr segment;
	Elf32_Ehdr elf32;

	if (!is_64) {
		memcpy(&elf32, elf, sizeof(elf32));
		size = elf32.e_phentsize;
		count = elf32.e_phnum;
		at = elf32.e_phoff;
	}
	if (size != (is_64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr)) || count > MAX_SEGMENTS)
		return 0;
	for (i = 0; i < count; i++, at += size) {
		if (!read_segment(fd, is_64, at, &segment))
			return 0;
		has_interpreter |= segment.p_type == PT_INTERP;
		is_go |= segment.p_type == PT_NOTE && has_go_note(fd, &segment);
	}
	if (!has_interpreter)
		return CTL_REASON_STATIC;
	return is_go ? CTL_REASON_GO : 0;
}

/*
 * CTL_REASON_* of an ELF file or 0, also of what is none. `head` is aligned, and has room for an
 * Elf64_Ehdr: the file's first `len` octets, the rest being 0.
 */
unsigned int elf_reason(int fd, const void *head, long len, const char *path)
{
	const Elf64_Ehdr *elf = head;

	if (len < EI_NIDENT || memcmp(elf->e_ident, ELFMAG, SELFMAG))
		return 0;
	if (!preload_is_for(elf->e_ident[EI_CLASS], elf->e_machine))
		return CTL_REASON_OTHER_ARCHITECTURE;
	if (elf->e_type == ET_DYN && is_named_as_library(path))
		return 0;
	return segments_reason(fd, elf);
}
