import type { ForgottenClient } from '../forgotten-client.ts';
import { scriptOrder } from './redis-evaluate.ts';
import type { Fleet } from './redis-fleet.ts';
import { keyPart, prefixOf } from './redis-keys.ts';
import type { Script } from './redis-script.ts';
import { literal } from './redis-send-record.ts';

/** One of the small steps by which a partition is walked through. */
export type Step<T> = (partition: number, from: string, until: number) => Promise<Walked<T>>;

export interface Walked<T> {
  readonly found: readonly T[];
  /** From where to go on; undefined at the end. */
  readonly next: string | undefined;
}

/** How many records a step looks at: few enough that nobody else waits long. */
const stepSize = 200;

/**
 * A step that deletes what was last touched before an instant. What a newer release wrote stays, and is stepped over.
 *
 * @param touched the index by touch, without the prefix.
 */
export function pruneStep(fleet: Fleet, script: Script, touched: string, before: number): Step<string> {
  return async (partition, from, until) => {
    const prefix = prefixOf(partition);
    const skipped = Number(from);
    const args = [prefix, String(before), String(skipped), String(stepSize)];
    const order = scriptOrder(script, [`${prefix}${touched}`], args);
    type Reply = readonly [looked: number, kept: number, found: readonly string[]];
    const [looked, kept, found] = await fleet.write<Reply>(partition, order, until);
    return { found, next: looked < stepSize ? undefined : String(skipped + kept) };
  };
}

/** A step along a listing index, which erases a client. */
export function walkStep(
  fleet: Fleet,
  script: Script,
  touched: string,
  index: string,
  { business, client, clientPhone }: ForgottenClient,
): Step<string> {
  return async (partition, from, until) => {
    const prefix = prefixOf(partition);
    const owner = keyPart(business);
    const keys = [`${prefix}${touched}`, `${prefix}${index}:${owner}`];
    const args = [prefix, owner, literal(client), literal(clientPhone), from || '-', String(stepSize)];
    type Reply = readonly [next: string, found: readonly string[]];
    const [next, found] = await fleet.write<Reply>(partition, scriptOrder(script, keys, args), until);
    return { found, next: next || undefined };
  };
}
