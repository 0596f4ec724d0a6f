import type { ForgottenClient } from '../forgotten-client.ts';
import { deliveryStatuses, type Message, type MessageKey, statusOf } from '../message.ts';
import type { MessagePage, MessageQuery } from './port.ts';
import { scriptOrder } from './redis-evaluate.ts';
import type { Fleet } from './redis-fleet.ts';
import { keyPart, messageKeyOf, type Place, placeOfMessage, prefixOf, textOfKeyPart } from './redis-keys.ts';
import { readPage } from './redis-listing.ts';
import { mergeScript } from './redis-merge-script.ts';
import { decodeMessage, encodeNews, type KeptMessage } from './redis-message-record.ts';
import { forgetMessagesScript, pruneMessagesScript } from './redis-message-removal.ts';
import { literal } from './redis-send-record.ts';
import { createStamps, stampLength } from './redis-stamps.ts';
import { pruneStep, type Step, type Walked, walkStep } from './redis-walk.ts';

export interface Messages {
  /**
   * Merges news: what is in one partition in one step, all partitions at once.
   *
   * @param isWanted whether the caller wants to know what is then known of a message.
   * @returns what is then known of those that are wanted.
   */
  merge(
    news: readonly Message[],
    isWanted: (message: Message) => boolean,
    until: number,
  ): Promise<readonly KeptMessage[]>;
  find(key: MessageKey, until: number): Promise<KeptMessage | undefined>;
  list(query: MessageQuery, until: number): Promise<MessagePage>;
  /** Deletes some that were last touched before an instant. */
  pruneStep(before: number): Step<MessageKey>;
  /** Deletes some of a client. */
  forgetSteps(client: ForgottenClient): readonly Step<MessageKey>[];
}

export function messagesIn(fleet: Fleet, rewrites: boolean): Messages {
  const nextStamp = createStamps();

  async function merge(
    news: readonly Message[],
    isWanted: (message: Message) => boolean,
    until: number,
  ): Promise<readonly KeptMessage[]> {
    const placed = news.map((message) => ({ message, place: placeOfMessage(message), stamp: nextStamp() }));
    const groups = Object.values(Object.groupBy(placed, ({ place }) => place.partition));
    const merged = await Promise.all(groups.map((group = []) => mergeGroup(group, isWanted, until)));
    return merged.flat();
  }

  async function mergeGroup(
    group: readonly Placed[],
    isWanted: (message: Message) => boolean,
    until: number,
  ) {
    const partition = group[0]?.place.partition ?? 0;
    const prefix = prefixOf(partition);
    const args = group.flatMap(({ message, stamp }) => {
      const [business, id] = [keyPart(message.business), keyPart(message.id)];
      return [business, id, encodeNews(message), stamp, isWanted(message) ? '1' : '0'];
    });
    const keys = [`${prefix}mt`, ...group.map(({ place }) => place.key)];
    const order = scriptOrder(mergeScript, keys, [prefix, rewrites ? '1' : '0', ...args]);
    const records = await fleet.write<readonly string[]>(partition, order, until);
    return group.flatMap(({ message }, index) =>
      records[index] ? [decodeMessage(message, records[index])] : [],
    );
  }

  async function findAt(place: Place, key: MessageKey, until: number): Promise<KeptMessage | undefined> {
    const record = await fleet.read<string | null>(place.partition, { command: ['GET', place.key] }, until);
    return record === null ? undefined : decodeMessage(key, record);
  }

  async function list(query: MessageQuery, until: number): Promise<MessagePage> {
    const { business, client, first, after } = query;
    const statuses = query.statuses ?? deliveryStatuses;
    const owner = client === undefined ? keyPart(business) : `${keyPart(business)}/${literal(client)}`;
    const indexes = deliveryStatuses
      .filter((status) => statuses.includes(status))
      .map((status) => `i:${status}:${owner}`);

    async function read(member: string): Promise<Message | undefined> {
      const key = { business, id: textOfKeyPart(member.slice(stampLength)) };
      const message = (await findAt(placeOfMessage(key), key, until))?.message;
      return message && statuses.includes(statusOf(message)) ? message : undefined;
    }

    const readAll = (members: readonly string[]) => Promise.all(members.map(read));
    const { entries, hasMore } = await readPage(fleet, { kind: 'm', first, after, indexes }, readAll, until);
    return { entries: entries.map(({ cursor, entry }) => ({ cursor, message: entry })), hasMore };
  }

  return {
    merge,
    list,
    find: (key, until) => findAt(placeOfMessage(key), key, until),
    pruneStep: (before) => keysOf(pruneStep(fleet, pruneMessagesScript, 'mt', before)),
    forgetSteps: (client) =>
      deliveryStatuses.map((status) =>
        keysOf(walkStep(fleet, forgetMessagesScript, 'mt', `i:${status}`, client)),
      ),
  };
}

interface Placed {
  readonly message: Message;
  readonly place: Place;
  readonly stamp: string;
}

function keysOf(step: Step<string>): Step<MessageKey> {
  return async (...args): Promise<Walked<MessageKey>> => {
    const { found, next } = await step(...args);
    return { found: found.map(messageKeyOf), next };
  };
}
