/**
 * The three lines (what, where, how to mend it) for a connection that failed because of the server
 * or the configuration. A destination that merely refused is the program's to report. Pure.
 */

import { formatServer, type Server } from "../config/model.ts";
import { formatMessage, formatPlace } from "../errors.ts";
import type { Failure, FailureCode } from "../socks/machine.ts";

/** Undefined where the server did its job and the destination is what failed. */
export function explainFailure(
  failure: Failure,
  server: Server | undefined,
  destination: string,
): string | undefined {
  if (failure.code === "REFUSED_BY_POLICY") {
    return formatMessage(
      `Connection to ${destination} refused: ${failure.detail}`,
      "the policy: nothing goes direct unless a rule says so",
      'name a server ("server = ..." or --server URL), or make the destination local',
    );
  }
  const advice = server && adviseOn(failure, server);
  return advice && formatMessage(advice.what, advice.where, advice.fix);
}

/** The same parts, of a failure that is the server's; undefined of any other. */
export function adviseOn(
  failure: Failure,
  server: Server,
): { what: string; where: string; fix: string } | undefined {
  const advice = ADVICE[failure.code];
  if (advice === undefined) return undefined;
  const detail = failure.detail === "" ? "" : `: ${failure.detail}`;
  const where = `${formatServer(server)} (${formatPlace(server.place)})`;
  return { what: `${advice.what}${detail}`, where, fix: advice.fix };
}

/** For datagrams: independent of the destination, so that it is said once a run. */
export const DATAGRAMS_REFUSED = formatMessage(
  "Datagrams (UDP) are refused: no server carries them",
  "the policy: nothing goes direct unless a rule says so",
  'let the program use TCP; or, to let them go direct, "udp = direct" or --udp direct',
);

/** As above. */
export const RECORDS_REFUSED = formatMessage(
  "DNS records other than addresses are refused: the SOCKS server has none",
  "the policy: names are not told to this machine's name servers",
  'name a DNS server that the SOCKS server reaches: "dns_server = IP" or --dns-server IP',
);

const ADVICE: Partial<Record<FailureCode, { what: string; fix: string }>> = {
  SERVER_REFUSED: {
    what: "Cannot connect to the SOCKS server: connection refused",
    fix: "check that the server runs there, and server_port",
  },
  SERVER_UNREACHABLE: {
    what: "Cannot connect to the SOCKS server",
    fix: "check the server's name or address, and the network to it",
  },
  SERVER_TIMEOUT: {
    what: "The SOCKS server did not answer in time",
    fix: "check that it is a SOCKS server of that server_type, or raise --connect-timeout",
  },
  SERVER_CLOSED: {
    what: "The SOCKS server closed the connection before its reply",
    fix: "check server_type (4, 4a, 5 or http) and the server's own log",
  },
  PROTOCOL_ERROR: {
    what: "The server's answer is not the protocol's",
    fix: "check server_port and server_type (4, 4a, 5 or http)",
  },
  NO_ACCEPTABLE_METHODS: {
    what: "The SOCKS server wants another authentication than was offered",
    fix: "give default_user and default_pass, or TSOCKS_USERNAME and --password-file",
  },
  AUTHENTICATION_FAILED: {
    what: "The SOCKS server does not accept the user name or password",
    fix: "check default_user and default_pass, TSOCKS_USERNAME and TSOCKS_PASSWORD",
  },
};
