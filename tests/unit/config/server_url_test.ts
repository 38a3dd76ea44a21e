import assert from "node:assert/strict";
import { test } from "node:test";
import { formatDiagnostic } from "../../../src/config/diagnostic.ts";
import { formatServer } from "../../../src/config/model.ts";
import { parseServerUrl } from "../../../src/config/server_url.ts";

const PLACE = { kind: "option", name: "--server" } as const;

/** URL, server, user, password. */
const VALID: [string, string, string, string | undefined][] = [
  ["socks4://10.1.4.253", "socks4://10.1.4.253:1080", "", undefined],
  ["socks4a://h:81", "socks4a://h:81", "", undefined],
  ["socks5://127.0.0.1:1080", "socks5://127.0.0.1:1080", "", undefined],
  ["socks5h://h", "socks5://h:1080", "", undefined],
  ["SOCKS5://h", "socks5://h:1080", "", undefined],
  ["http://h", "http://h:8080", "", undefined],
  ["http://u:p@h:3128", "http://h:3128", "u", "p"],
  ["http://h:3128/", "http://h:3128", "", undefined],
  ["socks5://[2001:DB8::1]", "socks5://[2001:db8::1]:1080", "", undefined],
  ["socks5://u@[::1]:81", "socks5://[::1]:81", "u", undefined],
  ["socks5://bob:s%40cret%3A%2F%25@h", "socks5://h:1080", "bob", "s@cret:/%"],
  ["socks5://bob:a:b@h", "socks5://h:1080", "bob", "a:b"],
  ["socks5://b%C3%BCb:p%20q@h", "socks5://h:1080", "büb", "p q"],
  ["socks5://:p@h", "socks5://h:1080", "", "p"],
  ["socks5://u:@h", "socks5://h:1080", "u", ""],
  ["socks4://u@h", "socks4://h:1080", "u", undefined],
];

for (const [url, server, user, password] of VALID) {
  test(`parseServerUrl() reads ${url}`, () => {
    const result = parseServerUrl(url, PLACE);
    assert.ok(result.ok);
    assert.equal(formatServer(result.server), server);
    assert.equal(result.server.credentials.user, user);
    assert.equal(result.server.credentials.revealPassword(), password);
    assert.deepEqual(result.server.place, PLACE);
  });
}

/** URL with bob and SECRET in it, and what is wrong with it. */
const INVALID: [string, RegExp][] = [
  ["", /without a known scheme/],
  ["bob:SECRET@h:1080", /without a known scheme/],
  ["https://bob:SECRET@h", /without a known scheme/],
  ["socks://bob:SECRET@h", /without a known scheme/],
  [" socks5://bob:SECRET@h", /without a known scheme/],
  ["socks5:/bob:SECRET@h", /without a known scheme/],
  ["socks5://bob:SECRET@h/x", /more than a host and a port/],
  ["socks5://bob:SECRET@h?x", /more than a host and a port/],
  ["socks5://bob:SECRET@h#x", /more than a host and a port/],
  ["socks5://bob:a/SECRET@h", /more than a host and a port/],
  ["socks5://bob:SECRET@x@h", /more than a host and a port/],
  ["socks5://bob:SECRET@", /Invalid host/],
  ["socks5://bob:SECRET@:1080", /Invalid host/],
  ["socks5://bob:SECRET@::1:1080", /Invalid host/],
  ["socks5://bob:SECRET@::1", /Invalid host/],
  ["socks5://bob:SECRET@[::1", /Invalid host/],
  ["socks5://bob:SECRET@[::1]x", /Invalid host/],
  ["socks5://bob:SECRET@[10.0.0.1]", /Invalid host/],
  ["socks5://bob:SECRET@127.1", /Invalid host/],
  ["socks5://bob:SECRET@10.0.0.256", /Invalid host/],
  ["socks5://bob:SECRET@h ", /Invalid host/],
  ["socks5://bob:SECRET@h\n", /Invalid host/],
  ["socks5://bob:SECRET@h:", /Invalid port/],
  ["socks5://bob:SECRET@h:0", /Invalid port/],
  ["socks5://bob:SECRET@h:65536", /Invalid port/],
  ["socks5://bob:SECRET@h:1080x", /Invalid port/],
  ["socks5://bob:SECRET", /Invalid port/],
  ["socks5://bob:SECRET%@h", /Invalid user or password/],
  ["socks5://bob:SECRET%ff@h", /Invalid user or password/],
  ["socks5://bob:SECRET%00@h", /Invalid user or password/],
  ["socks5://bob%0a:SECRET@h", /Invalid user or password/],
  ["socks4://bob:SECRET@h", /SOCKS4 has no password/],
  ["socks4a://bob:SECRET@h", /SOCKS4 has no password/],
];

for (const [url, message] of INVALID) {
  test(`parseServerUrl() refuses ${JSON.stringify(url)} without showing who and what`, () => {
    const result = parseServerUrl(url, PLACE);
    assert.ok(!result.ok);
    assert.equal(result.diagnostic.severity, "error");
    assert.match(result.diagnostic.message, message);
    assert.doesNotMatch(formatDiagnostic(result.diagnostic), /SECRET|bob/);
  });
}
