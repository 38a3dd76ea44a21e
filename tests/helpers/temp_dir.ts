/** A directory that goes away with its owner: `await using dir = await makeTempDir()`. */

import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface TempDir extends AsyncDisposable {
  path: string;
  /** The path of a file in it. */
  file(name: string): string;
}

/** Makes one, readable by all (servers drop their privileges), below the system's own. */
export async function makeTempDir(): Promise<TempDir> {
  const path = await mkdtemp(join(tmpdir(), "tsocks-test-"));
  await chmod(path, 0o755);
  return {
    path,
    file: (name) => join(path, name),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}
