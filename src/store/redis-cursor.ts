import { hash } from 'node:crypto';
import { badUserInput } from '../errors.ts';

/** Which list a cursor belongs to: none is taken for another's. */
export type CursorKind = 'm' | 's' | 'q';

const checkLength = 8;

/** The cursor of a member of an index: opaque to callers, and stable. */
export function cursorOf(kind: CursorKind, member: string): string {
  return Buffer.from(`${kind}${checkOf(kind, member)}${member}`).toString('base64url');
}

/** @throws GatewayError BAD_USER_INPUT for what `cursorOf` did not make of this kind. */
export function memberOf(kind: CursorKind, cursor: string): string {
  const member = Buffer.from(cursor, 'base64url')
    .toString()
    .slice(1 + checkLength);
  if (cursorOf(kind, member) === cursor) return member;
  throw badUserInput([{ path: ['after'], expected: 'a cursor of an earlier page of the same list' }]);
}

/** Not a secret: it tells a cursor from a text that somebody made up or cut short. */
function checkOf(kind: CursorKind, member: string): string {
  return hash('sha256', `${kind}${member}`).slice(0, checkLength);
}
