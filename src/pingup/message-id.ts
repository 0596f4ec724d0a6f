import { maxCharacters } from '../text-limits.ts';

/** Control characters, line separators and marks of direction, by which a line of a log would read as another one. */
const controls = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;

/**
 * Pingup's id of a message, an opaque string, or undefined if `value` is none. It is taken as it is. A whole number
 * stands for its digits, unless it is so large (2^53) that JSON has lost some of them.
 */
export function parseMessageId(value: unknown): string | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? String(value) : undefined;
  if (typeof value !== 'string' || value.length > maxCharacters.messageId) return undefined;
  return value.trim() !== '' && value.isWellFormed() && !controls.test(value) ? value : undefined;
}
