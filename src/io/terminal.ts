/** Questions on the terminal: prompts on standard error, answers from standard input. */

import { createInterface, type Interface } from "node:readline/promises";
import process from "node:process";
import { Writable } from "node:stream";
import { TsocksError } from "../errors.ts";

export class Terminal implements Disposable {
  readonly #lines: Interface;
  readonly #closed: Promise<never>;
  #isHidden = false;

  constructor() {
    const output = new Writable({
      write: (chunk, _encoding, done) => {
        if (!this.#isHidden) process.stderr.write(chunk);
        done();
      },
    });
    this.#lines = createInterface({ input: process.stdin, output, terminal: true, historySize: 0 });
    this.#closed = new Promise((_, reject) => {
      this.#lines.once("close", () => {
        const where = "standard input, which ended";
        const fix = "answer the questions, or: tsocks init --server URL --yes";
        reject(new TsocksError("USAGE", "Nothing was written", { where, fix }));
      });
    });
    this.#closed.catch(() => {});
  }

  /** Asks until `read` takes the answer; what it throws says why not. @throws TsocksError at ^C and ^D */
  async ask<T>(
    prompt: string,
    read: (answer: string) => T,
    { isHidden } = { isHidden: false },
  ): Promise<T> {
    for (;;) {
      const asked = this.#lines.question(prompt);
      this.#isHidden = isHidden; // from behind the prompt, which is written by now
      const answer = await Promise.race([asked, this.#closed]);
      this.#isHidden = false;
      if (isHidden) process.stderr.write("\n");
      try {
        // A password may begin with a blank.
        return read(isHidden ? answer : answer.trim());
      } catch (error) {
        if (!(error instanceof TsocksError)) throw error;
        process.stderr.write(`${error.format()}\n`);
      }
    }
  }

  [Symbol.dispose](): void {
    this.#lines.close();
  }
}
