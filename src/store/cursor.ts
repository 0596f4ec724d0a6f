import { badUserInput } from '../errors.ts';

/** Which list a cursor belongs to: none is taken for another's. */
export type CursorKind = 'm' | 's' | 'q';

/** The cursor of the row of a business with this number: opaque to callers, and stable. */
export function cursorOf(kind: CursorKind, number: number | string): string {
  return Buffer.from(`${kind}${number}`).toString('base64url');
}

/** @throws GatewayError BAD_USER_INPUT for what `cursorOf` did not make of this kind. */
export function numberOf(kind: CursorKind, cursor: string): number {
  const text = Buffer.from(cursor, 'base64url').toString();
  const number = /^[msq][0-9]+$/.test(text) ? Number(text.slice(1)) : Number.NaN;
  if (Number.isSafeInteger(number) && cursorOf(kind, number) === cursor) return number;
  throw badUserInput([{ path: ['after'], expected: 'a cursor of an earlier page of the same list' }]);
}
