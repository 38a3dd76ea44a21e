/** The shim in what a program loads by itself. */

import assert from "node:assert/strict";
import { ALL_LIBCS, compileProgram, testShim } from "./programs.ts";

const FAR = "203.0.113.7"; // RFC 5737
const UNTOUCHED = 4000; // program.h

testShim("a library opened with RTLD_DEEPBIND is covered, and found by its opener's RUNPATH", {
  libcs: ALL_LIBCS,
  reply: (_, brain) => brain.forward4(),
}, async ({ libc, dir, run }) => {
  compileProgram(libc, "connect_in_library", dir, true);
  const { stdout } = await run("open_library_deeply", ["connect_in_library.so", FAR, 443]);
  assert.equal(stdout, `connect 0 ${UNTOUCHED}\nread relayed\n`);
  assert.match((await run("open_library_deeply", ["none.so", FAR, 443])).stdout, /^dlopen .*none/);
});
