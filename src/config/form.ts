/** The two forms of tsocks's own configuration, told apart without reading them: tsocks.conf and tsocks.jsonc. */

export type ConfigForm = "conf" | "jsonc";

/**
 * By the name, and where that says nothing by the beginning: no line of tsocks.conf begins with `{`,
 * `//` or `/*`.
 */
export function formOf(filePath: string, text: string): ConfigForm {
  if (/\.jsonc?$/i.test(filePath)) return "jsonc";
  if (/\.conf$/i.test(filePath)) return "conf";
  return /^\ufeff?\s*(\{|\/[/*])/.test(text) ? "jsonc" : "conf";
}
