import { maxUnitsOf } from './body-piece.ts';
import { maxItemsOf } from './page-size.ts';

/**
 * What a field can cost, which is declared beside it as `complexity`: the most bytes that its value takes in the answer's
 * JSON. Where nothing is declared, it follows from the type: an object costs what is selected of it.
 */
export type FieldCost = number | CostEstimator;

/** The cost of a value that depends on arguments (those of type Int are given), or on how many items it has. */
export type CostEstimator = (options: EstimatorOptions) => number;

export interface EstimatorOptions {
  readonly args: Readonly<Record<string, unknown>>;
  /** Of one object with what is selected of it. */
  readonly childComplexity: number;
}

const quotes = 2;
const brackets = 2;
/** A control character is escaped, as in `\u0001`; so is half of a surrogate pair. No other takes as many bytes. */
const maxBytesPerCharacter = 6;

/** Of a string with at most so many characters. They may be code points or UTF-16 code units: neither takes more bytes. */
export function textCost(maxCharacters: number): number {
  return quotes + maxCharacters * maxBytesPerCharacter;
}

/** Of a string with at most so many characters, all of them ASCII that JSON does not escape. */
export function asciiCost(maxCharacters: number): number {
  return quotes + maxCharacters;
}

/** Of a cursor, and of the store's own ids. */
export const cursorCost = asciiCost(64);

/** Of a list of at most so many objects. */
export function listCost(maxItems: number): CostEstimator {
  return ({ childComplexity }) => brackets + maxItems * childComplexity;
}

/** Of the list in a connection: how many items it has is known to the connection. */
export const edgesCost = listCost(1);

/** Of a connection with the argument `first`: whatever is selected of it counts once for each item. */
export const pageCost: CostEstimator = ({ args, childComplexity }) =>
  maxItemsOf(args['first']) * childComplexity;

/** Of a piece of a body, with the argument `length`. */
export const pieceCost: CostEstimator = ({ args }) => textCost(maxUnitsOf(args['length']));
