/** What main.ts has read of the world and gives to every verb. */
export interface Context {
  env: Record<string, string>;
  /** The real and the effective user differ: then no variable is believed. */
  isPrivileged: boolean;
  /** Where warnings go: standard error. */
  warn: (message: string) => void;
  /** Standard output. */
  print: (text: string) => void;
}
