/**
 * What the shim is told: the answers to its questions (may this socket connect, what is this name,
 * where does this connection go, what is this address's name, what does DNS say, may this program be
 * executed). The only file that knows both the shim and the Connector.
 */

import { formatMessage } from "../errors.ts";
import { formatIpAddress, type IpAddress, isLoopback, isUnspecified } from "../net/address.ts";
import { encodeText } from "../net/octet_text.ts";
import { escapeText } from "../net/printable.ts";
import { REASON_WORDS, uncoveredWords } from "../policy/coverage.ts";
import { isReserved } from "../policy/reserved_names.ts";
import { type ControlAnswer, type ControlRequest, CTL_MAX_HOST_NAME_LEN } from "../shim/control.ts";
import { errnoOf } from "../socks/reply.ts";
import type { Connector } from "./connector.ts";
import type { Answerer } from "./control.ts";
import { Datagrams } from "./datagrams.ts";
import type { DnsFaces } from "./dns_faces.ts";
import type { DecisionLog } from "./log.ts";
import type { NameServer } from "./name_server.ts";
import { describeProcess } from "./processes.ts";
import type { PendingConnects } from "./pending.ts";
import type { Router } from "./router.ts";
import type { Peers, Reservation, Tickets } from "./tickets.ts";

export interface AnswerOptions {
  connector: Connector;
  router: Router;
  log: DecisionLog;
  tickets: Tickets;
  peers: Peers;
  nameServer: NameServer;
  faces: DnsFaces;
  /** The forwarder's ports on 127.0.0.1 and on ::1 (0: this machine has no ::1). */
  ports: { v4: number; v6: number };
  pending: PendingConnects;
  /** Reads the configuration again; what hinders it, if anything does. */
  reload: () => Promise<string | undefined>;
  /** What programs are told that the shim cannot be in. */
  coverage: { isStrict: boolean; withoutProxyVariables: boolean };
}

type Request<Op extends ControlRequest["op"]> = ControlRequest & { op: Op };

/** netdb.h and errno.h; the protocol carries EAI_ codes negated. */
const EAI_NONAME = 2;
const EAI_AGAIN = 3;
const EAI_FAIL = 4;
const EACCES = 13;
const ENOTCONN = 107;
/** Measured with 6.18: the first octet that comes in after a simultaneous open is lost. */
const MULTIPATH = new Error("Multipath TCP loses an octet where it waited");
const MAX_SHOWN_PATH_LENGTH = 255;
const MAX_TOLD = 1000;
const MAX_RELOAD_MESSAGE = 60_000;
const LOOPBACK_V4 = Uint8Array.of(127, 0, 0, 1);
const LOOPBACK_V6 = Uint8Array.from([...new Uint8Array(15), 1]);

export function createAnswerer(options: AnswerOptions): Answerer {
  const datagrams = new Datagrams(options.router, options.log, options.faces);
  const told = new Set<string>();
  return (request, signal) => {
    switch (request.op) {
      case "connect":
        if (request.isDatagram) return datagrams.answer(request);
        return answerConnect(request, signal, options);
      case "resolve":
        return answerResolve(request, options);
      case "peer":
        return answerPeer(request, options.peers);
      case "reverse":
        return Promise.resolve(answerReverse(request, options));
      case "verdict":
        return Promise.resolve(answerVerdict(request, options));
      case "query":
        return answerQuery(request, options);
      case "source":
        return Promise.resolve(answerSource(request, options.faces));
      case "socket":
        return Promise.resolve(datagrams.answerSocket(request));
      case "reload":
        return answerReload(options);
      case "uncovered":
        return Promise.resolve(answerUncovered(request, told, options));
    }
  };
}

async function answerConnect(
  request: Request<"connect">,
  signal: AbortSignal,
  options: AnswerOptions,
): Promise<ControlAnswer> {
  const { connector, router } = options;
  const { address, port } = request.endpoint;
  const asker = describeProcess(request.pid);
  const isDns = router.answersDns({ kind: "address", address, port });
  // It was asked about only because a name server might listen there.
  if (!isDns && (isLoopback(address) || isUnspecified(address))) return { status: "direct" };
  const attempt = connector.decide({ kind: "address", address, port }, asker, isDns);
  // A name may have to be looked up first, which a non-blocking connect must not wait for; nor has
  // one that this machine connects to directly an address that the program knows: it is relayed.
  if (!isReserved(address) || !request.isNonBlocking) {
    const { decision, failure } = (await attempt).route;
    if (failure !== undefined) return { status: "fail", error: errnoOf(failure.code) };
    if (decision.action === "direct" && !isReserved(address)) return { status: "direct" };
  }
  const abort = new AbortController();
  const dialled = attempt.then((decided) => connector.dial(decided, abort.signal));
  const abandon = () => {
    abort.abort();
    // It may have come through just now, for nobody.
    dialled.then((result) => result.ok && result.socket.resetAndDestroy());
  };
  const reservation = { attempt, dialled, abandon, endpoint: request.endpoint };
  // Until the program's socket is known, the end of its question is the end of the attempt.
  if (signal.aborted) abandon();
  signal.addEventListener("abort", reservation.abandon);
  const keep = () => signal.removeEventListener("abort", reservation.abandon);
  if (!request.isNonBlocking) return await awaitVerdict(request, reservation, keep, options);
  const { pending } = options;
  const hindrance = request.isMultipath ? MULTIPATH : await pending.open();
  if (hindrance !== undefined) {
    options.log.explain(noPendingMessage(hindrance));
    keep();
    return reserve(request, reservation, options);
  }
  return {
    status: "pending",
    endpoint: pending.endpointFor(request),
    onStarted: (waiting) => {
      keep();
      pending.begin(waiting, reservation);
    },
  };
}

function noPendingMessage(reason: Error): string {
  return formatMessage(
    "warning: Non-blocking connects report success before the server has answered",
    `this kernel or sandbox does not let them wait: ${reason.message}`,
    "nothing to mend in tsocks; a failure is reported at the first read or write",
  );
}

/** The program waits, so it is told what the server said. */
async function awaitVerdict(
  request: Request<"connect">,
  reservation: Reservation,
  keep: () => void,
  options: AnswerOptions,
): Promise<ControlAnswer> {
  const result = await reservation.dialled;
  keep();
  if (!result.ok) return { status: "fail", error: errnoOf(result.failure.code) };
  return reserve(request, reservation, options);
}

function reserve(
  request: Request<"connect">,
  reservation: Reservation,
  { tickets, ports }: AnswerOptions,
): ControlAnswer {
  const ticket = tickets.issue(reservation);
  // Without ::1 an AF_INET6 socket reaches the forwarder by ::ffff:127.0.0.1, which the shim writes.
  const isV6 = request.isInet6 && ports.v6 !== 0;
  const endpoint = isV6
    ? { bytes: LOOPBACK_V6, port: ports.v6 }
    : { bytes: LOOPBACK_V4, port: ports.v4 };
  return { status: "forward", endpoint, ticket };
}

async function answerResolve(
  request: Request<"resolve">,
  { router, log }: AnswerOptions,
): Promise<ControlAnswer> {
  const addresses = await router.resolve(request.name, request.family);
  if (addresses === "libc") return { status: "libc" };
  if (addresses === undefined) return { status: "fail", error: EAI_AGAIN };
  const fits = (address: IpAddress) => request.family === 0 || request.family === address.version;
  const address = addresses.find(fits);
  if (address === undefined) return { status: "fail", error: EAI_NONAME };
  const text = formatIpAddress(address);
  log.step(`${text} given to process ${request.pid} for ${JSON.stringify(request.name)}`);
  return { status: "address", text };
}

async function answerPeer(request: Request<"peer">, peers: Peers): Promise<ControlAnswer> {
  const [local, remote] = [request.local, request.remote].map(({ address, port }) => (
    { address: formatIpAddress(address), port }
  ));
  const endpoint = await peers.find({ local: local!, remote: remote! });
  return endpoint === null ? { status: "fail", error: ENOTCONN } : { status: "peer", endpoint };
}

function answerVerdict(request: Request<"verdict">, { pending }: AnswerOptions): ControlAnswer {
  const errno = pending.takeVerdict(request.socket);
  return errno === undefined ? { status: "direct" } : { status: "fail", error: errno };
}

/** What the protocol cannot carry is no name. */
function answerReverse(request: Request<"reverse">, { router }: AnswerOptions): ControlAnswer {
  const found = router.reverse(request.endpoint.address);
  if (found === "libc") return { status: "libc" };
  const length = found === undefined ? 0 : encodeText(found.name).length;
  if (found === undefined || length === 0 || length > CTL_MAX_HOST_NAME_LEN) {
    return { status: "fail", error: EAI_NONAME };
  }
  return { status: "name", name: found.name };
}

/** A call of libc's that would ask name servers by itself. */
async function answerQuery(
  { message, pid }: Request<"query">,
  { router, nameServer }: AnswerOptions,
): Promise<ControlAnswer> {
  if (router.leavesNamesToLibc()) return { status: "libc" };
  const response = await nameServer.answer(message, describeProcess(pid));
  return response === undefined
    ? { status: "fail", error: EAI_FAIL }
    : { status: "message", message: response };
}

async function answerReload({ reload }: AnswerOptions): Promise<ControlAnswer> {
  const hindrance = await reload();
  if (hindrance === undefined) return { status: "direct" };
  // Cut at an octet: what is cut off is the last of very many complaints.
  const message = new TextEncoder().encode(hindrance).subarray(0, MAX_RELOAD_MESSAGE);
  return { status: "message", message };
}

function answerSource({ endpoint }: Request<"source">, faces: DnsFaces): ControlAnswer {
  const server = faces.serverOf(endpoint.address, endpoint.port);
  return server === undefined
    ? { status: "fail", error: ENOTCONN }
    : { status: "peer", endpoint: server };
}

/**
 * Programs that the shim cannot be in go on unless the run is strict. The log has a line at level 0,
 * of one that goes on only the first time (`told`): a build may start it a thousand times.
 */
function answerUncovered(
  request: Request<"uncovered">,
  told: Set<string>,
  { log, coverage: { isStrict, withoutProxyVariables } }: AnswerOptions,
): ControlAnswer {
  const { reason, pid } = request;
  const path = escapeText(request.path, MAX_SHOWN_PATH_LENGTH) || "-";
  const isNews = isStrict || !told.has(path);
  if (told.size < MAX_TOLD) told.add(path);
  log.write({
    action: isNews ? "UNCOVERED" : "STEP",
    asker: describeProcess(pid),
    destination: path,
    server: "-",
    ...(isStrict ? { errno: "EACCES" } : {}),
    text: isStrict
      ? `${REASON_WORDS[reason]}; --strict`
      : uncoveredWords(reason, { withoutProxyVariables }),
  });
  return isStrict ? { status: "fail", error: EACCES } : { status: "direct" };
}
