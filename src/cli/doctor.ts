/** `tsocks doctor`: its command line and its help. What it does is src/verbs/doctor.ts. */

import {
  atMost,
  CONFIG_OPTIONS,
  type ConfigOptions,
  configOptions,
  JSON_OPTION,
  readSeconds,
} from "./common_options.ts";
import type { Given } from "./options.ts";
import type { Verb } from "./verb.ts";

export interface DoctorOptions extends ConfigOptions {
  verb: "doctor";
  timeoutMs: number;
  isJson: boolean;
}

const DEFAULT_TIMEOUT_SECONDS = "5";

export const DOCTOR: Verb<DoctorOptions> = {
  name: "doctor",
  summary: "what of this machine or configuration would hinder a run",
  usage: "[OPTIONS]",
  options: [
    ...CONFIG_OPTIONS,
    { name: "timeout", value: "SEC", help: "for each server to answer (5)" },
    JSON_OPTION,
  ],
  notes: [
    "Looks at the directories for the shim, /proc, preloads, shells, architectures, IPv6 and limits, tries what non-blocking connects need, and asks each configured server to connect to itself.",
    "Exit status: 0 no problem, if notes; 1 a problem; 125 the command line is wrong.",
  ],
  examples: [
    ["tsocks doctor", "with the usual configuration"],
    ["tsocks doctor --server socks5://10.1.4.253", "would this server do?"],
  ],
  read(given: Given): DoctorOptions {
    atMost(0, given, "tsocks doctor");
    const timeout = given.text("timeout") ?? DEFAULT_TIMEOUT_SECONDS;
    return {
      verb: "doctor",
      ...configOptions(given),
      timeoutMs: readSeconds(timeout, "--timeout") * 1000,
      isJson: given.has("json"),
    };
  },
};
