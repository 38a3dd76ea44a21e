/**
 * Where the rows run. This process is in a network namespace of its own, with the servers on loopback and the SOCKS
 * server at one end of a wire; the programs are at the other end, with a default route that would show what leaks.
 */

import { writeFile } from "node:fs/promises";
import { hostname, networkInterfaces } from "node:os";
import {
  type IsolatedNetwork,
  makeProgramSide,
  type Packet,
  SERVER_ADDRESS,
} from "../../tests/helpers/isolated_network.ts";
import { type Overlay, underOverlay } from "../../tests/helpers/overlay.ts";
import { type Running, start } from "../../tests/helpers/processes.ts";
import {
  type RecordedRequest,
  type ReferenceServer,
  startReferenceServer,
} from "../../tests/helpers/reference_server.ts";
import { makeTempDir, type TempDir } from "../../tests/helpers/temp_dir.ts";
import { canConnect, waitFor } from "../../tests/helpers/wait.ts";

export const LIFETIME_MS = 900_000;
/** The programs' name server: behind the wire, where nobody answers. */
export const NAME_SERVER = "192.0.2.53";
/** An address that the SOCKS server knows, for what goes to an address. */
export const KNOWN_ADDRESS = "203.0.113.21";

const ARP = 0x0806;
const TCP = 6;
const UDP = 17;
/** Each row ends with a datagram to the next port from here on: what the counter saw before it is the row's. */
const FIRST_MARK = 20_000;
const START_MS = 20_000;

export class Lab implements AsyncDisposable {
  readonly dir: TempDir;
  /** NAME:PORT → the port on 127.0.0.1 that the SOCKS server connects to. */
  readonly #routes: Record<string, number>;
  readonly #network: IsolatedNetwork;
  readonly #server: ReferenceServer;
  readonly #overlay: Overlay;
  readonly #stack: AsyncDisposableStack;
  readonly #services = new Map<string, Promise<unknown>>();
  #marks = 0;
  #seenPackets = 0;

  private constructor(
    made: { dir: TempDir; routes: Record<string, number>; overlay: Overlay },
    network: IsolatedNetwork,
    server: ReferenceServer,
    stack: AsyncDisposableStack,
  ) {
    this.dir = made.dir;
    this.#routes = made.routes;
    this.#overlay = made.overlay;
    this.#network = network;
    this.#server = server;
    this.#stack = stack;
  }

  /** @throws where the network namespace is not a fresh one: the machine's own stays as it is */
  static async make(): Promise<Lab> {
    if (Object.keys(networkInterfaces()).length > 0) throw new Error("Run compat.ts instead");
    const stack = new AsyncDisposableStack();
    const dir = stack.use(await makeTempDir());
    const network = stack.use(
      await makeProgramSide(process.pid, { hasDefaultRoute: true, lifetimeMs: LIFETIME_MS }),
    );
    const routes = {};
    const server = stack.use(await startReferenceServer({ routes, hostname: SERVER_ADDRESS }));
    await writeFile(dir.file("hosts"), `127.0.0.1 localhost ${hostname()}\n::1 localhost\n`);
    await writeFile(dir.file("resolv.conf"), `nameserver ${NAME_SERVER}\noptions timeout:1\n`);
    const overlay = {
      "/etc/hosts": dir.file("hosts"),
      "/etc/resolv.conf": dir.file("resolv.conf"),
    };
    return new Lab({ dir, routes, overlay }, network, server, stack);
  }

  get serverUrl(): string {
    return this.#server.url();
  }

  /** What the SOCKS server was asked for since the last time. */
  takeRequests(): RecordedRequest[] {
    return this.#server.requests.splice(0);
  }

  /** The name leads to a port of 127.0.0.1 on the server's side, and to nothing anywhere else. */
  route(nameAndPort: string, port: number): void {
    this.#routes[nameAndPort] = port;
  }

  /** Another name or address for what a name leads to. */
  alias(nameAndPort: string, known: string): void {
    const port = this.#routes[known];
    if (port !== undefined) this.route(nameAndPort, port);
  }

  /** The service that is started when the first row asks for it, and ends with the lab. */
  once<T>(name: string, startService: () => Promise<T>): Promise<T> {
    const known = this.#services.get(name) ?? startService();
    this.#services.set(name, known);
    return known as Promise<T>;
  }

  own<T extends AsyncDisposable>(disposable: T): T {
    return this.#stack.use(disposable);
  }

  /** A daemon that does not leave the foreground; waits until it listens on 127.0.0.1. */
  async startDaemon(command: string[], port: number): Promise<Running> {
    const [program = "", ...args] = command;
    const daemon = this.own(start(program, args, { timeoutMs: LIFETIME_MS }));
    const listens = async () => daemon.isOver || await canConnect(port);
    await waitFor(`${program} to listen`, listens, START_MS);
    if (daemon.isOver) throw new Error(`${program} ended: ${daemon.stdout}${daemon.stderr}`);
    return daemon;
  }

  /** The command line that runs `command` on the programs' side; all it leaves behind ends with it. */
  inside(command: string[]): string[] {
    const isolated = ["unshare", "-p", "-f", "--mount-proc", "--kill-child"];
    return this.#network.inside(
      underOverlay(this.#overlay, [...isolated, "sh", "-c", '"$@"; exit $?', "sh", ...command]),
    );
  }

  /** What went over the wire since the last time, but for what is the SOCKS server's. */
  async takeLeaks(): Promise<Packet[]> {
    const mark = FIRST_MARK + this.#marks++;
    const script = `echo > /dev/udp/${SERVER_ADDRESS}/${mark}`;
    const [program = "", ...args] = this.#network.inside(["bash", "-c", script]);
    this.own(start(program, args));
    const isMark = (packet: Packet) => packet.protocol === UDP && packet.port === mark;
    const packets = await waitFor("the counter", () => {
      const all = this.#network.packets();
      return all.some(isMark) && all;
    });
    const end = packets.findIndex(isMark);
    const leaks = packets.slice(this.#seenPackets, end).filter((packet) =>
      !this.#isAllowed(packet)
    );
    this.#seenPackets = end + 1;
    return leaks;
  }

  #isAllowed({ type, protocol, destination, port }: Packet): boolean {
    return type === ARP ||
      protocol === TCP && destination === SERVER_ADDRESS && port === this.#server.port;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }
}

/** The command line that runs `command` as nobody: servers need no more. */
export function asNobody(command: string[]): string[] {
  return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", ...command];
}
