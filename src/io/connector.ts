/**
 * Takes a program's wish through routing, logging and dialling. What shim, SOCKS face and HTTP face
 * have in common: each asks here and tells the program the result in its own way.
 */

import type { Destination } from "../net/address.ts";
import { formatDecisionServer, formatReason } from "../policy/decide.ts";
import { explainFailure } from "../policy/explain.ts";
import type { Failure } from "../socks/machine.ts";
import { errnoNameOf, wordsOf } from "../socks/reply.ts";
import { dialDirect, type DialResult, dialThrough } from "./dial.ts";
import type { Asker, DecisionLog } from "./log.ts";
import { relay, type RelayEnds } from "./relay.ts";
import type { Route, Router } from "./router.ts";

export interface ConnectorOptions {
  router: Router;
  log: DecisionLog;
  /** For the whole way to the destination: TCP, handshake, the server's own connect. */
  timeoutMs: number;
  /** The far end of a connection to a name server, in whose place we speak. */
  answerDns: (asker: Asker) => DialResult;
  /** More connections at once are refused: without a descriptor left not even a refusal could be told. */
  maxConnections: number;
}

/** One connection from the decision to its end. */
export interface Attempt {
  asker: Asker;
  route: Route;
  startedAt: number;
}

export class Connector {
  readonly #options: ConnectorOptions;
  /** Sockets to destinations, from the start of their dialling to their close, and relays. */
  #held = 0;
  #isEnding = false;
  #onIdle: (() => void)[] = [];

  constructor(options: ConnectorOptions) {
    this.#options = options;
  }

  /** Decide, and log the decision; with `isDns` that is to answer in a name server's place. Never rejects. */
  async decide(asked: Destination, asker: Asker, isDns = false): Promise<Attempt> {
    const startedAt = performance.now();
    const { router } = this.#options;
    const route = isDns ? router.routeDns(asked) : await router.route(asked);
    const attempt = { asker, route, startedAt };
    this.#logDecision(attempt);
    return attempt;
  }

  /** Open the connection; a failure is logged in the server's own words. Never rejects. */
  async dial(attempt: Attempt, signal: AbortSignal): Promise<DialResult> {
    const { route } = attempt;
    if (route.failure !== undefined) return { ok: false, failure: route.failure };
    if (route.decision.action === "answer") return this.#options.answerDns(attempt.asker);
    if (this.#held >= 2 * this.#options.maxConnections) return this.#refuseForWantOfRoom(attempt);
    this.#held++;
    const options = { timeoutMs: this.#options.timeoutMs, signal };
    const result = route.decision.action === "forward"
      ? await dialThrough(route.decision.server, route.target, options)
      : await dialDirect(route.target, options);
    if (result.ok) {
      this.#logStep(attempt, `connected after ${msSince(attempt.startedAt)} ms`);
      if (result.socket.closed) this.#release();
      else result.socket.on("close", () => this.#release());
    } else {
      if (signal.aborted) this.#logStep(attempt, "given up by the program");
      else this.#logFailure(attempt, result.failure);
      this.#release();
    }
    return result;
  }

  /** Relay until the end, and log the end. */
  async carry(attempt: Attempt, ends: RelayEnds): Promise<void> {
    this.#held++;
    const letNameGo = this.#options.router.hold(attempt.route.target);
    const { sent, received, outcome } = await relay(ends);
    letNameGo();
    this.#options.log.write({
      action: "END",
      ...subjectOf(attempt),
      text: this.#isEnding && outcome !== "ok" ? "cut-at-exit" : outcome,
      sent,
      received,
      ms: msSince(attempt.startedAt),
    });
    this.#release();
  }

  /** Resolves when no connection is being opened or relayed. */
  idle(): Promise<void> {
    if (this.#held === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onIdle.push(resolve));
  }

  #release(): void {
    this.#held--;
    if (this.#held === 0) this.#onIdle.splice(0).forEach((wake) => wake());
  }

  #refuseForWantOfRoom(attempt: Attempt): DialResult {
    const detail = `${this.#options.maxConnections} connections are open; raise ulimit -n`;
    const failure: Failure = { code: "OUT_OF_DESCRIPTORS", detail };
    this.#logFailure(attempt, failure);
    return { ok: false, failure };
  }

  /** From now on a connection that ends was cut by the end of the run. */
  markEnding(): void {
    this.#isEnding = true;
  }

  #logDecision(attempt: Attempt): void {
    const { decision, failure } = attempt.route;
    this.#options.log.write({
      action: ACTIONS[decision.action],
      ...subjectOf(attempt),
      text: formatReason(decision.reason),
    });
    if (failure === undefined) return;
    if (decision.action === "refuse") this.#explain(attempt.route, failure);
    else this.#logFailure(attempt, failure);
  }

  #logStep(attempt: Attempt, text: string): void {
    this.#options.log.write({ action: "STEP", ...subjectOf(attempt), text });
  }

  #logFailure(attempt: Attempt, failure: Failure): void {
    const isExplained = this.#explain(attempt.route, failure);
    this.#options.log.write({
      action: "FAIL",
      ...subjectOf(attempt),
      errno: errnoNameOf(failure.code),
      isDestinationsFault: !isExplained,
      text: [wordsOf(failure.code), failure.detail].filter((words) => words !== "").join(": "),
    });
  }

  /** The three lines, where the server or the configuration is at fault; false where it is not. */
  #explain(route: Route, failure: Failure): boolean {
    const server = route.decision.action === "forward" ? route.decision.server : undefined;
    const explanation = explainFailure(failure, server, route.label);
    if (explanation !== undefined) this.#options.log.explain(explanation);
    return explanation !== undefined;
  }
}

const ACTIONS = {
  direct: "DIRECT",
  forward: "FORWARD",
  refuse: "REFUSE",
  answer: "ANSWER",
} as const;

/** What every line about an attempt begins with. */
function subjectOf({ asker, route }: Attempt) {
  return { asker, destination: route.label, server: formatDecisionServer(route.decision) };
}

function msSince(startedAt: number): number {
  return Math.round(performance.now() - startedAt);
}
