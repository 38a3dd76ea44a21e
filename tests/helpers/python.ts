/** Small Python programs for tests that need exact, blocking system calls and their errno. */

import { programPath } from "./needs.ts";

/** `python3 -c SCRIPT ARGS`, as a command. */
export function python(script: string, ...args: string[]): string[] {
  return [programPath("python3"), "-c", script, ...args];
}

const CONNECT = `
import errno, os, socket, sys
try:
    socket.create_connection((os.fsencode(sys.argv[1]), int(sys.argv[2])))
    print("connected")
except socket.gaierror as e:
    print("EAI_NONAME" if e.errno == socket.EAI_NONAME else e)
except OSError as e:
    print(errno.errorcode.get(e.errno, e))`;

/** Connects, blocking, and prints `connected`, or the errno by name, or EAI_NONAME. */
export function connectCommand(host: string, port: number): string[] {
  return python(CONNECT, host, `${port}`);
}
