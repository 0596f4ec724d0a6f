import { badUserInput } from '../errors.ts';

/** The cursor of the message with this number: opaque to callers, and stable. */
export function cursorOf(seq: number): string {
  return Buffer.from(`m${seq}`).toString('base64url');
}

/** @throws GatewayError BAD_USER_INPUT for what `cursorOf` did not make. */
export function seqOf(cursor: string): number {
  const [, digits] = /^m([0-9]+)$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? [];
  const seq = Number(digits);
  if (Number.isSafeInteger(seq) && cursorOf(seq) === cursor) return seq;
  throw badUserInput([{ path: ['after'], expected: 'the cursor of a message on an earlier page' }]);
}
