import { badUserInput, type InputFault } from '../errors.ts';

/** The most of a quarantined body in one piece, in UTF-16 code units. */
export const maxPieceLength = 16_384;

/** Which piece of a body. Both count UTF-16 code units, as `string.length` does. */
export interface Piece {
  readonly offset: number;
  readonly length: number;
}

/**
 * The piece that a caller asks for; null stands for the default.
 *
 * @throws GatewayError BAD_USER_INPUT for a negative offset, and for a length outside 1 to 16,384.
 */
export function checkPiece(offset: number | null, length: number | null): Piece {
  const piece = { offset: offset ?? 0, length: length ?? maxPieceLength };
  const faults: readonly InputFault[] = [
    ...(piece.offset >= 0 ? [] : [offsetFault]),
    ...(isPieceLength(piece.length) ? [] : [lengthFault]),
  ];
  if (faults.length > 0) throw badUserInput(faults);
  return piece;
}

/** The most code units that come back for `length`, as a caller gives it: nothing for one that is refused. */
export function maxUnitsOf(length: unknown): number {
  const wanted = length ?? maxPieceLength;
  return isPieceLength(wanted) ? wanted + 1 : 0;
}

/**
 * That piece of `text`. A surrogate pair belongs to the piece in which it begins, so pieces that follow each other make
 * up the text, none ends in half a character, and one may be a code unit longer or shorter than `length`.
 */
export function cutPiece(text: string, { offset, length }: Piece): string {
  return copyOf(text.slice(pastPair(text, offset), pastPair(text, offset + length)));
}

/** A part of a string keeps all of it in memory; a copy does not. */
function copyOf(text: string): string {
  return Buffer.from(text, 'utf16le').toString('utf16le');
}

/** The index itself, or the one after it if a surrogate pair would be cut there. */
function pastPair(text: string, index: number): number {
  return isHalf(text, index - 1, 0xd8) && isHalf(text, index, 0xdc) ? index + 1 : index;
}

/** @param first the upper byte with which halves of this kind begin: 0xd8 for the first of a pair, 0xdc for the second. */
function isHalf(text: string, index: number, first: number): boolean {
  return (text.charCodeAt(index) & 0xfc00) === first << 8;
}

function isPieceLength(length: unknown): length is number {
  return Number.isInteger(length) && Number(length) >= 1 && Number(length) <= maxPieceLength;
}

const offsetFault: InputFault = { path: ['offset'], expected: 'a number from 0 on' };
const lengthFault: InputFault = { path: ['length'], expected: `a number from 1 to ${maxPieceLength}` };
