import assert from "node:assert/strict";
import { test } from "node:test";
import { configCandidates, type LocateOptions } from "../../../src/config/locate.ts";

const SYSTEM = ["/etc/tsocks", "/usr/local/etc/tsocks"].flatMap(bothForms);
const ALL = { TSOCKS_CONF_FILE: "/a", TSOCKS_CONFFILE: "/b", HOME: "/home/u" };

function bothForms(stem: string): string[] {
  return [`${stem}.conf`, `${stem}.jsonc`];
}

/** What it shows, options, candidates, what named them. */
const ROWS: [string, LocateOptions, string[], string | undefined][] = [
  [
    "--conf before all",
    { confOption: "c", env: ALL, isPrivileged: false },
    ["c"],
    "--conf",
  ],
  [
    "--conf even if privileged",
    { confOption: "c", env: ALL, isPrivileged: true },
    ["c"],
    "--conf",
  ],
  [
    "an empty --conf as named, so that it fails",
    { confOption: "", env: ALL, isPrivileged: false },
    [""],
    "--conf",
  ],
  [
    "TSOCKS_CONF_FILE before TSOCKS_CONFFILE",
    { env: ALL, isPrivileged: false },
    ["/a"],
    "TSOCKS_CONF_FILE",
  ],
  [
    "TSOCKS_CONFFILE as the man page has it",
    { env: { TSOCKS_CONFFILE: "/b", HOME: "/home/u" }, isPrivileged: false },
    ["/b"],
    "TSOCKS_CONFFILE",
  ],
  [
    "the usual places",
    { env: { HOME: "/home/u" }, isPrivileged: false },
    [...bothForms("/home/u/.tsocks"), ...SYSTEM],
    undefined,
  ],
  [
    "empty variables as unset",
    { env: { TSOCKS_CONF_FILE: "", TSOCKS_CONFFILE: "", HOME: "" }, isPrivileged: false },
    SYSTEM,
    undefined,
  ],
  ["no variable if privileged", { env: ALL, isPrivileged: true }, SYSTEM, undefined],
];

for (const [what, options, filePaths, namedBy] of ROWS) {
  test(`configCandidates() takes ${what}`, () => {
    const candidates = configCandidates(options);
    assert.deepEqual(candidates.map((it) => it.filePath), filePaths);
    for (const candidate of candidates) {
      assert.equal(candidate.isNamed, namedBy !== undefined);
      assert.equal(candidate.namedBy, namedBy);
    }
  });
}
