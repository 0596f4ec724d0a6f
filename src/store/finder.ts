import { keyText, type Message, type MessageKey } from '../message.ts';

/** The messages of one answer: so few that it is never too large. */
const maxKeys = 100;

interface Wish extends PromiseWithResolvers<Message | undefined> {
  readonly key: MessageKey;
}

/**
 * Looks messages up. What is asked for in one turn, however often, is one read: a query that names a message for each of a
 * hundred sends is not to take the room of a hundred writes.
 *
 * @param find those that are known, in any order.
 */
export function createFinder(
  find: (keys: readonly MessageKey[]) => Promise<readonly Message[]>,
): (key: MessageKey) => Promise<Message | undefined> {
  let wanted = new Map<string, Wish>();

  function look(): void {
    const all = [...wanted];
    wanted = new Map();
    for (let first = 0; first < all.length; first += maxKeys)
      answer(new Map(all.slice(first, first + maxKeys)));
  }

  async function answer(asked: ReadonlyMap<string, Wish>): Promise<void> {
    try {
      const found = await find([...asked.values()].map((wish) => wish.key));
      const byKey = new Map(found.map((message) => [keyText(message), message]));
      for (const [text, { resolve }] of asked) resolve(byKey.get(text));
    } catch (error) {
      for (const { reject } of asked.values()) reject(error);
    }
  }

  return (key) => {
    if (wanted.size === 0) queueMicrotask(look);
    const text = keyText(key);
    const known = wanted.get(text) ?? { key, ...Promise.withResolvers<Message | undefined>() };
    wanted.set(text, known);
    return known.promise;
  };
}
