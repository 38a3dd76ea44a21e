import assert from "node:assert/strict";
import { test } from "node:test";
import { withoutTsocks } from "../../../src/policy/preload_file.ts";

/** A file, and what is left of it. */
const ROWS: [string, string][] = [
  ["", ""],
  ["/usr/lib/libtsocks.so\n", ""],
  ["/usr/lib/libtsocks.so", ""],
  ["libtsocks.so.1.8 libm.so.6\n", "libm.so.6\n"],
  ["/a.so:/x/libtsocks.so:/b.so\n", "/a.so:/b.so\n"],
  ["/a.so\t/x/libtsocks.so  /b.so\n", "/a.so\t/b.so\n"],
  ["/a.so\n/x/libtsocks.so\n/b.so", "/a.so\n/b.so"],
  ["# libtsocks.so was here\n/a.so\n", "# libtsocks.so was here\n/a.so\n"],
  ["/x/libtsocks.so # mine\n/a.so\n", "# mine\n/a.so\n"],
  ["/libtsocks.so/other.so libmytsocks.so\n", "/libtsocks.so/other.so libmytsocks.so\n"],
  ["/x/libtsocks.so /b.so # c\n", "/b.so # c\n"],
];

for (const [text, left] of ROWS) {
  test(`withoutTsocks() leaves ${JSON.stringify(left)} of ${JSON.stringify(text)}`, () => {
    assert.equal(withoutTsocks(text), left);
  });
}
