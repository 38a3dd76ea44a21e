import assert from "node:assert/strict";
import test from "node:test";
import { parseCommandLine } from "../../../src/cli/command_line.ts";
import type { RunOptions } from "../../../src/cli/run.ts";
import type { ServeOptions } from "../../../src/cli/serve.ts";
import { TsocksError } from "../../../src/errors.ts";

function run(...argv: string[]): RunOptions {
  const invocation = parseCommandLine(argv);
  assert.equal(invocation.verb, "run");
  return invocation as RunOptions;
}

const COMMANDS: [string[], string[]][] = [
  [["run", "--", "curl", "-s", "x"], ["curl", "-s", "x"]],
  [["run", "curl", "-s", "x"], ["curl", "-s", "x"]],
  [["run", "--linger", "curl", "--linger"], ["curl", "--linger"]],
  [["run", "--", "--odd", "--"], ["--odd", "--"]],
  [["run", "echo", "--", "a"], ["echo", "--", "a"]],
  [["run", "--conf", "f", "cmd", "--conf", "g"], ["cmd", "--conf", "g"]],
  [["curl", "-s", "x"], ["curl", "-s", "x"]],
  [["curl", "--", "x"], ["curl", "--", "x"]],
  [["--", "curl", "x"], ["curl", "x"]],
  [["sh", "-c", "exit 7"], ["sh", "-c", "exit 7"]],
  [["run", "--", "run"], ["run"]],
  [["run", "--", "serve", "--help"], ["serve", "--help"]],
];

for (const [argv, command] of COMMANDS) {
  test(`parseCommandLine() runs ${JSON.stringify(command)} for ${JSON.stringify(argv)}`, () => {
    assert.deepEqual(run(...argv).command, command);
  });
}

test("parseCommandLine() gives each --reaches to the --server before it", () => {
  const { servers } = run(
    ...["run", "--server", "socks5://a", "--server=socks4://b", "--reaches", "10.0.0.0/8"],
    ...["--reaches=*.corp.example", "--server", "http://c", "--reaches", "1.2.3.4", "--", "cmd"],
  );
  assert.deepEqual(servers, [
    { url: "socks5://a", reaches: [] },
    { url: "socks4://b", reaches: ["10.0.0.0/8", "*.corp.example"] },
    { url: "http://c", reaches: ["1.2.3.4"] },
  ]);
});

test("parseCommandLine() has the defaults that the help names", () => {
  const options = run("run", "--", "cmd");
  assert.equal(options.connectTimeoutMs, 10_000);
  assert.equal(options.logFormat, "text");
  assert.equal(options.withoutEnv, false);
  assert.equal(options.linger, false);
  assert.equal(options.udp, undefined);
  assert.equal(run("run", "--udp", "direct", "--", "cmd").udp, "direct");
  assert.throws(() => run("run", "--udp", "yes", "--", "cmd"), /Unknown value "yes"/);
  assert.deepEqual([options.dns, options.dnsServer], [undefined, undefined]);
  assert.equal(run("run", "--dns", "tcp", "--", "cmd").dns, "tcp");
  assert.equal(run("run", "--dns-server", "192.0.2.53:54", "--", "cmd").dnsServer?.port, 54);
  assert.throws(() => run("run", "--dns", "udp", "--", "cmd"), /Unknown value "udp"/);
  assert.throws(() => run("run", "--dns-server", "a.b", "--", "cmd"), /Not a DNS server: "a.b"/);
  assert.equal(options.isStrict, false);
  assert.equal(options.withoutReexec, false);
  assert.equal(run("run", "--strict", "--", "cmd").isStrict, true);
  assert.equal(run("run", "--no-reexec", "cmd", "--strict").withoutReexec, true);
  assert.equal(run("run", "--connect-timeout", "0.5", "--", "cmd").connectTimeoutMs, 500);
});

test("parseCommandLine() takes --debug -1, and leaves the command's own alone", () => {
  assert.equal(run("run", "--debug", "-1", "--", "cmd").debug, "-1");
  assert.equal(run("run", "--debug=-1", "--", "cmd").debug, "-1");
  assert.deepEqual(run("run", "cmd", "--debug", "-1").command, ["cmd", "--debug", "-1"]);
});

test("parseCommandLine() never repeats a password that stands in the wrong place", () => {
  const url = "socks5://bob:geheim@h:1";
  const wrong = [
    [`--server=${url}`, "run"],
    ["run", "--connect-timeout", url, "cmd"],
    ["run", "--reaches", url, "cmd"],
    ["run", "--log-format", url, "cmd"],
    ["serve", "--listen", url],
    ["run", `--sevrer=${url}`, "cmd"],
  ];
  for (const argv of wrong) {
    assert.throws(() => parseCommandLine(argv), (error) => {
      assert.ok(error instanceof TsocksError);
      assert.ok(!error.format().includes("geheim"), error.format());
      return true;
    });
  }
});

test("parseCommandLine() reads what serve listens on and maps", () => {
  const serve = parseCommandLine([
    ...["serve", "--listen", "[::1]:0", "--map", "Hello.example:80=127.0.0.1:8080"],
  ]) as ServeOptions;
  assert.deepEqual(serve.listen, { hostname: "::1", port: 0 });
  assert.deepEqual(serve.maps, [{ from: "hello.example:80", hostname: "127.0.0.1", port: 8080 }]);
});

const WRONG: [string[], RegExp][] = [
  [[], /No command/],
  [["run"], /No command/],
  [["run", "--"], /No command/],
  [["run", "--bogus", "cmd"], /bogus/],
  [["run", "--strickt", "cmd"], /"--strickt": did you mean "--strict"/],
  [["run", "--pasword-file=geheim", "cmd"], /^(?!.*geheim).*did you mean "--password-file"/],
  [["run", "--strict=yes", "cmd"], /--strict takes no value/],
  [["run", "--conf", "--strict", "cmd"], /--conf has no value/],
  [["run", "--dns", "remot", "cmd"], /did you mean "remote"/],
  [["help", "srve"], /did you mean "serve"/],
  [["--bogus"], /Unknown option/],
  [["run", "--server"], /server/],
  [["run", "--reaches", "10.0.0.0/8", "cmd"], /no server before/],
  [["run", "--connect-timeout", "0", "cmd"], /timeout/],
  [["run", "--connect-timeout", "soon", "cmd"], /timeout/],
  [["run", "--log-format", "xml", "cmd"], /"xml"[^]*--log-format text or json/],
  [["serve"], /No address/],
  [["serve", "--listen", "1080"], /address and port/],
  [["serve", "--listen", "127.0.0.1:70000"], /address and port/],
  [["serve", "--listen", "127.0.0.1:1", "extra"], /argument/],
  [["serve", "--listen", "127.0.0.1:1", "--map", "a:1"], /address and port/],
];

for (const [argv, pattern] of WRONG) {
  test(`parseCommandLine() refuses ${JSON.stringify(argv)}`, () => {
    assert.throws(() => parseCommandLine(argv), (error) => {
      assert.ok(error instanceof TsocksError);
      assert.equal(error.code, "USAGE");
      assert.match(error.format(), pattern);
      assert.equal(error.format().split("\n").length, 3);
      return true;
    });
  });
}

test("parseCommandLine() takes a slip of a verb for a command, and tells the verb", () => {
  assert.equal(run("srve", "--listen").meantVerb, "serve");
  assert.equal(run("--", "srve").meantVerb, undefined);
  assert.equal(run("run", "srve").meantVerb, undefined);
  assert.equal(run("curl").meantVerb, undefined);
});

test("parseCommandLine() gives the help on a verb, and not that of a command", () => {
  for (const argv of [["help", "run"], ["run", "--help"], ["run", "--strict", "-h", "--", "x"]]) {
    assert.deepEqual(parseCommandLine(argv), { verb: "help", topic: "run" });
  }
  assert.deepEqual(run("run", "curl", "--help").command, ["curl", "--help"]);
});
