/**
 * saveme on a machine whose every program is preloaded with a broken library: in a mount namespace
 * with an /etc of its own.
 */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { needs, programPath } from "../helpers/needs.ts";
import { run } from "../helpers/processes.ts";
import { makeTempDir, type TempDir } from "../helpers/temp_dir.ts";
import { TSOCKS } from "../helpers/tsocks.ts";

const forMounts = needs("root", "mount namespaces", "gcc");

/** A tsocks of old whose calls all fail. */
const BROKEN = `
#include <errno.h>
int connect(void) { errno = ENOSYS; return -1; }
int socket(void) { errno = ENOSYS; return -1; }
int getaddrinfo(void) { return -4; }
`;

/** Runs tsocks twice over \`preloads\` as /etc/ld.so.preload, then shows the file with its mode. */
async function saveUnder(dir: TempDir, preloads: string) {
  await writeFile(dir.file("ld.so.preload"), preloads);
  await chmod(dir.file("ld.so.preload"), 0o640);
  await mkdir(dir.file("mnt"));
  // An overlay's upper directory cannot lie on another overlay.
  const own = dir.file("mnt");
  const layers = `lowerdir=${dir.path}:/etc,upperdir=${own}/up,workdir=${own}/work`;
  const script = `mount -t tmpfs none ${own}; mkdir ${own}/up ${own}/work
    mount -t overlay -o ${layers} none /etc
    for run in 1 2; do "$@"; echo "status $?"; done
    stat -c '%a %n' /etc/ld.so.preload*; cat /etc/ld.so.preload`;
  const { stdout } = await run("unshare", ["-m", "sh", "-c", script, "sh", TSOCKS, "saveme"]);
  return stdout.split("\n");
}

test("saveme takes a broken libtsocks out, and keeps all else", forMounts, async () => {
  await using dir = await makeTempDir();
  const library = dir.file("libtsocks.so.1.8");
  await writeFile(dir.file("broken.c"), BROKEN);
  const gcc = ["-shared", "-fPIC", "-w", "-fno-builtin", "-o", library, dir.file("broken.c")];
  assert.equal(spawnSync(programPath("gcc"), gcc).status, 0);
  assert.deepEqual(await saveUnder(dir, `# mine\n${library}:libm.so.6\n`), [
    "/etc/ld.so.preload: libtsocks taken out; left: libm.so.6",
    "status 0",
    "/etc/ld.so.preload: no libtsocks in it",
    "status 0",
    "640 /etc/ld.so.preload",
    "# mine",
    "libm.so.6",
    "",
  ]);
});

test(
  "saveme removes the file where nothing else is in it, the library missing or none",
  forMounts,
  async () => {
    for (const content of [undefined, "not a library"]) {
      await using dir = await makeTempDir();
      const library = dir.file("libtsocks.so");
      if (content !== undefined) await writeFile(library, content);
      assert.deepEqual(await saveUnder(dir, `${library}\n`), [
        "/etc/ld.so.preload: libtsocks taken out; left: nothing",
        "status 0",
        "/etc/ld.so.preload: no libtsocks in it",
        "status 0",
        "",
      ]);
    }
  },
);

test("saveme says why it cannot, and leaves the file whole", forMounts, async () => {
  await using dir = await makeTempDir();
  await writeFile(dir.file("ld.so.preload"), "libtsocks.so\n");
  const script = `mount -t overlay -o lowerdir=${dir.path}:/etc none /etc; "$@"; s=$?
    cat /etc/ld.so.preload; exit $s`;
  const done = await run("unshare", ["-m", "sh", "-c", script, "sh", TSOCKS, "saveme"]);
  assert.deepEqual([done.status, done.stdout], [1, "libtsocks.so\n"]);
  assert.match(done.stderr, /tsocks: Cannot take libtsocks out of \/etc\/ld\.so\.preload: EROFS\n/);
});
