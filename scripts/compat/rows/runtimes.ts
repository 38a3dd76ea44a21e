/** Node, Ruby, Perl, PHP and Java, by their own libraries. */

import { writeFileSync } from "node:fs";
import type { Row } from "../row.ts";
import { PAGE, startWeb } from "../services/web.ts";

const PLAIN = ["web.example:80"];
const SECURE = ["web.example:443"];
const RESERVED = /^198\.1[89]\./;

interface Script {
  program: string;
  packages: readonly string[];
  action: string;
  asks?: string[];
  isQuick?: true;
  /** The interpreter and its flags, before the script. */
  argv: readonly string[];
  script: string;
  prints?: string | RegExp;
}

function runs({ argv, script, prints = PAGE, ...names }: Script): Row {
  return {
    asks: PLAIN,
    ...names,
    async command(lab) {
      const { caPath } = await startWeb(lab);
      return {
        argv: [...argv, script],
        env: { NODE_EXTRA_CA_CERTS: caPath, SSL_CERT_FILE: caPath },
        prints,
      };
    },
  };
}

const node = (what: string, action: string, script: string, more: Partial<Script> = {}): Row =>
  runs({
    program: `node ${what}`,
    packages: ["nodejs"],
    action,
    isQuick: true,
    argv: ["/usr/bin/node", "-e"],
    script,
    ...more,
  });

const PAGE_BY_HAND = String.raw`"GET / HTTP/1.0\r\nHost: web.example\r\n\r\n"`;

const NODE_ROWS: Row[] = [
  node("fetch", "HTTP", `fetch("http://web.example/").then((r) => r.text()).then(console.log)`),
  node("fetch", "HTTPS", `fetch("https://web.example/").then((r) => r.text()).then(console.log)`, {
    asks: SECURE,
  }),
  node(
    "net",
    "HTTP by hand",
    `
    const socket = require("net").connect(80, "web.example", () => socket.write(${PAGE_BY_HAND}));
    socket.pipe(process.stdout);`,
  ),
  node(
    "http",
    "50 pages at once",
    `
    let pages = 0;
    const done = () => ++pages === 50 && console.log("all pages");
    for (let n = 0; n < 50; n++) require("http").get({ host: "web.example", path: "/?" + n, agent: false },
      (response) => response.resume().on("end", done));`,
    { prints: "all pages" },
  ),
  node(
    "dns.lookup",
    "an address",
    `require("dns").lookup("web.example", (e, a) => console.log(e ?? a))`,
    {
      asks: [],
      prints: RESERVED,
    },
  ),
  node(
    "dns.resolve",
    "an A record (c-ares)",
    `require("dns").resolve4("web.example", (e, a) => console.log(e ?? a[0]))`,
    { asks: [], prints: RESERVED },
  ),
];

const RUBY = { packages: ["ruby"], argv: ["ruby", "-e"] };
const PERL = { packages: ["perl"], argv: ["/usr/bin/perl", "-e"], isQuick: true } as const;
const PHP = { packages: ["php-cli"], argv: ["php", "-r"] };

const SCRIPT_ROWS: Row[] = [
  runs({
    ...RUBY,
    program: "ruby net/http",
    action: "HTTP",
    script: `require "net/http"; puts Net::HTTP.get(URI("http://web.example/"))`,
  }),
  runs({
    ...RUBY,
    program: "ruby net/http",
    action: "HTTPS",
    asks: SECURE,
    script: `require "net/http"; puts Net::HTTP.get(URI("https://web.example/"))`,
  }),
  runs({
    ...RUBY,
    program: "ruby socket",
    action: "HTTP by hand, connect with a time limit",
    script: `require "socket"
      s = Socket.tcp("web.example", 80, connect_timeout: 10)
      s.write(${PAGE_BY_HAND}); puts s.read`,
  }),
  runs({
    ...PERL,
    program: "perl IO::Socket::INET",
    action: "HTTP by hand, connect with a time limit",
    script: `use IO::Socket::INET;
      my $s = IO::Socket::INET->new(PeerAddr => "web.example:80", Timeout => 10) or die $@;
      print $s ${PAGE_BY_HAND}; print <$s>;`,
  }),
  runs({
    ...PERL,
    program: "perl HTTP::Tiny",
    action: "HTTP",
    script: `use HTTP::Tiny; print HTTP::Tiny->new->get("http://web.example/")->{content}`,
  }),
  runs({
    program: "perl LWP",
    packages: ["libwww-perl"],
    action: "HTTP",
    argv: ["/usr/bin/perl", "-e"],
    script: `use LWP::UserAgent; print LWP::UserAgent->new->get("http://web.example/")->content`,
  }),
  runs({
    ...PHP,
    program: "php file_get_contents",
    action: "HTTP",
    script: `echo file_get_contents("http://web.example/");`,
  }),
  runs({
    ...PHP,
    program: "php stream_socket_client",
    action: "HTTP by hand, asynchronous connect",
    script: `$s = stream_socket_client("tcp://web.example:80", $e, $m, 10,
        STREAM_CLIENT_CONNECT | STREAM_CLIENT_ASYNC_CONNECT);
      $r = null; $w = [$s]; $x = null; stream_select($r, $w, $x, 10);
      fwrite($s, ${PAGE_BY_HAND}); echo stream_get_contents($s);`,
  }),
  runs({
    ...PHP,
    program: "php curl",
    packages: ["php-curl", "php-cli"],
    action: "HTTP",
    script: `curl_exec(curl_init("http://web.example/"));`,
  }),
];

const JAVA_HTTP_CLIENT = `
import java.net.URI;
import java.net.http.*;
public class Main {
  public static void main(String[] args) throws Exception {
    var request = HttpRequest.newBuilder(URI.create("http://web.example/")).build();
    System.out.println(HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).body());
    System.exit(0);
  }
}`;

const JAVA_NIO = String.raw`
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.*;
public class Main {
  public static void main(String[] args) throws Exception {
    var selector = Selector.open();
    var channel = SocketChannel.open();
    channel.configureBlocking(false);
    channel.register(selector, SelectionKey.OP_CONNECT);
    channel.connect(new InetSocketAddress("web.example", 80));
    selector.select(10000);
    if (!channel.finishConnect()) throw new Exception("not connected");
    channel.register(selector, SelectionKey.OP_READ);
    channel.write(ByteBuffer.wrap(${PAGE_BY_HAND}.getBytes()));
    var buffer = ByteBuffer.allocate(4096);
    while (channel.read(buffer) >= 0) selector.select(1000);
    System.out.println(new String(buffer.array()));
  }
}`;

const JAVA_SOCKET = String.raw`
import java.net.*;
public class Main {
  public static void main(String[] args) throws Exception {
    try (var socket = new Socket()) {
      socket.connect(new InetSocketAddress("web.example", 80), 10000);
      socket.getOutputStream().write(${PAGE_BY_HAND}.getBytes());
      System.out.println(new String(socket.getInputStream().readAllBytes()));
    }
  }
}`;

function java(what: string, action: string, source: string): Row {
  return {
    program: `java ${what}`,
    packages: ["default-jdk-headless"],
    action,
    asks: PLAIN,
    async command(lab, dir) {
      await startWeb(lab);
      writeFileSync(dir.file("Main.java"), source);
      return { argv: ["java", dir.file("Main.java")], prints: PAGE };
    },
  };
}

export const RUNTIME_ROWS: Row[] = [
  ...NODE_ROWS,
  ...SCRIPT_ROWS,
  java("Socket", "HTTP by hand, connect with a time limit", JAVA_SOCKET),
  java("HttpClient", "HTTP", JAVA_HTTP_CLIENT),
  java("NIO", "HTTP by hand, non-blocking with a Selector", JAVA_NIO),
];
