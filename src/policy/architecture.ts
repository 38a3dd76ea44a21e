/**
 * The machines there are shims for: which of their programs a host runs, how ld.so calls them, and
 * how their files are told apart. Pure.
 */

/** Machines that tsocks itself runs on. */
export type HostArch = "x86_64" | "aarch64";

/** Machines whose programs can be covered (shim/sys.h has their system calls). */
export type ShimArch = HostArch | "i386";

export const SHIM_ARCHS: readonly ShimArch[] = ["x86_64", "i386", "aarch64"];

/** The machines whose programs a kernel of `host` runs by itself, its own first. */
export const RUNNABLE: Record<HostArch, readonly ShimArch[]> = {
  x86_64: ["x86_64", "i386"],
  aarch64: ["aarch64"],
};

/**
 * What glibc's ld.so may put for $PLATFORM, the kernel's word (AT_PLATFORM) first. On Intel's
 * processors glibc 2.26 and later has words of its own (sysdeps/x86/cpu-features.c).
 */
export const PLATFORMS: Record<ShimArch, readonly [string, ...string[]]> = {
  x86_64: ["x86_64", "haswell", "xeon_phi"],
  aarch64: ["aarch64"],
  i386: ["i686"],
};

/** e_ident[EI_CLASS] and e_machine of elf(5). */
export const ELF_KINDS: Record<ShimArch, { elfClass: 1 | 2; machine: number }> = {
  x86_64: { elfClass: 2, machine: 62 },
  aarch64: { elfClass: 2, machine: 183 },
  i386: { elfClass: 1, machine: 3 },
};
