/**
 * What the shim is told of datagrams, and of sockets whose destinations it cannot see: direct or
 * refused, never carried. A program that keeps sending is logged at its 1st, 10th, 100th ... time.
 */

import { formatReason } from "../policy/decide.ts";
import { DATAGRAMS_REFUSED } from "../policy/explain.ts";
import { formatSocketKind } from "../policy/sockets.ts";
import type { ControlAnswer, ControlRequest } from "../shim/control.ts";
import type { DecisionLog } from "./log.ts";
import { describeProcess } from "./processes.ts";
import type { Router } from "./router.ts";

/** errno.h */
const EPERM = 1;

/** Processes and destinations whose datagrams are counted; beyond that the oldest are forgotten. */
const MAX_COUNTED = 1000;

interface Answered {
  pid: number;
  destination: string;
  action: "DIRECT" | "REFUSE";
  text: string;
}

export class Datagrams {
  readonly #router: Router;
  readonly #log: DecisionLog;
  /** `PID DESTINATION` → how often, the last counted at the end. */
  readonly #counts = new Map<string, number>();

  constructor(router: Router, log: DecisionLog) {
    this.#router = router;
    this.#log = log;
  }

  answer({ endpoint, pid }: ControlRequest & { op: "connect" }): ControlAnswer {
    const { address, port } = endpoint;
    const { label, decision } = this.#router.routeDatagram({ kind: "address", address, port });
    const isDirect = decision.action === "direct";
    const text = `datagram: ${formatReason(decision.reason)}`;
    this.#count({ pid, destination: label, action: isDirect ? "DIRECT" : "REFUSE", text });
    if (isDirect) return { status: "direct" };
    this.#log.explain(DATAGRAMS_REFUSED);
    return { status: "fail", error: EPERM };
  }

  /** No policy could be kept on such a socket: it is refused, whatever `udp` says. */
  answerSocket({ pid, ...kind }: ControlRequest & { op: "socket" }): ControlAnswer {
    const destination = formatSocketKind(kind.domain, kind.type, kind.protocol);
    const text = "what such a socket sends would pass the policy unseen";
    this.#count({ pid, destination, action: "REFUSE", text });
    return { status: "fail", error: EPERM };
  }

  #count({ pid, destination, action, text }: Answered): void {
    const key = `${pid} ${destination}`;
    const times = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.delete(key);
    this.#counts.set(key, times);
    if (this.#counts.size > MAX_COUNTED) this.#counts.delete(this.#counts.keys().next().value!);
    if (!/^10*$/.test(`${times}`)) return;
    const suffix = times === 1 ? "" : `, ${times} times so far`;
    const asker = describeProcess(pid);
    this.#log.write({ action, asker, destination, server: "-", text: text + suffix });
  }
}
