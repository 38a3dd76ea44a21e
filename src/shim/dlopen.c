/*
 * dlopen(3) with RTLD_DEEPBIND would bind a library to libc's own functions past ours: PHP
 * loads its extensions so. The flag is taken out; all else is as the program asked.
 */
#define _GNU_SOURCE
#include <dlfcn.h>

#include "shim.h"

#ifndef RTLD_DEEPBIND
#define RTLD_DEEPBIND 0		/* musl has none */
#endif

typedef void *dlopen_function(const char *file, int mode);

/*
 * As dlopen(3); NULL where no object has one. The last call must stay a jump: libc looks for the
 * library where the object asks (RUNPATH) to which its return address belongs.
 */
EXPORT void *dlopen(const char *file, int mode)
{
	dlopen_function *next = (dlopen_function *)real_find(REAL_DLOPEN);

	return next ? next(file, mode & ~RTLD_DEEPBIND) : NULL;
}
