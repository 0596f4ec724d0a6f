import { badUserInput } from '../errors.ts';

/** Which list a cursor belongs to: none is taken for another's. */
export type CursorKind = 'm' | 's' | 'q';

/** The cursor of the row with this number: opaque to callers, and stable. */
export function cursorOf(kind: CursorKind, seq: number | string): string {
  return Buffer.from(`${kind}${seq}`).toString('base64url');
}

/** @throws GatewayError BAD_USER_INPUT for what `cursorOf` did not make of this kind. */
export function seqOf(kind: CursorKind, cursor: string): number {
  const text = Buffer.from(cursor, 'base64url').toString();
  const seq = /^[msq][0-9]+$/.test(text) ? Number(text.slice(1)) : Number.NaN;
  if (Number.isSafeInteger(seq) && cursorOf(kind, seq) === cursor) return seq;
  throw badUserInput([{ path: ['after'], expected: 'a cursor of an earlier page of the same list' }]);
}
