import assert from "node:assert/strict";
import { test } from "node:test";
import { emptyConfig } from "../../../src/config/empty_config.ts";
import { assembleConfig, type AssembleInput, hasNoWayOut } from "../../../src/config/assemble.ts";
import { formatDiagnostic } from "../../../src/config/diagnostic.ts";
import { formatServer, type Path, type Server } from "../../../src/config/model.ts";
import { parseTsocksConf } from "../../../src/config/tsocks_conf.ts";

const NOTHING: AssembleInput = { servers: [], env: {}, localUser: "me" };

const FILE = [
  ...["path {", "server = p", "reaches = 10.0.0.0/8", "default_user = pu", "default_pass = pp"],
  ...["server_type = 5", "}", "server = d", "server_type = 5"],
].join("\n");

function fileOf(text: string): AssembleInput["file"] {
  return parseTsocksConf(text, "f");
}

function summarize(path: Path): string {
  const reaches = [...path.reaches, ...path.reachesNames].map((rule) => rule.text);
  return `${path.server && formatServer(path.server)} ${reaches.join(" ")}`;
}

function login(server: Server | undefined): string {
  return `${server!.credentials.user}:${server!.credentials.revealPassword()}`;
}

test("assembleConfig() of nothing is the empty configuration", () => {
  assert.deepEqual(assembleConfig(NOTHING), { config: emptyConfig(), diagnostics: [] });
});

test("assembleConfig() keeps what the file says, and its diagnostics", () => {
  const file = fileOf(`${FILE}\nlocal = 10.0.0.0/8\nlocal_name = *.lan\nfallback = maybe\n`);
  const { config, diagnostics } = assembleConfig({ ...NOTHING, file });
  assert.equal(config.locals.at(-1)!.text, "10.0.0.0/8");
  assert.equal(config.localNames[0]!.pattern, "*.lan");
  assert.deepEqual(config.paths.map(summarize), ["socks5://p:1080 10.0.0.0/8"]);
  assert.equal(formatServer(config.defaultServer!), "socks5://d:1080");
  assert.equal(config.fallback.place?.kind, "file");
  assert.deepEqual(diagnostics, file!.diagnostics);
});

test("assembleConfig() does not change the file's configuration", () => {
  const file = fileOf(FILE)!;
  const servers = [{ url: "http://x", reaches: [] }, { url: "http://y", reaches: ["*"] }];
  assembleConfig({ ...NOTHING, file, servers });
  assert.equal(file.config.paths.length, 1);
  assert.equal(file.config.defaultServer!.hostname, "d");
  assert.equal(file.config.defaultServer!.credentials.user, "");
});

test("assembleConfig() replaces the default server by --server without --reaches", () => {
  const servers = [{ url: "socks5://x", reaches: [] }];
  const { config } = assembleConfig({ ...NOTHING, file: fileOf(FILE), servers });
  assert.equal(formatServer(config.defaultServer!), "socks5://x:1080");
  assert.deepEqual(config.defaultServer!.place, { kind: "option", name: "--server" });
  assert.equal(config.paths.length, 1);
});

test("assembleConfig() puts --server with --reaches behind the file's paths", () => {
  const reaches = ["10.0.0.0:80/8", "[2001:db8::]:80-90/32", "10.1.2.3:443", "*.corp:80", "corp"];
  const servers = [{ url: "socks5://x", reaches }, { url: "http://y", reaches: ["::/0"] }];
  const { config, diagnostics } = assembleConfig({ ...NOTHING, file: fileOf(FILE), servers });
  assert.deepEqual(diagnostics, []);
  assert.deepEqual(config.paths.map(summarize), [
    "socks5://p:1080 10.0.0.0/8",
    `socks5://x:1080 ${reaches.join(" ")}`,
    "http://y:8080 ::/0",
  ]);
  assert.deepEqual(config.paths[2]!.place, { kind: "option", name: "--server number 2" });
  assert.equal(formatServer(config.defaultServer!), "socks5://d:1080");
});

/** Servers, complaints. */
const WRONG: [AssembleInput["servers"], string[]][] = [
  [
    [{ url: "socks5://a", reaches: [] }, { url: "socks5://b", reaches: [] }],
    ["--server number 2: Second server without --reaches: only one can be the default"],
  ],
  [[{ url: "a:1080", reaches: [] }], ["--server: Server URL without a known scheme"]],
  [
    [{ url: "socks5://a", reaches: ["10.0.0.1/8", "*.a.*", "10.0.0"] }],
    [
      "--reaches: Network address has bits outside its mask: '10.0.0.1/8'",
      "--reaches: Invalid name pattern: '*.a.*'",
      "--reaches: Invalid IP address in network: '10.0.0'",
    ],
  ],
];

for (const [servers, expected] of WRONG) {
  test(`assembleConfig() complains: ${expected[0]}`, () => {
    const { diagnostics } = assembleConfig({ ...NOTHING, servers });
    const complaints = diagnostics.map(({ severity, message, place }) => {
      assert.equal(severity, "error");
      assert.equal(place.kind, "option");
      return `${place.kind === "option" && place.name}: ${message}`;
    });
    assert.deepEqual(complaints, expected);
  });
}

const ENV = { username: "eu", password: "ep" };

/** What it shows, URL of the default server, sources, `user:password` of default and path server. */
const LOGINS: [string, string, Partial<AssembleInput>, string, string][] = [
  ["the local user as last resort", "socks5://x", {}, "me:undefined", "pu:pp"],
  ["the environment before the file", "socks5://x", { env: ENV }, "eu:ep", "eu:ep"],
  ["the URL before the environment", "socks5://uu:up@x", { env: ENV }, "uu:up", "eu:ep"],
  ["an empty password of the URL", "socks5://uu:@x", { env: ENV }, "uu:", "eu:ep"],
  [
    "the password file before the environment",
    "socks5://x",
    { env: ENV, passwordFromFile: "fp" },
    "eu:fp",
    "eu:fp",
  ],
  [
    "the URL before the password file",
    "socks5://uu:up@x",
    { passwordFromFile: "fp" },
    "uu:up",
    "pu:fp",
  ],
  [
    "a user of the URL with the password file's",
    "socks5://uu@x",
    { passwordFromFile: "fp" },
    "uu:fp",
    "pu:fp",
  ],
  ["each half by itself", "socks5://x", { env: { username: "eu" } }, "eu:undefined", "eu:pp"],
  [
    "empty variables as unset",
    "socks5://x",
    { env: { username: "", password: "" } },
    "me:undefined",
    "pu:pp",
  ],
];

for (const [what, url, sources, ofDefault, ofPath] of LOGINS) {
  test(`assembleConfig() takes ${what}`, () => {
    const servers = [{ url, reaches: [] }];
    const { config } = assembleConfig({ ...NOTHING, file: fileOf(FILE), servers, ...sources });
    assert.equal(login(config.defaultServer), ofDefault);
    assert.equal(login(config.paths[0]!.server), ofPath);
  });
}

test("assembleConfig() never sends the file's password to a server of the command line", () => {
  const file = fileOf("server = d\nserver_type = 5\ndefault_user = u\ndefault_pass = SECRET\n");
  const servers = [{ url: "socks5://elsewhere", reaches: [] }];
  assert.equal(
    login(assembleConfig({ ...NOTHING, file, servers }).config.defaultServer),
    "me:undefined",
  );
});

test("assembleConfig() complains without any password", () => {
  const servers = [
    { url: "socks5://bob:SECRET@h:x", reaches: [] },
    { url: "socks5://h", reaches: ["socks5://bob:SECRET@h"] },
  ];
  const { diagnostics } = assembleConfig({ ...NOTHING, servers });
  assert.equal(diagnostics.length, 2);
  assert.doesNotMatch(diagnostics.map(formatDiagnostic).join("\n"), /SECRET/);
});

/** File → is there no way out. */
const WAYS: [string, boolean][] = [
  ["", true],
  ["local = 10.0.0.0/8", true],
  ["path {\nreaches = ::/0\n}\n", true],
  ["fallback = no", true],
  ["fallback = yes", false],
  ["server = h", false],
  ["path {\nserver = h\nreaches = ::/0\n}\n", false],
];

for (const [text, expected] of WAYS) {
  test(`hasNoWayOut() is ${expected} for ${JSON.stringify(text)}`, () => {
    assert.equal(hasNoWayOut(parseTsocksConf(text, "f").config), expected);
  });
}
