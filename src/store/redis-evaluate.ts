import type { Client } from './redis-client.ts';
import { isCode } from './redis-reply-error.ts';
import type { Script } from './redis-script.ts';

/** What a server is asked to do. */
export interface Order {
  readonly command: readonly string[];
  /** The one that `command` evaluates. */
  readonly script?: Script;
}

/** @param keys of one slot. The first is always there once anything is, so that a slot on the move is noticed in time. */
export function scriptOrder(script: Script, keys: readonly string[], args: readonly string[]): Order {
  return { script, command: ['EVALSHA', script.sha1, String(keys.length), ...keys, ...args] };
}

/**
 * Has a server do it. A server that does not know the script, since it was started or flushed meanwhile, is taught it.
 *
 * @param asking whether its slot is on the move to this server.
 */
export async function carryOut<T>(client: Client, { command, script }: Order, asking: boolean): Promise<T> {
  try {
    return await send(client, command, asking);
  } catch (error) {
    if (!script || !isCode(error, 'NOSCRIPT')) throw error;
    await teach(client, script);
    return send(client, command, asking);
  }
}

function send<T>(client: Client, command: readonly string[], asking: boolean): Promise<T> {
  // Two commands that are sent in one turn are one after the other on the wire.
  if (asking) client.send(['ASKING']).catch(() => undefined);
  return client.send(command);
}

const lessons = new WeakMap<Client, Map<string, Promise<unknown>>>();

/** However many calls meet a server that does not know a script, it is sent once. */
function teach(client: Client, { sha1, source }: Script): Promise<unknown> {
  const running = lessons.get(client) ?? new Map<string, Promise<unknown>>();
  lessons.set(client, running);
  const lesson =
    running.get(sha1) ?? client.send(['SCRIPT', 'LOAD', source]).finally(() => running.delete(sha1));
  running.set(sha1, lesson);
  return lesson;
}
