import assert from "node:assert/strict";
import test from "node:test";
import { childEnvironment } from "../../../src/cli/child_environment.ts";
import { parseTsocksConf } from "../../../src/config/tsocks_conf.ts";

const CONF = `server = 10.0.0.1
local = 10.0.0.0/255.0.0.0
local = 192.0.2.7/32
local = 192.168.0.0:22/16
local_name = *.lan
local_name = printer.example
`;

function environment(
  base: Record<string, string>,
  withoutProxyVariables = false,
  { more = "", withoutReexec = false } = {},
) {
  return childEnvironment({
    base,
    config: parseTsocksConf(CONF + more, "t.conf").config,
    preload: "/tmp/tsocks-x/libtsocks.so",
    controlPath: "/tmp/tsocks-x/control",
    token: "00112233445566778899aabbccddeeff",
    ports: { v4: 4001, v6: 4002 },
    withoutProxyVariables,
    withoutReexec,
  });
}

test("childEnvironment() puts the shim before what the user preloads", () => {
  assert.equal(environment({}).LD_PRELOAD, "/tmp/tsocks-x/libtsocks.so");
  const kept = environment({ LD_PRELOAD: "libjemalloc.so other.so" }).LD_PRELOAD;
  assert.equal(kept, "/tmp/tsocks-x/libtsocks.so:libjemalloc.so other.so");
});

test("childEnvironment() tells the shim token, ports and control socket", () => {
  const expected = "00112233445566778899aabbccddeeff:4001:4002:/tmp/tsocks-x/control";
  assert.equal(environment({}).TSOCKS_CONTROL, expected);
});

test("childEnvironment() flags --no-reexec and udp = direct behind the token", () => {
  const control = (options: { more?: string; withoutReexec?: boolean }) =>
    environment({}, false, options).TSOCKS_CONTROL!.split(":")[0];
  const token = "00112233445566778899aabbccddeeff";
  assert.equal(control({ withoutReexec: true }), `${token}+E`);
  assert.equal(control({ more: "udp = direct\n" }), `${token}+U`);
  assert.equal(control({ withoutReexec: true, more: "udp = direct\n" }), `${token}+EU`);
});

test("childEnvironment() sets the proxy variables in both cases, over the user's own", () => {
  const env = environment({ http_proxy: "http://other:1", no_proxy: "*" });
  const url = "http://tsocks:00112233445566778899aabbccddeeff@127.0.0.1:4001";
  for (const name of ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"]) {
    assert.equal(env[name], url);
    assert.equal(env[name.toLowerCase()], url);
  }
  assert.equal(env.no_proxy, env.NO_PROXY);
  const words = env.NO_PROXY!.split(",");
  for (const word of ["localhost", "127.0.0.1", "127.0.0.0/8", "::1", "10.0.0.0/8", "192.0.2.7"]) {
    assert.ok(words.includes(word), `${word} in ${words}`);
  }
  assert.ok(words.includes(".lan"));
  assert.ok(!words.includes("printer.example"), "curl would take it for all below it too");
  assert.ok(!words.some((word) => word.includes("192.168")), "a rule with a port stays out");
});

test("childEnvironment() leaves the proxy variables alone with --no-env", () => {
  const env = environment({ http_proxy: "http://other:1" }, true);
  assert.equal(env.http_proxy, "http://other:1");
  assert.equal(env.HTTP_PROXY, undefined);
});

test("childEnvironment() keeps the servers' password from the child", () => {
  const env = environment({ TSOCKS_PASSWORD: "geheim", HOME: "/root" });
  assert.equal(env.TSOCKS_PASSWORD, undefined);
  assert.equal(env.HOME, "/root");
});
