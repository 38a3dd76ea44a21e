/** What a server speaks, as its answers tell: the judgement. Pure; asking is io/inspect.ts's. */

import type { Failure, FailureCode } from "./machine.ts";
import { wordsOf } from "./reply.ts";

/** What one question came to; undefined where it was granted. */
export type Answer = Failure | undefined;

/** "unknown": it could not be asked, or what was answered does not tell. */
export interface Verdict {
  is: "yes" | "no" | "unknown";
  /** The server's own words, or why it is unknown. */
  detail: string;
}

export interface Method {
  number: number;
  name: string;
  isOffered: boolean;
}

export interface Inspection {
  server: string;
  /** Milliseconds: a TCP connection, the shortest of some; undefined where there was none. */
  connectMs: number | undefined;
  /** From the first octet to the answer to a whole request. */
  requestMs: number | undefined;
  /** Why there is nothing to tell. */
  failure: Failure | undefined;
  versions: Record<"socks4" | "socks4a" | "socks5" | "http", Verdict>;
  methods: Method[];
  features: Record<"names" | "ipv6" | "udpAssociate" | "bind", Verdict>;
}

/** IANA, "SOCKS Methods"; X'04' and those from X'0A' are unassigned, X'80' to X'FE' private. */
export const METHODS: readonly (readonly [number: number, name: string])[] = [
  [0, "no authentication"],
  [1, "GSSAPI"],
  [2, "user name and password"],
  [3, "challenge-handshake (CHAP)"],
  [5, "challenge-response"],
  [6, "SSL"],
  [7, "NDS"],
  [8, "multi-authentication framework"],
  [9, "JSON parameter block"],
];

/** With these the server has not spoken the protocol, or nobody knows. */
const NOT_SPOKEN: Partial<Record<FailureCode, Verdict["is"]>> = {
  PROTOCOL_ERROR: "no",
  SERVER_CLOSED: "no",
  SERVER_REFUSED: "no",
  SERVER_UNREACHABLE: "no",
  SERVER_TIMEOUT: "unknown",
  OUT_OF_DESCRIPTORS: "unknown",
};

/** Whether a version is spoken: a refusal in its own form says so too. */
export function judgeVersion(answer: Answer): Verdict {
  if (answer === undefined) return { is: "yes", detail: "" };
  return { is: NOT_SPOKEN[answer.code] ?? "yes", detail: detailOf(answer) };
}

/** A refusal of a version 4a request is that of 0.0.0.1 by a server of version 4, or of the name. */
export function judgeSocks4a(answer: Answer): Verdict {
  const verdict = judgeVersion(answer);
  return verdict.is === "yes" && answer !== undefined ? { ...verdict, is: "unknown" } : verdict;
}

/** Web servers answer CONNECT too: with 400, 404, 405 or 501. */
export function judgeHttp(answer: Answer): Verdict {
  const verdict = judgeVersion(answer);
  return answer?.code === "GENERAL_FAILURE" ? { ...verdict, is: "no" } : verdict;
}

/** Whether a command is there: OpenSSH closes the connection at one that it does not know. */
export function judgeCommand(answer: Answer): Verdict {
  return judgeRequest(answer, { yes: [], no: ["COMMAND_NOT_SUPPORTED", "SERVER_CLOSED"] });
}

/** Whether a kind of destination is: one that refused was reached, and none other tells. */
export function judgeReach(answer: Answer): Verdict {
  return judgeRequest(answer, { yes: ["CONNECTION_REFUSED"], no: ["ADDRESS_TYPE_NOT_SUPPORTED"] });
}

/** What `codes` do not name leaves it open. */
function judgeRequest(answer: Answer, codes: { yes: FailureCode[]; no: FailureCode[] }): Verdict {
  if (answer === undefined || codes.yes.includes(answer.code)) return judgeVersion(answer);
  return { is: codes.no.includes(answer.code) ? "no" : "unknown", detail: detailOf(answer) };
}

/**
 * By the greetings with the two methods that tsocks has: an answer to one, if only that it takes no
 * such method. A server that answers in the same way whatever it is offered is one too, an echo is none.
 */
export function judgeSocks5(none: Answer, password: Answer): Verdict {
  const isSpoken = [none, password].some((answer) => judgeVersion(answer).is === "yes");
  return isSpoken ? { is: "yes", detail: "" } : judgeVersion(none);
}

/** The words of a failure, and the server's own. */
export function detailOf({ code, detail }: Failure): string {
  return detail === "" ? wordsOf(code) : `${wordsOf(code)}: ${detail}`;
}

/** Whether anything is spoken that tsocks can use. */
export function speaksAny({ versions }: Inspection): boolean {
  return Object.values(versions).some(({ is }) => is === "yes");
}
