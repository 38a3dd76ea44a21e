/** Browsers without a screen: a page whose script fetches from another name, and no packet of the browser's own. */

import { existsSync } from "node:fs";
import type { TempDir } from "../../../tests/helpers/temp_dir.ts";
import type { Lab } from "../lab.ts";
import type { Command, Row } from "../row.ts";
import { startWeb } from "../services/web.ts";

const SCRIPT_URL = "http://web.example/script";
const ASKS = ["web.example:80", "cdn.example:80"];

async function chromium(lab: Lab, dir: TempDir): Promise<Command> {
  await startWeb(lab);
  const flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=5000"];
  const profile = `--user-data-dir=${dir.file("profile")}`;
  return {
    argv: ["chromium", ...flags, profile, "--dump-dom", SCRIPT_URL],
    prints: "fetched data of cdn.example",
  };
}

/** The server offers QUIC: chromium is to try it for the second page, and to go on without. */
async function chromiumQuic(lab: Lab, dir: TempDir): Promise<Command> {
  const { keyHash } = await startWeb(lab);
  const { argv } = await chromium(lab, dir);
  const trust = `--ignore-certificate-errors-spki-list=${keyHash}`;
  const words = argv.map((word) => word === SCRIPT_URL ? "https://web.example/twice" : word);
  return {
    argv: [...words, trust],
    prints: "both pages",
    logs: /web\.example:443 REFUSE - datagram/,
  };
}

/** Long enough for what a browser does on its own behalf after it has started. */
async function chromiumStaysOpen(lab: Lab, dir: TempDir): Promise<Command> {
  const { argv } = await chromium(lab, dir);
  const flags = argv.filter((word) => word !== "--dump-dom" && !word.includes("budget"));
  return { argv: ["timeout", "10", ...flags], status: 124 };
}

async function firefox(lab: Lab, dir: TempDir): Promise<Command> {
  const { hits } = await startWeb(lab);
  hits.length = 0;
  const picture = dir.file("page.png");
  return {
    argv: ["firefox-esr", "--headless", "--no-remote", "--screenshot", picture, SCRIPT_URL],
    env: { MOZ_CRASHREPORTER_DISABLE: "1" },
    check: () => {
      if (!existsSync(picture)) return "no picture of the page";
      return hits.includes("web.example/done") ? undefined : "the page's script did not finish";
    },
  };
}

export const BROWSER_ROWS: Row[] = [
  {
    program: "chromium",
    packages: ["chromium"],
    action: "page with a script that fetches",
    asks: ASKS,
    command: chromium,
  },
  {
    program: "chromium",
    packages: ["chromium"],
    action: "HTTPS, with QUIC on offer",
    asks: ["web.example:443"],
    command: chromiumQuic,
  },
  {
    program: "chromium",
    packages: ["chromium"],
    action: "10 s open: no packet of its own",
    asks: ASKS,
    command: chromiumStaysOpen,
  },
  {
    program: "firefox-esr",
    packages: ["firefox-esr"],
    action: "page with a script that fetches",
    asks: ASKS,
    command: firefox,
  },
];
