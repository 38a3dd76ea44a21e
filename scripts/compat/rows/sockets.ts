/** Programs that hand a connection to whoever types: nc, socat, telnet, TLS tools, and those that measure. */

import { type Command, type Row, shell } from "../row.ts";
import { GREETING, startGreeter, startPerf } from "../services/talk.ts";
import { PAGE, startWeb } from "../services/web.ts";
import { KNOWN_ADDRESS } from "../lab.ts";

const REQUEST = "GET / HTTP/1.0\r\nHost: web.example\r\n\r\n";
const PLAIN = ["web.example:80"];
const SECURE = ["web.example:443"];

/** Sends a request by hand; `argv` with the certificate's path. */
function asksByHand(
  program: string,
  packageName: string,
  action: string,
  argv: (caPath: string) => string[],
): Row {
  return {
    program,
    packages: [packageName],
    action,
    asks: action === "TLS" ? SECURE : PLAIN,
    async command(lab): Promise<Command> {
      const { caPath } = await startWeb(lab);
      return { argv: argv(caPath), input: REQUEST, prints: PAGE };
    },
  };
}

/** Keeps standard input open until the answer must be there: some programs end with it. */
const slowly = (...argv: string[]) => shell('(cat; sleep 1) | "$@"', ...argv);

export const SOCKET_ROWS: Row[] = [
  asksByHand(
    "nc (openbsd)",
    "netcat-openbsd",
    "HTTP by hand",
    () => ["nc.openbsd", "web.example", "80"],
  ),
  {
    program: "nc (openbsd)",
    packages: ["netcat-openbsd"],
    action: "-z, an open and a closed port",
    asks: ["web.example:80", "web.example:81"],
    async command(lab) {
      await startWeb(lab);
      const probe = "nc.openbsd -w 5 -z web.example";
      const script =
        `${probe} 80 || exit 3; if ${probe} 81; then echo 81 seems open; else echo right; fi`;
      return { argv: shell(script), prints: "right" };
    },
  },
  asksByHand(
    "nc (traditional)",
    "netcat-traditional",
    "HTTP by hand",
    () => ["nc.traditional", "web.example", "80"],
  ),
  {
    ...asksByHand(
      "socat",
      "socat",
      "HTTP by hand",
      () => ["socat", "-t10", "-", "TCP:web.example:80"],
    ),
    isQuick: true,
  },
  asksByHand(
    "socat",
    "socat",
    "TLS",
    (ca) => ["socat", "-t10", "-", `OPENSSL:web.example:443,cafile=${ca}`],
  ),
  {
    ...asksByHand(
      "bash",
      "bash",
      "/dev/tcp",
      () => ["bash", "-c", "exec 3<>/dev/tcp/web.example/80; cat >&3; cat <&3"],
    ),
    isQuick: true,
  },
  {
    program: "telnet",
    packages: ["inetutils-telnet"],
    action: "a line, and the answer",
    asks: ["telnet.example:23"],
    async command(lab) {
      await startGreeter(lab);
      const argv = slowly("telnet", "telnet.example");
      return { argv, input: "hello\n", prints: new RegExp(`${GREETING}[^]*bye`) };
    },
  },
  asksByHand(
    "openssl s_client",
    "openssl",
    "TLS",
    (ca) =>
      slowly(
        ..."openssl s_client -quiet -verify_return_error -connect web.example:443 -servername web.example -CAfile"
          .split(" "),
        ca,
      ),
  ),
  asksByHand(
    "gnutls-cli",
    "gnutls-bin",
    "TLS",
    (ca) => slowly("gnutls-cli", `--x509cafile=${ca}`, "web.example"),
  ),
  {
    program: "nmap",
    packages: ["nmap"],
    action: "-sT: one open port, one closed",
    asks: [`${KNOWN_ADDRESS}:80`, `${KNOWN_ADDRESS}:81`],
    async command(lab) {
      await startWeb(lab);
      lab.alias(`${KNOWN_ADDRESS}:80`, "web.example:80");
      const argv = ["nmap", "-n", "-Pn", "--unprivileged", "-sT", "-p", "80,81", KNOWN_ADDRESS];
      return {
        argv: shell(`"$@" | grep /tcp | paste -sd" "`, ...argv),
        prints: /^80\/tcp open .*81\/tcp (closed|filtered)/,
      };
    },
  },
  {
    program: "iperf3",
    packages: ["iperf3"],
    action: "a second of TCP",
    asks: ["perf.example:5201"],
    async command(lab) {
      await startPerf(lab);
      return { argv: ["iperf3", "-c", "perf.example", "-t", "1"], prints: /receiver/ };
    },
  },
];
