/**
 * The help texts. Pure.
 */

import deno from "../../deno.json" with { type: "json" };
import { CONVERT_HELP } from "./convert.ts";
import { INIT_HELP } from "./init.ts";
import { RELOAD_HELP } from "./reload.ts";

/** Its one source is deno.json. */
export const VERSION: string = deno.version;

const MAIN = `tsocks ${VERSION}: run a program through a SOCKS server

  tsocks run [OPTIONS] -- COMMAND [ARGS...]   run COMMAND through the configured server
  tsocks COMMAND [ARGS...]                    the same, in short
  tsocks serve --listen ADDR:PORT [OPTIONS]   a SOCKS 4/4a/5 and HTTP server
  tsocks init [FILE]                          ask a few questions, write a configuration
  tsocks convert FILE                         tsocks.conf or proxychains.conf ... in another form
  tsocks reload [PID]                         have running ones read their configuration again
  tsocks help [VERB]                          the options of a verb
  tsocks --version

Example:
  tsocks run --server socks5://127.0.0.1:1080 -- curl http://example.com/`;

const COMMON =
  `  --conf FILE             read FILE; otherwise TSOCKS_CONF_FILE, ~/.tsocks.conf, /etc/tsocks.conf,
                          /usr/local/etc/tsocks.conf (or .jsonc for each), the first there is
  --server URL            socks4:// socks4a:// socks5:// or http://[USER:PASSWORD@]HOST[:PORT];
                          the default server, or with --reaches behind it one for these only
  --reaches NET           networks (10.0.0.0/8, 10.0.0.0:80-90/8) or names (*.corp.example) that the
                          --server before it carries; repeatable, the last that matches wins
  --connect-timeout SEC   until the destination is connected (10)
  --debug N               -1 nothing, 0 errors, 1 each decision, 2 each step (TSOCKS_DEBUG, 0)
  --debug-file FILE       append the log to FILE (TSOCKS_DEBUG_FILE; otherwise standard error)
  --log-format FORMAT     text or json (text)`;

const RUN = `Usage: tsocks run [OPTIONS] -- COMMAND [ARGS...]

  --password-file FILE    the servers' password is the first line of FILE
  --no-env                leave HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY as they are
  --udp WAY               refuse, or direct: let datagrams past the servers, which carry none (refuse)
  --dns WAY               who looks names up: remote (the server), local (this machine: it tells them),
                          tcp (a DNS server, through the SOCKS server) (remote)
  --dns-server IP[:PORT]  the DNS server, for dns = tcp and for records other than addresses
  --strict                refuse programs that the shim cannot be in (static, set-user-id ...)
  --no-reexec             leave the environment alone of what a program starts without the shim
  --linger                let connections of the child's own children finish after its end
${COMMON}

Exit status: the command's own; 128+N where signal N ended it; 127 not found; 126 not executable;
125 tsocks itself failed, and nothing was started, or --strict ended a command without the shim.`;

const SERVE = `Usage: tsocks serve --listen ADDR:PORT [OPTIONS]

  --listen ADDR:PORT      port 0 takes a free one; prints "listening on ADDR:PORT"
  --user NAME             clients must give this user name,
  --password-file FILE    and the first line of FILE as password
  --open                  allow an address beyond loopback without a password
  --map NAME:PORT=ADDR:PORT   connect to ADDR:PORT where a client asks for NAME:PORT; repeatable
${COMMON}

With no server configured it connects directly. SIGHUP has it read the configuration again; it ends at SIGTERM
or SIGINT, or when its terminal hangs up.`;

const TOPICS = new Map([
  ["run", RUN],
  ["serve", SERVE],
  ["init", INIT_HELP],
  ["convert", CONVERT_HELP],
  ["reload", RELOAD_HELP],
]);

/** The help on a verb, or the overview. */
export function helpText(topic: string | undefined): string {
  return TOPICS.get(topic ?? "") ?? MAIN;
}
