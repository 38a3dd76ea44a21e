/** `tsocks doctor`: what would hinder a run, of the machine, the configuration and its servers. */

import type { DoctorOptions } from "../cli/doctor.ts";
import { type Config, type Diagnostic, formatServer, type Server } from "../config/model.ts";
import type { Context } from "../context.ts";
import { formatPlace, TsocksError } from "../errors.ts";
import { dialThrough } from "../io/dial.ts";
import { gatherFacts } from "../io/machine_facts.ts";
import { watchNameservers } from "../io/resolver.ts";
import { readConfig, readPasswordFile, requireDnsServer, requireServer } from "../io/settings.ts";
import { parseIpAddress } from "../net/address.ts";
import { adviseOn } from "../policy/explain.ts";
import { type Finding, judgeMachine } from "../policy/machine.ts";
import { showFindings } from "../report/findings.ts";
import { wordsOf } from "../socks/reply.ts";

const STATUS_PROBLEM = 1;

/** Resolves to the exit status. */
export async function doctor(options: DoctorOptions, context: Context): Promise<number> {
  const findings = [
    ...judgeMachine(await gatherFacts(context.env)),
    ...await examineConfig(options, context),
  ];
  const { print } = context;
  print(options.isJson ? JSON.stringify({ findings }, null, 2) : showFindings(findings));
  return findings.some(({ level }) => level === "problem") ? STATUS_PROBLEM : 0;
}

async function examineConfig(options: DoctorOptions, context: Context): Promise<Finding[]> {
  const { conf, servers, passwordFile, timeoutMs } = options;
  const { env, isPrivileged } = context;
  try {
    const password = passwordFile && readPasswordFile(passwordFile);
    const { config, diagnostics, file } = await readConfig({
      conf,
      servers,
      password,
      env,
      isPrivileged,
    });
    const complaints = diagnostics.map(complaintFinding);
    if (complaints.some(({ level }) => level === "problem")) return complaints;
    requireServer(config);
    requireDnsServer(config, watchNameservers()());
    const name = file?.filePath ?? "the command line";
    const valid: Finding = { level: "ok", what: `The configuration is valid: ${name}` };
    const examined = serversOf(config).map((server) => examineServer(server, timeoutMs));
    return [valid, ...complaints, ...await Promise.all(examined)];
  } catch (error) {
    if (!(error instanceof TsocksError)) throw error;
    const { message: what, where, fix } = error;
    return [{ level: "problem", what, where, fix }];
  }
}

function complaintFinding({ severity, message, place, fix }: Diagnostic): Finding {
  const level = severity === "error" ? "problem" : "note";
  return { level, what: message, where: formatPlace(place), fix };
}

/** Each once, though several paths name it. */
function serversOf({ paths, defaultServer }: Config): Server[] {
  const all = [...paths.map((path) => path.server), defaultServer]
    .filter((server) => server !== undefined);
  return [...new Map(all.map((server) => [formatServer(server), server])).values()];
}

/** Asks it to connect to itself; that it refuses to do so is an answer. */
async function examineServer(server: Server, timeoutMs: number): Promise<Finding> {
  const { port } = server;
  const itself = { kind: "address" as const, address: parseIpAddress("127.0.0.1")!, port };
  const startMs = performance.now();
  const options = { timeoutMs, signal: new AbortController().signal };
  const result = await dialThrough(server, itself, options);
  const name = formatServer(server);
  const ms = `${(performance.now() - startMs).toFixed(1)} ms`;
  if (result.ok) {
    result.socket.destroy();
    return { level: "ok", what: `${name} answers, in ${ms}` };
  }
  const { failure } = result;
  // A web server's 400, 405 or 501 is no proxy's.
  const isStranger = server.type === "http" && failure.code === "GENERAL_FAILURE";
  const code = isStranger ? "PROTOCOL_ERROR" : failure.code;
  const advice = adviseOn({ ...failure, code }, server);
  if (advice !== undefined) return { level: "problem", ...advice };
  return { level: "ok", what: `${name} answers, in ${ms}: ${wordsOf(failure.code)} to itself` };
}
