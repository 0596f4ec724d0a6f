import type { GatewayErrorCode } from '../errors.ts';
import type { ForgottenClient } from '../forgotten-client.ts';
import { type Attempt, type NewSend, outcomeOfFailure, type Send, sendOutcomes } from '../send.ts';
import type { SendPage, SendQuery } from './port.ts';
import { attemptOf, partitionOfAttempt } from './redis-attempt.ts';
import { scriptOrder } from './redis-evaluate.ts';
import type { Fleet } from './redis-fleet.ts';
import { keyPart, prefixOf } from './redis-keys.ts';
import { readPage } from './redis-listing.ts';
import { partitionCount, partitionOf } from './redis-partitions.ts';
import { decodeSend, encodeIdempotency, encodeText, literal } from './redis-send-record.ts';
import { beginScript, settleScript } from './redis-send-scripts.ts';
import { forgetSendsScript, loseScript, pruneSendsScript } from './redis-send-walks.ts';
import { createStamps } from './redis-stamps.ts';
import { pruneStep, type Step, walkStep } from './redis-walk.ts';

/** What a try to begin came to; `accepted` has the id of the message that was sent. */
export type Told =
  | { readonly kind: 'begun' }
  | { readonly kind: 'withdrawn' }
  | { readonly kind: 'running' }
  | { readonly kind: 'reused' }
  | { readonly kind: 'accepted'; readonly messageId: string }
  | { readonly kind: 'failed'; readonly code: GatewayErrorCode };

export interface Sends {
  /** A name for a send that is to be begun, which no other has. */
  newAttempt(send: NewSend): Attempt;
  begin(attempt: Attempt, send: NewSend, until: number): Promise<Told>;
  accept(attempt: Attempt, messageId: string, at: number, until: number): Promise<void>;
  fail(attempt: Attempt, code: GatewayErrorCode, at: number, until: number): Promise<void>;
  /** Settles one that may be begun yet, and sees to it that it is not. */
  withdraw(attempt: Attempt, at: number, until: number): Promise<void>;
  /** Some that were begun before an instant and are PENDING become UNKNOWN. */
  loseStep(before: number, at: number): Step<null>;
  list(query: SendQuery, until: number): Promise<SendPage>;
  pruneStep(before: number): Step<string>;
  forgetSteps(client: ForgottenClient): readonly Step<string>[];
}

/** How long a send that was given up may not be begun: longer than a command can be on its way. */
const withdrawnMs = 120_000;
const loseSize = 200;

export function sendsIn(fleet: Fleet, rewrites: boolean): Sends {
  const nextStamp = createStamps();
  const rewrite = rewrites ? '1' : '0';

  async function begin(attempt: Attempt, send: NewSend, until: number): Promise<Told> {
    const { business, text, at, idempotency } = send;
    const partition = partitionOfAttempt(attempt) ?? 0;
    const prefix = prefixOf(partition);
    const owner = keyPart(business);
    const keys = [`${prefix}st`, `${prefix}s:${attempt}`];
    if (idempotency) keys.push(`${prefix}k:${owner}/${literal(idempotency.key)}`);
    const { validSince = 0, fingerprint = null } = idempotency ?? {};
    const args = [prefix, owner, attempt, String(at), encodeIdempotency(idempotency), encodeText(text)];
    const order = scriptOrder(beginScript, keys, [
      ...args,
      String(validSince),
      literal(fingerprint),
      rewrite,
    ]);
    return toldOf(await fleet.write<readonly string[]>(partition, order, until));
  }

  async function settle(attempt: Attempt, settled: Settled, until: number): Promise<void> {
    const partition = partitionOfAttempt(attempt);
    // None that this store has begun.
    if (partition === undefined) return;
    const prefix = prefixOf(partition);
    const { outcome, code = null, messageId = null, at, withdrawMs = 0 } = settled;
    const literals = [outcome, code, messageId].map(literal);
    const args = [prefix, attempt, ...literals, String(at), rewrite, String(withdrawMs)];
    await fleet.write(
      partition,
      scriptOrder(settleScript, [`${prefix}st`, `${prefix}s:${attempt}`], args),
      until,
    );
  }

  async function find(business: string, attempt: string, until: number): Promise<Send | undefined> {
    const partition = partitionOfAttempt(attempt) ?? 0;
    const command = ['GET', `${prefixOf(partition)}s:${attempt}`];
    const record = await fleet.read<string | null>(partition, { command }, until);
    const send = record === null ? undefined : decodeSend(attempt, record);
    return send?.business === business ? send : undefined;
  }

  return {
    newAttempt: ({ business, idempotency }) => {
      const partition = idempotency
        ? partitionOf(`${keyPart(business)}/${literal(idempotency.key)}`)
        : Math.floor(Math.random() * partitionCount);
      return attemptOf(nextStamp(), partition);
    },
    begin,
    accept: (attempt, messageId, at, until) => settle(attempt, { outcome: 'ACCEPTED', messageId, at }, until),
    fail: (attempt, code, at, until) => settle(attempt, { outcome: outcomeOfFailure(code), code, at }, until),
    withdraw: (attempt, at, until) => {
      const code = 'STORE_UNAVAILABLE';
      return settle(attempt, { outcome: outcomeOfFailure(code), code, at, withdrawMs: withdrawnMs }, until);
    },
    loseStep: (before, at) => async (partition, from, until) => {
      const prefix = prefixOf(partition);
      const skipped = Number(from);
      const args = [prefix, String(before), String(at), String(skipped), String(loseSize)];
      type Reply = readonly [looked: number, kept: number, lost: number];
      const order = scriptOrder(loseScript, [`${prefix}sp`], args);
      const [looked, kept, lost] = await fleet.write<Reply>(partition, order, until);
      return { found: Array(lost).fill(null), next: looked < loseSize ? undefined : String(skipped + kept) };
    },
    list: async ({ business, first, after, outcomes = sendOutcomes }, until) => {
      const indexes = [...new Set(outcomes)].map((outcome) => `b:${outcome}:${keyPart(business)}`);
      const read = async (members: readonly string[]) => {
        const found = await Promise.all(members.map((attempt) => find(business, attempt, until)));
        return found.map((send) => (send && outcomes.includes(send.outcome) ? send : undefined));
      };
      const page = await readPage(fleet, { kind: 's', first, after, indexes }, read, until);
      return {
        entries: page.entries.map(({ cursor, entry }) => ({ cursor, send: entry })),
        hasMore: page.hasMore,
      };
    },
    pruneStep: (before) => pruneStep(fleet, pruneSendsScript, 'st', before),
    forgetSteps: (client) =>
      settledOutcomes.map((outcome) => walkStep(fleet, forgetSendsScript, 'st', `b:${outcome}`, client)),
  };
}

/** The last to be walked along is the one that no send leaves. */
const settledOutcomes = ['NOT_SENT', 'REJECTED', 'UNKNOWN', 'ACCEPTED'] as const;

interface Settled {
  readonly outcome: (typeof settledOutcomes)[number];
  readonly code?: GatewayErrorCode;
  readonly messageId?: string;
  readonly at: number;
  readonly withdrawMs?: number;
}

function toldOf([kind, detail = 'null']: readonly string[]): Told {
  if (kind === 'accepted') return { kind, messageId: JSON.parse(detail) };
  if (kind === 'failed') return { kind, code: JSON.parse(detail) };
  if (kind === 'begun' || kind === 'running' || kind === 'reused') return { kind };
  return { kind: 'withdrawn' };
}
