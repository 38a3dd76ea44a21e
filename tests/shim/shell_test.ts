/** system, popen and wordexp below the shim: libc's own exec, past our hooks, in a lost environment. */

import assert from "node:assert/strict";
import { copyFile } from "node:fs/promises";
import { compileProgram, ensureShim, HOST_LIBCS, testShim } from "./programs.ts";
import { DIRECT, fail } from "./fake_brain.ts";

const FAR = "203.0.113.7"; // RFC 5737
const CARRIED = "connect 0 4000\nread relayed\n"; // program.h
const EACCES = 13;
const REASON_HIDDEN = 5; // control.h
const WRDE_BADCHAR = 2; // wordexp.h, in glibc and musl
const WRDE_CMDSUB = 4;
const LOSSES = ["keep", "clearenv", "null", "putenv", "replaced"];
const FORMS = ["system", "popen", "wordexp"];

testShim("a shell that libc starts is covered, however the environment was lost", {
  reply: (_, brain) => brain.forward4(),
}, async ({ libc, brain, dir, run }) => {
  const program = compileProgram(libc, "connect_blocking", dir);
  for (const form of FORMS) {
    for (const loss of LOSSES) {
      const { stdout } = await run("start_shell", [loss, form, `${program} ${FAR} 443`]);
      const words = form === "wordexp"
        ? `word\n${CARRIED.trim().replaceAll(/[ \n]/g, "\n")}\n`
        : CARRIED;
      assert.ok(stdout.startsWith(words), `${form} ${loss}: ${stdout}`);
    }
  }
  assert.equal(brain.asked.length, FORMS.length * LOSSES.length);
});

testShim("no shell is started where the shim's file is out of sight", {
  libcs: HOST_LIBCS.filter(({ arch }) => arch !== "i386"), // where the file has two names
  reply: () => fail(EACCES),
}, async ({ libc, brain, dir, run }) => {
  const copy = dir.file("copy.so");
  const start = async (form: string) => {
    await copyFile(ensureShim(libc.arch), copy);
    return (await run("start_shell", ["unlink", form, "echo ran"], { LD_PRELOAD: copy })).stdout;
  };
  assert.match(await start("system"), new RegExp(`^system ${127 << 8} ${EACCES}\\n`));
  assert.match(await start("popen"), new RegExp(`^popen -1 ${EACCES}\\n`));
  // With WRDE_NOCMD musl does not like the braces either.
  const refusal = libc.name === "musl" ? WRDE_BADCHAR : WRDE_CMDSUB;
  assert.match(await start("wordexp"), new RegExp(`^wordexp ${refusal} `));
  const hidden = brain.asked.map(({ body }) => `${body[0]} ${body.toString("latin1", 1)}`);
  assert.deepEqual(hidden, Array(3).fill(`${REASON_HIDDEN} /bin/sh`));
});

/** Quotes, variables, several lines, statuses, signals, what the shell calls itself in its messages. */
const COMMANDS = [
  `printf '%s\\n' "it's" 'a "b" \\ c' $0 "$#" '$A' "$A"`,
  "echo 1\necho 2; exit 3",
  "kill -9 $$",
  "no-such-command-here",
  "if",
  "",
  "trap '' INT; kill -INT $$; echo on",
  "cat",
];

testShim("what a shell does is what it does without the shim", {
  reply: () => DIRECT,
}, async ({ run }) => {
  for (const form of ["system", "popen", "popen_write"]) {
    for (const loss of ["null", "replaced"]) {
      // What does not read may end before it is written to.
      for (const command of form === "popen_write" ? ["cat", "cat; exit 3"] : COMMANDS) {
        const start = async (preload: Record<string, undefined>) => {
          const { status, stdout, stderr } = await run(
            "start_shell",
            [loss, form, command],
            preload,
          );
          return { status, stdout, stderr };
        };
        const without = await start({ LD_PRELOAD: undefined, TSOCKS_CONTROL: undefined });
        assert.deepEqual(await start({}), without, `${form} ${loss} ${command}`);
      }
    }
  }
});

testShim("wordexp leaves the environment as it was, but for what the words set", {
  reply: () => DIRECT,
}, async ({ libc, run }) => {
  for (const [loss, count] of [["null", 0], ["replaced", 3]] as const) {
    const { stdout } = await run("start_shell", [loss, "wordexp", "echo $NEW $LD_PRELOAD | wc -w"]);
    // musl's shell sets the variable, glibc the program itself.
    const left = libc.name === "musl" ? count : count + 1;
    assert.equal(stdout, `word\n2\nwordexp 0 4000\nvariables ${left}\n`, loss);
  }
});
