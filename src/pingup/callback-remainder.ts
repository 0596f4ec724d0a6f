import { type CallbackFault, describeFaults } from '../callback-reading.ts';

/** What of a callback goes into quarantine, and why, by the index in what is kept. */
export interface CallbackRemainder {
  readonly raw: string;
  readonly reason: string;
}

/**
 * Of an array the elements that were not understood, each exactly as it came, so that no number loses digits and a
 * repeat is the same text again; of any other body all of it.
 *
 * @param text JSON.
 * @param faults those that reading it found, in the order of its elements.
 */
export function callbackRemainder(text: string, faults: readonly CallbackFault[]): CallbackRemainder {
  const elements = elementsOf(text);
  const indexes = [...new Set(faults.map(({ index }) => index))];
  if (!elements || indexes.length === elements.length) return { raw: text, reason: describeFaults(faults) };
  const raw = `[${indexes.map((index) => elements[index]).join(',')}]`;
  const places = new Map(indexes.map((index, place) => [index, place]));
  const renumbered = faults.map((fault) => ({ ...fault, index: places.get(fault.index) ?? fault.index }));
  return { raw, reason: describeFaults(renumbered) };
}

/** The texts of the elements of an array, in one pass; undefined: the text is of no array. */
function elementsOf(text: string): string[] | undefined {
  const body = text.trim();
  if (!body.startsWith('[')) return undefined;
  const elements: string[] = [];
  let depth = 0;
  let start = 1;
  for (let at = 0; at < body.length; at += 1) {
    const character = body[at];
    if (character === '"') at = endOfString(body, at);
    else if (character === '[' || character === '{') depth += 1;
    else if (character === ']' || character === '}') depth -= 1;
    if (depth > 1 || (depth === 1 && character !== ',')) continue;
    elements.push(body.slice(start, at).trim());
    start = at + 1;
  }
  return elements;
}

/** Where the string ends that begins at `start`: at the next quote that no backslash stands before. */
function endOfString(body: string, start: number): number {
  let at = start + 1;
  while (at < body.length && body[at] !== '"') at += body[at] === '\\' ? 2 : 1;
  return at;
}
