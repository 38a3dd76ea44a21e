/**
 * Who may use the forwarder's SOCKS and HTTP faces: whoever knows the user name and the secret.
 * Compared in constant time.
 */

import { createHash, timingSafeEqual } from "node:crypto";
import type { Access } from "../socks/machine.ts";

export const OPEN_ACCESS: Access = { isOpen: true, check: () => true };

/** `acceptsUserId`: SOCKS4 has no password, so its USERID must be the secret itself. */
export function secretAccess(
  user: string,
  secret: string,
  options: { acceptsUserId: boolean },
): Access {
  return {
    isOpen: false,
    check(givenUser, password) {
      if (password === undefined) return options.acceptsUserId && isSame(givenUser, secret);
      // Both are compared, whatever the first says.
      const isUser = isSame(givenUser, user);
      return isSame(password, secret) && isUser;
    },
  };
}

function isSame(a: string, b: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
