import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { GatewayErrorCode } from '../errors.ts';
import type { Message, MessageKey } from '../message.ts';
import {
  type Attempt,
  type Begun,
  type Idempotency,
  type NewSend,
  outcomeOfFailure,
  type Repeat,
  type Send,
  type SendOutcome,
  sendOutcomes,
} from '../send.ts';
import type { BusinessTable } from './sqlite-businesses.ts';
import type { PageOfSends } from './sqlite-protocol.ts';

/** The table of sends. Whoever calls sees to the transaction. */
export interface SendTable {
  begin(send: NewSend): Begun;
  findRepeat(business: string, idempotency: Idempotency): Repeat | null;
  accept(business: string, attempt: string, messageId: string, at: number): void;
  /** Pingup answered with the id of another send's message. It becomes UNKNOWN, with that id, unless it is ACCEPTED. */
  acceptAnothers(business: string, attempt: string, messageId: string, at: number): void;
  fail(business: string, attempt: string, code: GatewayErrorCode, at: number): void;
  settleLost(before: number, at: number): number;
  /** Newest first. Reads at most `limit` rows for each outcome, whatever the size of the table. */
  list(page: PageOfSends): Send[];
}

/** @param findMessage finds what an accepted send became. */
export function sendTable(
  db: DatabaseSync,
  businesses: Pick<BusinessTable, 'nextNumber'>,
  findMessage: (key: MessageKey) => Message | undefined,
): SendTable {
  const insert = db.prepare(
    `INSERT INTO sends
       (business, number, idempotency_key, fingerprint, client, phone, input, begun_at, outcome)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'PENDING')`,
  );
  const byKey = db.prepare('SELECT * FROM sends WHERE business = ? AND idempotency_key = ?');
  const giveBack = db.prepare(
    `UPDATE sends SET idempotency_key = NULL, fingerprint = NULL WHERE business = ? AND number = ?`,
  );
  const settle = db.prepare(
    `UPDATE sends SET outcome = 'ACCEPTED', error_code = NULL, message_id = ?, settled_at = ?
     WHERE business = ? AND number = ?`,
  );
  const settleUnlessAccepted = db.prepare(
    `UPDATE sends SET outcome = ?, error_code = ?, message_id = ?, settled_at = ?
     WHERE business = ? AND number = ? AND outcome <> 'ACCEPTED'`,
  );
  const loseAll = db.prepare(
    `UPDATE sends SET outcome = 'UNKNOWN', error_code = 'SEND_OUTCOME_UNKNOWN', settled_at = ?
     WHERE outcome = 'PENDING' AND begun_at < ?`,
  );

  function begin({ business, text, at, idempotency }: NewSend): Begun {
    const holder = idempotency && byKey.get(business, idempotency.key);
    if (holder && Number(holder['begun_at']) >= idempotency.validSince) return retell(holder, idempotency);
    if (holder) giveBack.run(business, Number(holder['number']));
    const { key = null, fingerprint = null } = idempotency ?? {};
    const { client, clientPhone } = text;
    const number = businesses.nextNumber('send', business);
    insert.run(business, number, key, fingerprint, client, clientPhone, JSON.stringify(text), at);
    return { kind: 'begun', attempt: String(number) as Attempt };
  }

  function findRepeat(business: string, idempotency: Idempotency): Repeat | null {
    const holder = byKey.get(business, idempotency.key);
    return holder && Number(holder['begun_at']) >= idempotency.validSince
      ? retell(holder, idempotency)
      : null;
  }

  /** What a repeat is told of the send that has its key. */
  function retell(row: Row, { fingerprint }: Idempotency): Repeat {
    if (row['fingerprint'] !== fingerprint) return { kind: 'reused' };
    const { business, outcome, errorCode, messageId } = sendOf(row);
    if (outcome === 'PENDING') return { kind: 'running' };
    // One that is UNKNOWN may have the id of another send's message.
    const isMessage = outcome === 'ACCEPTED' && messageId !== null;
    const message = isMessage ? findMessage({ business, id: messageId }) : undefined;
    if (message) return { kind: 'accepted', message };
    return { kind: 'failed', code: errorCode ?? 'NOT_FOUND' };
  }

  function fail(business: string, attempt: string, code: GatewayErrorCode, at: number): void {
    const outcome = outcomeOfFailure(code);
    const { changes } = settleUnlessAccepted.run(outcome, code, null, at, business, Number(attempt));
    if (changes && outcome === 'NOT_SENT') giveBack.run(business, Number(attempt));
  }

  return {
    begin,
    findRepeat,
    fail,
    accept: (business, attempt, messageId, at) => settle.run(messageId, at, business, Number(attempt)),
    acceptAnothers: (business, attempt, messageId, at) => {
      const code = 'SEND_OUTCOME_UNKNOWN';
      settleUnlessAccepted.run(outcomeOfFailure(code), code, messageId, at, business, Number(attempt));
    },
    settleLost: (before, at) => Number(loseAll.run(at, before).changes),
    list: createList(db),
  };
}

type Row = Record<string, SQLOutputValue>;

function createList(db: DatabaseSync): SendTable['list'] {
  const page = 'number < ? ORDER BY number DESC LIMIT ?';
  const byOutcome = db.prepare(`SELECT * FROM sends WHERE business = ? AND outcome = ? AND ${page}`);

  return ({ business, limit, before, outcomes }) => {
    const below = before ?? Number.MAX_SAFE_INTEGER;
    return [...new Set(outcomes ?? sendOutcomes)]
      .flatMap((outcome) => byOutcome.all(business, outcome, below, limit))
      .sort((a, b) => Number(b['number']) - Number(a['number']))
      .slice(0, limit)
      .map(sendOf);
  };
}

export function sendOf(row: Row): Send {
  return {
    id: String(row['number']),
    business: String(row['business']),
    text: JSON.parse(String(row['input'])),
    begunAt: Number(row['begun_at']),
    settledAt: row['settled_at'] === null ? null : Number(row['settled_at']),
    outcome: String(row['outcome']) as SendOutcome,
    errorCode: row['error_code'] as GatewayErrorCode | null,
    messageId: row['message_id'] as string | null,
  };
}
