import { setTimeout as delay } from 'node:timers/promises';
import type { DeliveryStatus } from '../../src/message.ts';
import type { MessageState } from '../history/history.ts';
import { ask } from './ask.ts';
import { findDocument, foundAtOnce, listDocument } from './documents.ts';

interface Found {
  readonly revision: number;
  readonly status: DeliveryStatus;
  readonly history: readonly { readonly status: DeliveryStatus }[];
}

interface Page {
  readonly messages: {
    readonly edges: readonly { readonly node: { readonly id: string } }[];
    readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string };
  };
}

const tries = 10;
const repeatMs = 500;

/** What the gateways return of these messages, each of which is asked of another node than the one before it. */
export async function findAll(
  urls: readonly string[],
  ids: readonly string[],
): Promise<ReadonlyMap<string, MessageState>> {
  const found = new Map<string, MessageState>();
  for (let first = 0; first < ids.length; first += foundAtOnce) {
    const some = Array.from({ length: foundAtOnce }, (_, place) => ids[first + place] ?? '-');
    const variables = Object.fromEntries(some.map((id, place) => [`m${place}`, id]));
    const data = await query<Record<string, Found | null>>(
      urls,
      first / foundAtOnce,
      findDocument,
      variables,
    );
    some.forEach((id, place) => {
      const state = data[`m${place}`];
      if (state) found.set(id, { ...state, history: state.history.map(({ status }) => status) });
    });
  }
  return found;
}

/** The ids of all messages that the gateways list, a page from each node in turn. */
export async function listAll(urls: readonly string[]): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  let after: string | null = null;
  for (let pages = 0; ; pages += 1) {
    const { messages }: Page = await query(urls, pages, listDocument, { after });
    for (const { node } of messages.edges) ids.add(node.id);
    if (!messages.pageInfo.hasNextPage) return ids;
    after = messages.pageInfo.endCursor;
  }
}

/** @throws Error where no answer comes that is one. */
async function query<T>(
  urls: readonly string[],
  turn: number,
  document: string,
  variables: object,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    const answer = await ask(urls[(turn + attempt) % urls.length] ?? '', document, variables);
    if (answer?.data && !answer.errors) return answer.data as T;
    if (attempt === tries) throw new Error(`a query was answered ${JSON.stringify(answer)}`);
    await delay(repeatMs);
  }
}
