/** Who asks: a name, a role, and how they showed it. */

export const ROLES = ['viewer', 'operator', 'admin'] as const;
export type Role = (typeof ROLES)[number];

export interface Principal {
  /** Of the token; `local` where there is no sign-in. */
  readonly name: string;
  readonly role: Role;
  readonly via: 'none' | 'token' | 'session';
  readonly tokenId: string | undefined;
  /** Jobs that it is limited to; undefined: all. */
  readonly jobs?: readonly string[] | undefined;
}

/** Whether a role has all the rights of another. */
export function isAtLeast(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}
