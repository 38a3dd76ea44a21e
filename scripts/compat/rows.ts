/** The list of the compatibility table, in its order. */

import type { Row } from "./row.ts";
import { BROWSER_ROWS } from "./rows/browsers.ts";
import { FILE_ROWS } from "./rows/files.ts";
import { NAME_ROWS } from "./rows/names.ts";
import { PYTHON_ROWS } from "./rows/python.ts";
import { RUNTIME_ROWS } from "./rows/runtimes.ts";
import { SOCKET_ROWS } from "./rows/sockets.ts";
import { TALK_ROWS } from "./rows/talk.ts";
import { WEB_ROWS } from "./rows/web.ts";

export const ROWS: Row[] = [
  ...WEB_ROWS,
  ...BROWSER_ROWS,
  ...FILE_ROWS,
  ...SOCKET_ROWS,
  ...PYTHON_ROWS,
  ...RUNTIME_ROWS,
  ...TALK_ROWS,
  ...NAME_ROWS,
];
