/** Its one source is deno.json. Pure. */

import deno from "../../deno.json" with { type: "json" };

export const VERSION: string = deno.version;
