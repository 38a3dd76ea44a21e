/**
 * COMPATIBILITY.md stays true: it has a line for each row of scripts/compat/rows.ts and no other, and the quick rows that it
 * calls good are good now. `deno task compat` runs them all.
 */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { formatLine, formatReport, parseReport } from "../../scripts/compat/report.ts";
import { nameOf } from "../../scripts/compat/row.ts";
import { ROWS } from "../../scripts/compat/rows.ts";
import { needs } from "../helpers/needs.ts";
import { run } from "../helpers/processes.ts";
import { makeTempDir } from "../helpers/temp_dir.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const LINES = parseReport(readFileSync(`${ROOT}COMPATIBILITY.md`, "utf8"));

test("the compatibility table has a line for each program of the list, in its order", () => {
  assert.deepEqual([...LINES.keys()], ROWS.map(nameOf));
});

test("the compatibility table owns up to what is not carried", () => {
  const [, , , result = ""] = LINES.get("rclone: HTTP, a Go program") ?? [];
  assert.match(result, /^(fails: sent past the server: |not installed)/);
});

test("a line of the compatibility table is read back as it was written", () => {
  const [row] = ROWS;
  assert.ok(row);
  const reason = "a | b `<c>`";
  const line = formatLine(row, { verdict: "fails", seconds: 1.25, version: "1.0-1", reason });
  const report = formatReport(ROWS, new Map([[nameOf(row), line]]), "Debian");
  assert.match(report, /^Debian: 0 of 1 work, 1 fail, 0 were not installed\.$/m);
  assert.deepEqual([...parseReport(report)], [[nameOf(row), line]]);
});

test(
  "programs that the compatibility table calls good are good",
  needs("root", "network namespaces", "mount namespaces", "ip", "curl", "python3", "git", "sshd"),
  async () => {
    await using home = await makeTempDir();
    const script = ["run", "-A", "--no-check", `${ROOT}scripts/compat.ts`];
    const { status, stdout, stderr } = await run(
      Deno.execPath(),
      [...script, "--quick", "--present", "--check"],
      {
        env: { HOME: home.path, TMPDIR: home.path, TSOCKS_BINARY: process.env["TSOCKS_BINARY"] },
        timeoutMs: 60_000,
      },
    );
    assert.equal(status, 0, stdout + stderr);
    const rows = Number(stdout.match(/^(\d+) rows, /m)?.[1]);
    assert.ok(rows >= 20, `only ${rows} rows ran\n${stdout}`);
    assert.deepEqual(readdirSync(home.path).filter((name) => name.startsWith("tsocks")), []);
  },
);
