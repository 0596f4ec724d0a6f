/**
 * Strings as PostgreSQL can hold them. Its texts are UTF-8 without NUL and without lone surrogates, and `COLLATE "C"` orders
 * them by code point; JavaScript's are any UTF-16 code units, and ordered by those.
 *
 * Every string comes back as it was. Few are changed at all: U+0000 to U+0002, U+E000 and U+E001 become two characters, and
 * so do surrogates, in `encodeKey` only lone ones. U+0001 is never part of an encoded text, and so is free to end one.
 */

/** For what is only looked up. */
export function encodeKey(text: string): string {
  return unusual.test(text) ? text.replace(unusualOrLone, encodeUnit) : text;
}

/** The order of encoded texts, byte by byte, is that of the texts by code unit. */
export function encodeOrdered(text: string): string {
  return unusual.test(text) ? text.replace(unusualUnit, encodeUnit) : text;
}

/** Undoes both. */
export function decodeText(text: string): string {
  if (!unusual.test(text)) return text;
  let decoded = '';
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charAt(at);
    const isMark = unit === marks.low || unit === marks.surrogate || unit === marks.private;
    if (isMark) at += 1;
    decoded += isMark ? decodeUnit(unit, text.charCodeAt(at)) : unit;
  }
  return decoded;
}

/** Before all others, after U+D7FF, and before U+E002. */
const marks = { low: '\u0002', surrogate: '\ue000', private: '\ue001' };
/** What may be encoded: control characters, most of which stay as they are, surrogates, U+E000 and U+E001. */
const unusual = /[^ -\ud7ff\ue002-\uffff]/;
const unusualUnit = /[^ -\ud7ff\ue002-\uffff]/g;
const unusualOrLone = /[^ -\ud7ff\ue002-\u{10ffff}]/gu;
/** Where surrogates are moved to. */
const movedBy = 0xe100 - 0xd800;

function encodeUnit(unit: string): string {
  const code = unit.charCodeAt(0);
  if (code <= 2) return marks.low + 'abc'.charAt(code);
  if (code < 0xd800) return unit;
  if (code >= 0xe000) return marks.private + 'ab'.charAt(code - 0xe000);
  return marks.surrogate + String.fromCharCode(code + movedBy);
}

function decodeUnit(mark: string, code: number): string {
  if (mark === marks.surrogate) return String.fromCharCode(code - movedBy);
  return String.fromCharCode(code - 0x61 + (mark === marks.low ? 0 : 0xe000));
}
