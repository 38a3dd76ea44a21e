/**
 * Answers a program's questions of DNS in a name server's place: addresses as getaddrinfo(3) is told
 * them (io/router.ts), reserved addresses back to their names, records of other kinds by the DNS
 * server that is configured, or REFUSED with a log line.
 */

import { addressOfArpa } from "../dns/arpa.ts";
import {
  buildResponse,
  fitDatagram,
  formatType,
  type Query,
  RCODE_NXDOMAIN,
  RCODE_REFUSED,
  RCODE_SERVFAIL,
  readQuery,
  TYPE_A,
  TYPE_AAAA,
  TYPE_ANY,
  TYPE_AXFR,
  TYPE_IXFR,
  TYPE_PTR,
} from "../dns/message.ts";
import { encodeName } from "../dns/wire.ts";
import type { IpAddress } from "../net/address.ts";
import { escapeText } from "../net/printable.ts";
import { RECORDS_REFUSED } from "../policy/explain.ts";
import { isAskedFor } from "../policy/names.ts";
import { isReserved } from "../policy/reserved_names.ts";
import { CountedLog } from "./counted_log.ts";
import type { DnsUpstream } from "./dns_upstream.ts";
import type { Asker, DecisionLog } from "./log.ts";
import type { Lookup, Router } from "./router.ts";

export interface NameServerOptions {
  router: Router;
  upstream: DnsUpstream;
  /** This machine's own resolver, for what is its to resolve. */
  lookup: Lookup;
  reverse: (address: IpAddress) => Promise<string | undefined>;
  log: DecisionLog;
}

interface Asked {
  message: Uint8Array;
  query: Query;
  asker: Asker;
}

const MAX_SHOWN_NAME_LENGTH = 255;

export class NameServer {
  readonly #options: NameServerOptions;
  readonly #counted: CountedLog;

  constructor(options: NameServerOptions) {
    this.#options = options;
    this.#counted = new CountedLog(options.log);
  }

  /** The answer to a message of any kind; undefined to what is no query. Never rejects. */
  async answer(message: Uint8Array, asker: Asker): Promise<Uint8Array | undefined> {
    return (await this.#answer(message, asker))?.response;
  }

  /** The same, cut where it is longer than the program takes by UDP. */
  async answerDatagram(message: Uint8Array, asker: Asker): Promise<Uint8Array | undefined> {
    const { query, response } = await this.#answer(message, asker) ?? {};
    return query && response ? fitDatagram(query, response) : response;
  }

  async #answer(
    message: Uint8Array,
    asker: Asker,
  ): Promise<{ query?: Query; response: Uint8Array } | undefined> {
    const read = readQuery(message);
    if (read.kind === "ignored") return undefined;
    if (read.kind === "bad") return { response: read.response };
    const { query } = read;
    return { query, response: await this.#answerQuery({ message, query, asker }) };
  }

  async #answerQuery(asked: Asked): Promise<Uint8Array> {
    const { name, type } = asked.query.question;
    // Many messages (RFC 5936), and nothing that a program behind a SOCKS server is given.
    if (type === TYPE_AXFR || type === TYPE_IXFR) {
      return buildResponse(asked.query, { rcode: RCODE_REFUSED });
    }
    const pointed = name === undefined ? undefined : addressOfArpa(name);
    if (pointed !== undefined && (type === TYPE_PTR || type === TYPE_ANY)) {
      return await this.#answerPointer(asked, pointed);
    }
    const isOfAddress = type === TYPE_A || type === TYPE_AAAA || type === TYPE_ANY;
    if (isOfAddress && pointed === undefined) return await this.#answerAddresses(asked, name);
    switch (name === undefined ? "invalid" : this.#options.router.treatmentOf(name)) {
      case "hosts":
      case "localhost":
        return buildResponse(asked.query, {});
      case "local":
      case "libc":
        return await this.#askOwn(asked);
      default:
        return await this.#askServer(asked);
    }
  }

  async #answerAddresses(asked: Asked, name: string | undefined): Promise<Uint8Array> {
    const { router, lookup, log } = this.#options;
    const { query, asker } = asked;
    const treatment = name === undefined ? "invalid" : router.treatmentOf(name);
    if (name === undefined || treatment === "invalid" || treatment === "numeric") {
      return buildResponse(query, { rcode: RCODE_NXDOMAIN });
    }
    if (treatment === "tcp") return await this.#askServer(asked);
    const found = await router.resolve(name, 0);
    const addresses = found === "libc" ? await lookup(name) : found;
    // Of a name that the server resolves, and libc too would ask for: the table is full.
    const isFull = addresses?.length === 0 && treatment === "server" && isAskedFor(name);
    if (addresses === undefined || isFull) return buildResponse(query, { rcode: RCODE_SERVFAIL });
    if (addresses.length === 0) return buildResponse(query, { rcode: RCODE_NXDOMAIN });
    log.step(`dns: addresses given to process ${asker.pid} for ${JSON.stringify(name)}`);
    const records = addresses
      .map(({ version, bytes }) => ({ type: version === 4 ? TYPE_A : TYPE_AAAA, data: bytes }))
      .filter(({ type }) => query.question.type === TYPE_ANY || query.question.type === type);
    return buildResponse(query, { records });
  }

  async #answerPointer(asked: Asked, address: IpAddress): Promise<Uint8Array> {
    const { router, reverse } = this.#options;
    const found = router.reverse(address);
    if (found === undefined && !isReserved(address)) return await this.#askServer(asked);
    const name = found === "libc" ? await reverse(address) : found?.name;
    const data = name === undefined ? undefined : encodeName(name);
    if (data === undefined) return buildResponse(asked.query, { rcode: RCODE_NXDOMAIN });
    return buildResponse(asked.query, { records: [{ type: TYPE_PTR, data }] });
  }

  async #askOwn({ message, query }: Asked): Promise<Uint8Array> {
    const response = await this.#options.upstream.askOwn(message, query);
    return response ?? buildResponse(query, { rcode: RCODE_SERVFAIL });
  }

  async #askServer({ message, query, asker }: Asked): Promise<Uint8Array> {
    const { upstream, log } = this.#options;
    if (upstream.server !== undefined) {
      const response = await upstream.ask(message, query, asker);
      return response ?? buildResponse(query, { rcode: RCODE_SERVFAIL });
    }
    const type = formatType(query.question.type);
    const name = escapeText(query.question.name ?? "?", MAX_SHOWN_NAME_LENGTH) || ".";
    const text = "dns: only a dns_server knows records of this kind, and none is configured";
    const entry = { pid: asker.pid, destination: `${name}/${type}`, text };
    this.#counted.write({ ...entry, action: "REFUSE" }, `dns ${type}`);
    log.explain(RECORDS_REFUSED);
    return buildResponse(query, { rcode: RCODE_REFUSED });
  }
}
