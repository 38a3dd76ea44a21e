/**
 * proxychains.conf (proxychains-ng 4): one server out of it, its local networks, and who looks names up.
 * Source: its man page proxychains(1), and the program's behaviour.
 */

import type { Diagnostic } from "../model.ts";
import { ForeignFile, type ForeignLine } from "./foreign.ts";

const CHAINS = ["strict_chain", "dynamic_chain", "round_robin_chain", "random_chain"];
const REMOTE_DNS = ["proxy_dns", "proxy_dns_old", "proxy_dns_daemon"];

/** What is in every such file, chosen by nobody. */
const STOCK: ReadonlyMap<string, string> = new Map([
  ["remote_dns_subnet", "224"],
  ["tcp_read_time_out", "15000"],
  ["tcp_connect_time_out", "8000"],
]);

export function readProxychains(text: string, filePath: string): ForeignFile {
  const file = new ForeignFile(filePath);
  const isRemote = REMOTE_DNS.some((word) => new RegExp(`^[ \\t]*${word}\\b`, "m").test(text));
  if (!isRemote) {
    file.entries.push({ kind: "comment", text: " Without proxy_dns, names were looked up here." });
    file.set({ line: 1, column: 1 }, "dns", "local");
  }
  let isList = false;
  let chain = "strict_chain";
  let servers = 0;
  file.read(text, (line) => {
    const [word = ""] = line.words;
    if (line.text === "[ProxyList]") isList = true;
    else if (!isList && CHAINS.includes(word)) chain = word;
    else if (!isList) takeDirective(file, line);
    else if (servers++ === 0) takeServer(file, line, isRemote);
    else file.leaveOut(line, "error", chainMessage(chain), "keep one server, or say --lossy");
  });
  if (!/^[ \t]*localnet[ \t]+127\./m.test(text)) {
    const message = "Loopback is always reached directly here, and was not";
    file.complain({ line: 1, column: 1 }, "warning", message, "nothing to mend");
  }
  return file;
}

function chainMessage(chain: string): string {
  return chain === "strict_chain"
    ? "Chain of several servers: tsocks goes through one"
    : `Several servers with ${chain}: tsocks uses the first`;
}

function takeDirective(file: ForeignFile, line: ForeignLine): void {
  const [word = "", value = ""] = line.words;
  if (word === "localnet") return takeLocal(file, line);
  if (word === "proxy_dns") return file.set(line, "dns", "remote");
  if (REMOTE_DNS.includes(word)) {
    file.set(line, "dns", "remote");
    return file.complain(line, "warning", `${word} is read as proxy_dns`, "nothing to mend");
  }
  if (word === "quiet_mode") {
    return file.leaveOut(line, "warning", "quiet_mode: tsocks is always quiet", "nothing to mend");
  }
  const stock = STOCK.get(word);
  if (stock !== undefined) return takeNumber(file, line, value === stock);
  if (word.startsWith("chain_len")) {
    return file.leaveOut(line, "error", "Chains of several servers do not exist", "remove it");
  }
  if (word === "dnat") {
    return file.leaveOut(line, "error", "dnat: destinations are not rewritten", "remove it");
  }
  file.leaveOut(line, "error", "Unknown directive", "remove it, or put # before it");
}

function takeNumber(file: ForeignFile, line: ForeignLine, isStock: boolean): void {
  const severity: Diagnostic["severity"] = isStock ? "warning" : "error";
  const [word = ""] = line.words;
  if (word === "remote_dns_subnet") {
    const message = "remote_dns_subnet: names always get addresses of 198.18.0.0/15";
    return file.leaveOut(line, severity, message, "remove it");
  }
  const message = `${word}: a file has no time limits`;
  file.leaveOut(line, severity, message, "use the option --connect-timeout SECONDS");
}

/** The rest of its line means nothing to proxychains. */
function takeLocal(file: ForeignFile, line: ForeignLine): void {
  const [, network = "", ...rest] = line.words;
  file.set(line, "local", network);
  if (rest.length > 0) file.entries.push({ kind: "comment", text: ` ${rest.join(" ")}` });
}

/** TYPE HOST PORT [USER PASS] */
function takeServer(file: ForeignFile, line: ForeignLine, isRemote: boolean): void {
  const [type = "", host = "", port = "", user, pass, ...rest] = line.words;
  const types: Record<string, string> = {
    http: "http",
    socks5: "5",
    socks4: isRemote ? "4a" : "4",
  };
  if (!Object.hasOwn(types, type)) {
    const message = type === "raw" ? "Server of type raw" : "Unknown type of server";
    return file.leaveOut(line, "error", message, "write socks4, socks5 or http");
  }
  file.set(line, "server", host);
  file.set(line, "server_port", port);
  file.set(line, "server_type", types[type]!);
  if (user !== undefined) file.set(line, "default_user", user);
  if (pass !== undefined) file.set(line, "default_pass", pass);
  if (rest.length > 0) file.entries.push({ kind: "comment", text: ` ${rest.join(" ")}` });
}
