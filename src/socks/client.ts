/**
 * Our side of a handshake, whichever protocol the server speaks: picks the machine and nothing else.
 */

import type { Credentials, ServerType } from "../config/model.ts";
import type { Destination } from "../net/address.ts";
import { createHttpClient } from "./client_http.ts";
import { createSocks4Client } from "./client_socks4.ts";
import { createSocks5Client } from "./client_socks5.ts";
import type { ClientMachine, Failure } from "./machine.ts";

export interface ClientOptions {
  type: ServerType;
  credentials: Credentials;
  destination: Destination;
}

/**
 * The machine that asks a server of `type` for `destination`, or why the protocol cannot ask for it:
 * NAME_TOO_LONG, NAME_NOT_FOUND, ADDRESS_TYPE_NOT_SUPPORTED, AUTHENTICATION_FAILED. Nothing need be
 * dialled in that case.
 */
export function createClient(
  { type, credentials, destination }: ClientOptions,
): ClientMachine | { failure: Failure } {
  switch (type) {
    case "4":
    case "4a":
      return createSocks4Client(type, credentials, destination);
    case "5":
      return createSocks5Client(credentials, destination);
    case "http":
      return createHttpClient(credentials, destination);
  }
}
