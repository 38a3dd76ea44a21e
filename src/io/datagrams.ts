/**
 * What the shim is told of datagrams, and of sockets whose destinations it cannot see: direct,
 * answered in a name server's place, or refused; never carried.
 */

import { isLoopback, isUnspecified } from "../net/address.ts";
import { formatReason } from "../policy/decide.ts";
import { DATAGRAMS_REFUSED } from "../policy/explain.ts";
import { formatSocketKind } from "../policy/sockets.ts";
import type { ControlAnswer, ControlRequest } from "../shim/control.ts";
import { CountedLog } from "./counted_log.ts";
import type { DnsFaces } from "./dns_faces.ts";
import type { DecisionLog } from "./log.ts";
import type { Router } from "./router.ts";

/** errno.h */
const EPERM = 1;

export class Datagrams {
  readonly #router: Router;
  readonly #log: DecisionLog;
  readonly #faces: DnsFaces;
  readonly #counted: CountedLog;

  constructor(router: Router, log: DecisionLog, faces: DnsFaces) {
    this.#router = router;
    this.#log = log;
    this.#faces = faces;
    this.#counted = new CountedLog(log);
  }

  async answer(request: ControlRequest & { op: "connect" }): Promise<ControlAnswer> {
    const { endpoint: { address, port }, pid, inode } = request;
    const { label: destination, decision } = this.#router.routeDatagram({
      kind: "address",
      address,
      port,
    });
    const isDns = decision.action === "answer";
    const face = isDns && inode !== undefined && await this.#faces.open(address, { inode, pid });
    const text = isDns && !face
      ? "datagram: it is asked for more name servers than can be answered for"
      : `datagram: ${formatReason(decision.reason)}`;
    if (face) {
      this.#counted.write({ pid, destination, action: "ANSWER", text });
      return { status: "redirect", endpoint: face };
    }
    const isDirect = decision.action === "direct";
    // It was asked about only because a name server might listen there.
    if (isDirect && (isLoopback(address) || isUnspecified(address))) return { status: "direct" };
    this.#counted.write({ pid, destination, action: isDirect ? "DIRECT" : "REFUSE", text });
    if (isDirect) return { status: "direct" };
    this.#log.explain(DATAGRAMS_REFUSED);
    return { status: "fail", error: EPERM };
  }

  /** No policy could be kept on such a socket: it is refused, whatever `udp` says. */
  answerSocket({ pid, ...kind }: ControlRequest & { op: "socket" }): ControlAnswer {
    const destination = formatSocketKind(kind.domain, kind.type, kind.protocol);
    const text = "what such a socket sends would pass the policy unseen";
    this.#counted.write({ pid, destination, action: "REFUSE", text });
    return { status: "fail", error: EPERM };
  }
}
