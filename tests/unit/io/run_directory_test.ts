import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import test from "node:test";
import { TsocksError } from "../../../src/errors.ts";
import { createRunDirectory, isMountedNoexec, type Shims } from "../../../src/io/run_directory.ts";

const MOUNTINFO = [
  "1 0 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw",
  "2 1 0:20 / /tmp rw,nosuid,nodev,noexec,relatime - tmpfs tmpfs rw",
  "3 2 0:21 / /tmp/exec rw,relatime - tmpfs tmpfs rw",
  "4 1 0:22 / /with\\040blank rw,noexec - tmpfs tmpfs rw",
  "5 1 0:23 / /over rw,noexec - tmpfs tmpfs rw",
  "6 1 0:24 / /over rw,relatime - tmpfs tmpfs rw",
].join("\n");

for (
  const [directory, expected] of [
    ["/var/tmp", false],
    ["/tmp", true],
    ["/tmp/deep/er", true],
    ["/tmpfoo", false],
    ["/tmp/exec", false],
    ["/tmp/exec/x", false],
    ["/with blank", true],
    ["/over", false],
  ] as const
) {
  test(`isMountedNoexec() is ${expected} for ${directory}`, () => {
    assert.equal(isMountedNoexec(MOUNTINFO, directory), expected);
  });
}

const ONE: Shims = [["aarch64", Uint8Array.of(1, 2)]];
const TWO: Shims = [["x86_64", Uint8Array.of(64)], ["i386", Uint8Array.of(32)]];

test("createRunDirectory() makes a directory that others can pass but not list, and removes it", () => {
  const parent = mkdtempSync(join(tmpdir(), "tsocks-test-"));
  try {
    const { shimPath, preload, remove } = createRunDirectory(["/nonexistent", parent], ONE);
    assert.equal(statSync(dirname(shimPath)).mode & 0o777, 0o711);
    assert.equal(statSync(shimPath).mode & 0o777, 0o644);
    assert.deepEqual([...readFileSync(shimPath)], [1, 2]);
    assert.equal(preload, shimPath);
    remove();
    assert.ok(!existsSync(dirname(shimPath)));
  } finally {
    rmSync(parent, { recursive: true });
  }
});

test("createRunDirectory() gives each ld.so its own shim by every name that it may look for", () => {
  const parent = mkdtempSync(join(tmpdir(), "tsocks-test-"));
  try {
    const { shimPath, preload } = createRunDirectory([parent], TWO);
    const names = preload.split(":");
    assert.deepEqual(names.map(dirname), Array(2).fill(dirname(shimPath)));
    assert.ok(names.every((name) => name.endsWith("$PLATFORM")));
    const read = (filePath: string) => readFileSync(filePath)[0];
    for (const platform of ["x86_64", "haswell", "xeon_phi"]) {
      const found = names.map((name) => read(name.replace("$PLATFORM", platform)));
      assert.deepEqual(found, [64, 64], platform);
    }
    assert.deepEqual(names.map((name) => read(name.replace("$PLATFORM", "i686"))), [32, 32]);
    assert.deepEqual(names.map(read), [64, 32]); // as musl has it
    for (const platform of ["x86_64", "i686"]) {
      assert.equal(statSync(`${shimPath}.${platform}`).mode & 0o777, 0o644);
    }
  } finally {
    rmSync(parent, { recursive: true });
  }
});

test("createRunDirectory() says what hinders each directory", () => {
  const candidates = ["/nonexistent", "/with blank", "/proc", "/" + "x".repeat(100)];
  assert.throws(() => createRunDirectory(candidates, ONE), (error) => {
    assert.ok(error instanceof TsocksError && error.code === "SHIM");
    for (const candidate of candidates) assert.ok(error.where.includes(`${candidate}: `));
    assert.match(error.fix, /TMPDIR/);
    return true;
  });
});
