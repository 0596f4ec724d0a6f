import type { Answer } from './sqlite-protocol.ts';
import { isDamage } from './sqlite-refusal.ts';

/** Well below the longest string there can be (512 Mi characters), and what a gateway can spare the memory for. */
const roomForReply = 64 * 1_048_576;

/**
 * Encodes the answers of one batch one by one, those that matter most first: one for which there is no room left, or
 * that cannot be encoded, becomes the error of that call alone.
 *
 * @param room how many characters all answers may have together, short errors not counted.
 */
export function createEncoder(room = roomForReply): (answer: Answer) => string {
  let left = room;
  return (answer) => {
    const text = encode(answer);
    if (text.length > left) return encode(failure(new Error('The answer is too large to be served now.')));
    left -= text.length;
    return text;
  };
}

export function failure(error: unknown): Answer {
  const message = error instanceof Error ? error.message : String(error);
  return isDamage(error) ? { error: message, damage: true } : { error: message };
}

function encode(answer: Answer): string {
  try {
    return JSON.stringify(answer);
  } catch (error) {
    return JSON.stringify(failure(error));
  }
}
