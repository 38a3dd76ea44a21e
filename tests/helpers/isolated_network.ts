/**
 * Two network namespaces with one wire between them: "program", which has no way out but to "server", and
 * "server", where microsocks and a web server run. Both go with their processes; the machine's own network is untouched.
 */

import { spawnSync } from "node:child_process";
import { programPath } from "./needs.ts";
import { overlayHosts, underOverlay } from "./overlay.ts";
import { type Running, start } from "./processes.ts";
import { makeTempDir } from "./temp_dir.ts";
import { waitFor } from "./wait.ts";

export const SERVER_ADDRESS = "10.231.7.2";
const PROGRAM_ADDRESS = "10.231.7.1";
/** Free for certain: the namespace is new. */
export const SOCKS_PORT = 1080;
const LIFETIME_MS = 120_000;

export interface Packet {
  /** EtherType: 0x0800 is IPv4, 0x0806 ARP. */
  type: number;
  /** IPv4 only: 6 is TCP. */
  protocol: number;
  destination: string;
  port: number;
}

export interface IsolatedNetwork extends AsyncDisposable {
  /** The command line that runs `command` where the program is. */
  inside(command: string[]): string[];
  /** What came over the wire from the program's side so far. */
  packets(): Packet[];
}

/** Prints one line for each frame that comes in, from its first on. */
const CAPTURE = `
import socket, struct
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
s.bind(("wire", 0))
print("ready", flush=True)
while True:
    frame, (_, _, kind, _, _) = s.recvfrom(65535)
    if kind == 4:  # PACKET_OUTGOING: from this side
        continue
    (ether,) = struct.unpack("!H", frame[12:14])
    line = [ether, 0, "-", 0]
    if ether == 0x0800:
        ip = frame[14:]
        line[1:3] = [ip[9], socket.inet_ntoa(ip[16:20])]
        if ip[9] in (6, 17):
            line[3] = struct.unpack("!H", ip[(ip[0] & 15) * 4 + 2:][:2])[0]
    print(*line, flush=True)`;

/** A web server for \`hello.example\` on loopback. */
const WEB = `
import http.server
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"page of the other side\\n")
    def log_message(self, *_):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 80), Page)
print("ready", flush=True)
server.serve_forever()`;

/** With `hasDefaultRoute`, whatever leaked would come over the wire and be counted. */
export interface NetworkOptions {
  hasDefaultRoute: boolean;
  lifetimeMs?: number;
}

/** Makes both sides. */
export async function makeIsolatedNetwork(options: NetworkOptions): Promise<IsolatedNetwork> {
  const stack = new AsyncDisposableStack();
  const dir = stack.use(await makeTempDir());
  const server = stack.use(await startNamespace(options));
  const network = stack.use(await makeProgramSide(server.pid, options));

  const hosts = await overlayHosts(dir, ["hello.example"]);
  const startThere = (command: string[]) => stack.use(startIn(server.pid, command, options));
  const web = startThere([programPath("python3"), "-c", WEB]);
  const listen = ["-i", SERVER_ADDRESS, "-p", `${SOCKS_PORT}`];
  startThere(underOverlay(hosts, [programPath("microsocks"), ...listen]));
  await web.waitForOutput(/ready/);
  await waitFor("microsocks to listen", () => isListening(server.pid));
  return { ...network, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** Makes the program's side, the wire and the counter; the server's side is the namespace of process `serverPid`. */
export async function makeProgramSide(
  serverPid: number,
  options: NetworkOptions,
): Promise<IsolatedNetwork> {
  const stack = new AsyncDisposableStack();
  const program = stack.use(await startNamespace(options));
  connectSides(program.pid, serverPid, options.hasDefaultRoute);
  const counter = [programPath("python3"), "-c", CAPTURE];
  const capture = stack.use(startIn(serverPid, counter, options));
  await capture.waitForOutput(/ready/);
  return {
    inside: (command) => enter(program.pid, command),
    packets: () => capture.stdout.split("\n").slice(1, -1).map(parsePacket),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

async function startNamespace({ lifetimeMs = LIFETIME_MS }: NetworkOptions): Promise<Running> {
  const script = `echo ready; exec sleep ${lifetimeMs / 1000}`;
  const holder = start("unshare", ["-n", "sh", "-c", script], { timeoutMs: lifetimeMs });
  await holder.waitForOutput(/ready/);
  return holder;
}

function enter(pid: number, command: string[]): string[] {
  return ["nsenter", "-t", `${pid}`, "-n", ...command];
}

function startIn(pid: number, command: string[], options: NetworkOptions): Running {
  const [program = "", ...args] = enter(pid, command);
  return start(program, args, { timeoutMs: options.lifetimeMs ?? LIFETIME_MS });
}

function connectSides(programPid: number, serverPid: number, hasDefaultRoute: boolean): void {
  const ends = `wire netns ${programPid} type veth peer name wire netns ${serverPid}`;
  mustRun(`ip link add ${ends}`.split(" "));
  const sides = [[programPid, PROGRAM_ADDRESS], [serverPid, SERVER_ADDRESS]] as const;
  for (const [pid, address] of sides) {
    mustRun(enter(pid, ["ip", "link", "set", "lo", "up"]));
    // Without it the kernel itself would talk: router solicitations, multicast reports.
    mustRun(enter(pid, ["ip", "link", "set", "wire", "addrgenmode", "none"]));
    mustRun(enter(pid, ["ip", "address", "add", `${address}/30`, "dev", "wire"]));
    mustRun(enter(pid, ["ip", "link", "set", "wire", "up"]));
  }
  const route = ["ip", "route", "add", "default", "via", SERVER_ADDRESS];
  if (hasDefaultRoute) mustRun(enter(programPid, route));
}

function mustRun(command: string[]): void {
  const [program = "", ...args] = command;
  const done = spawnSync(program, args, { encoding: "utf8" });
  if (done.status !== 0) throw new Error(`${command.join(" ")}: ${done.stderr || done.error}`);
}

/** Asked inside: a connection from the program's side would be counted. */
function isListening(pid: number): boolean {
  const script = `exec 3<>/dev/tcp/${SERVER_ADDRESS}/${SOCKS_PORT}`;
  const [program = "", ...args] = enter(pid, ["bash", "-c", script]);
  return spawnSync(program, args).status === 0;
}

function parsePacket(line: string): Packet {
  const [type = "", protocol = "", destination = "", port = ""] = line.split(" ");
  return { type: Number(type), protocol: Number(protocol), destination, port: Number(port) };
}
