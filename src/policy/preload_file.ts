/** /etc/ld.so.preload: libraries apart by blanks or colons, and comments behind `#`. Pure. Source: ld.so(8). */

const IS_OURS = /^(?:.*\/)?libtsocks[^/]*$/;

/** The libraries that it names. */
export function listPreloads(text: string): string[] {
  return text.replace(/#.*/g, "").split(/[\s:]+/).filter((word) => word !== "");
}

/** The text without libtsocks, whatever directory and version it is of; all else as it was. */
export function withoutTsocks(text: string): string {
  return text.split("\n").flatMap((line) => {
    const [, entries = "", comment = ""] = /^([^#]*)(.*)$/.exec(line) ?? [];
    if (!listPreloads(entries).some((word) => IS_OURS.test(word))) return [line];
    const kept = entries.split(/([\s:]+)/).filter((word) => !IS_OURS.test(word)).join("");
    const left = kept.replace(/^[\s:]+|[\s:]+$/g, "").replace(/([\s:])[\s:]+/g, "$1");
    return left + comment === "" ? [] : [left === "" ? comment : `${left} ${comment}`.trimEnd()];
  }).join("\n");
}
