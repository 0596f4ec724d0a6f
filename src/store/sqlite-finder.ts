import type { Message } from '../message.ts';
import type { Link } from './sqlite-link.ts';

/** The messages of one answer: so few that it is never too large. */
const maxIds = 100;

type Wish = PromiseWithResolvers<Message | undefined>;

/**
 * Looks messages up. What is asked for in one turn, however often, is one call to the worker: a query that names a
 * message for each of a hundred sends is not to take the room of a hundred writes.
 */
export function createFinder(link: Pick<Link, 'ask'>): (id: string) => Promise<Message | undefined> {
  let wanted = new Map<string, Wish>();

  function look(): void {
    const all = [...wanted];
    wanted = new Map();
    for (let first = 0; first < all.length; first += maxIds)
      answer(new Map(all.slice(first, first + maxIds)));
  }

  async function answer(asked: ReadonlyMap<string, Wish>): Promise<void> {
    try {
      const found = await link.ask(['find', [...asked.keys()]]);
      const byId = new Map(found.map((message) => [message.id, message]));
      for (const [id, { resolve }] of asked) resolve(byId.get(id));
    } catch (error) {
      for (const { reject } of asked.values()) reject(error);
    }
  }

  return (id) => {
    if (wanted.size === 0) queueMicrotask(look);
    const known = wanted.get(id) ?? Promise.withResolvers<Message | undefined>();
    wanted.set(id, known);
    return known.promise;
  };
}
