/**
 * The environment of the child: the shim, the control variable and the proxy variables, and what
 * is taken out. Pure. Values of the proxy variables are those that curl, wget, git, Python, Node
 * and Go all understand.
 */

import type { Config, NetworkRule } from "../config/model.ts";
import { formatSubnet } from "../net/subnet.ts";

export type Environment = Record<string, string>;

export interface ChildEnvironmentOptions {
  /** tsocks's own environment. */
  base: Environment;
  config: Config;
  /** What LD_PRELOAD calls the shim. */
  preload: string;
  controlPath: string;
  /** 32 hexadecimal digits. */
  token: string;
  ports: { v4: number; v6: number };
  /** `--no-env`: leave the proxy variables as they are. */
  withoutProxyVariables: boolean;
  /** `--no-reexec`: exec leaves environments alone. */
  withoutReexec: boolean;
}

/** The user name of the forwarder's SOCKS and HTTP faces; the token is the password. */
export const FACE_USER = "tsocks";

export function childEnvironment(options: ChildEnvironmentOptions): Environment {
  const { base, preload, controlPath, token, ports } = options;
  const environment: Environment = {
    ...base,
    LD_PRELOAD: base.LD_PRELOAD ? `${preload}:${base.LD_PRELOAD}` : preload,
    TSOCKS_CONTROL: `${token}${controlFlags(options)}:${ports.v4}:${ports.v6}:${controlPath}`,
  };
  // The brain has it; the child needs none, and ps(1) would show it.
  delete environment.TSOCKS_PASSWORD;
  return options.withoutProxyVariables
    ? environment
    : { ...environment, ...proxyVariables(options) };
}

/** FLAGS of TSOCKS_CONTROL (shim/control.h), with their `+`. */
function controlFlags({ withoutReexec, config }: ChildEnvironmentOptions): string {
  const flags = `${withoutReexec ? "E" : ""}${config.udp.isDirect ? "U" : ""}`;
  return flags === "" ? "" : `+${flags}`;
}

function proxyVariables({ config, token, ports }: ChildEnvironmentOptions): Environment {
  // http:// in ALL_PROXY too: python's httpx does not even start with socks5h:// there.
  const url = `http://${FACE_USER}:${token}@127.0.0.1:${ports.v4}`;
  const variables: Environment = {
    HTTP_PROXY: url,
    HTTPS_PROXY: url,
    ALL_PROXY: url,
    NO_PROXY: noProxy(config),
  };
  for (const [name, value] of Object.entries(variables)) variables[name.toLowerCase()] = value;
  return variables;
}

/** `localhost,127.0.0.0/8,::1,10.0.0.0/8,.lan`; what NO_PROXY has no word for, the forwarder knows anyway. */
function noProxy(config: Config): string {
  const words = ["localhost", "127.0.0.1"];
  for (const rule of config.locals) if (isAnyPort(rule)) words.push(subnetWord(rule));
  for (const rule of config.localNames) {
    // curl and Go take an exact name for all below it too, so those stay out.
    if (isAnyPort(rule) && rule.pattern.startsWith("*.")) words.push(rule.pattern.slice(1));
  }
  return [...new Set(words)].join(",");
}

function subnetWord({ subnet }: NetworkRule): string {
  return formatSubnet(subnet).replace(/\/(32|128)$/, "");
}

function isAnyPort({ ports }: { ports: { first: number; last: number } }): boolean {
  return ports.first <= 1 && ports.last === 65535;
}
