/** The one table of verbs: the help, the suggestions and the dispatch in main.ts come from it. */

import { RUN } from "./run.ts";
import { CONVERT } from "./convert.ts";
import { DOCTOR } from "./doctor.ts";
import { INIT } from "./init.ts";
import { INSPECTSOCKS } from "./inspectsocks.ts";
import { RELOAD } from "./reload.ts";
import { ROUTE } from "./route.ts";
import { SAVEME } from "./saveme.ts";
import { SERVE } from "./serve.ts";
import { VALIDATECONF } from "./validateconf.ts";
import type { Verb } from "./verb.ts";

export const VERBS = [
  RUN,
  SERVE,
  INIT,
  CONVERT,
  RELOAD,
  VALIDATECONF,
  ROUTE,
  INSPECTSOCKS,
  DOCTOR,
  SAVEME,
] as const;

/** What one of the verbs is to do. */
export type VerbOptions = ReturnType<(typeof VERBS)[number]["read"]>;

export const VERB_NAMES: readonly string[] = [...VERBS.map(({ name }) => name), "help"];

export function findVerb(name: string | undefined): Verb<VerbOptions> | undefined {
  return VERBS.find((verb) => verb.name === name);
}
