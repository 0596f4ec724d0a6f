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
import type { PageOfSends } from './sqlite-protocol.ts';

/** The table of sends. Whoever calls sees to the transaction. */
export interface SendTable {
  begin(send: NewSend): Begun;
  findRepeat(business: string, idempotency: Idempotency): Repeat | null;
  accept(attempt: string, messageId: string, at: number): void;
  fail(attempt: string, code: GatewayErrorCode, at: number): void;
  settleLost(before: number, at: number): number;
  /** Newest first. Reads at most `limit` rows for each outcome, whatever the size of the table. */
  list(page: PageOfSends): Send[];
}

/** @param findMessage finds what an accepted send became. */
export function sendTable(
  db: DatabaseSync,
  findMessage: (key: MessageKey) => Message | undefined,
): SendTable {
  const insert = db.prepare(
    `INSERT INTO sends (business, idempotency_key, fingerprint, input, begun_at, outcome)
     VALUES (?, ?, ?, ?, ?, 'PENDING')`,
  );
  const byKey = db.prepare('SELECT * FROM sends WHERE business = ? AND idempotency_key = ?');
  const giveBack = db.prepare('UPDATE sends SET idempotency_key = NULL, fingerprint = NULL WHERE seq = ?');
  const settle = db.prepare(
    'UPDATE sends SET outcome = ?, error_code = ?, message_id = ?, settled_at = ? WHERE seq = ?',
  );
  const settleUnlessAccepted = db.prepare(
    `UPDATE sends SET outcome = ?, error_code = ?, settled_at = ? WHERE seq = ? AND outcome <> 'ACCEPTED'`,
  );
  const loseAll = db.prepare(
    `UPDATE sends SET outcome = 'UNKNOWN', error_code = 'SEND_OUTCOME_UNKNOWN', settled_at = ?
     WHERE outcome = 'PENDING' AND begun_at < ?`,
  );

  function begin({ business, text, at, idempotency }: NewSend): Begun {
    const holder = idempotency && byKey.get(business, idempotency.key);
    if (holder && Number(holder['begun_at']) >= idempotency.validSince) return retell(holder, idempotency);
    if (holder) giveBack.run(Number(holder['seq']));
    const { key = null, fingerprint = null } = idempotency ?? {};
    const { lastInsertRowid } = insert.run(business, key, fingerprint, JSON.stringify(text), at);
    return { kind: 'begun', attempt: String(lastInsertRowid) as Attempt };
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
    const message = messageId === null ? undefined : findMessage({ business, id: messageId });
    if (message) return { kind: 'accepted', message };
    return { kind: 'failed', code: errorCode ?? 'NOT_FOUND' };
  }

  function fail(attempt: string, code: GatewayErrorCode, at: number): void {
    const outcome = outcomeOfFailure(code);
    const { changes } = settleUnlessAccepted.run(outcome, code, at, Number(attempt));
    if (changes && outcome === 'NOT_SENT') giveBack.run(Number(attempt));
  }

  return {
    begin,
    findRepeat,
    fail,
    accept: (attempt, messageId, at) => settle.run('ACCEPTED', null, messageId, at, Number(attempt)),
    settleLost: (before, at) => Number(loseAll.run(at, before).changes),
    list: createList(db),
  };
}

type Row = Record<string, SQLOutputValue>;

function createList(db: DatabaseSync): SendTable['list'] {
  const page = 'seq < ? ORDER BY seq DESC LIMIT ?';
  const byOutcome = db.prepare(`SELECT * FROM sends WHERE business = ? AND outcome = ? AND ${page}`);

  return ({ business, limit, before, outcomes }) => {
    const below = before ?? Number.MAX_SAFE_INTEGER;
    return [...new Set(outcomes ?? sendOutcomes)]
      .flatMap((outcome) => byOutcome.all(business, outcome, below, limit))
      .sort((a, b) => Number(b['seq']) - Number(a['seq']))
      .slice(0, limit)
      .map(sendOf);
  };
}

function sendOf(row: Row): Send {
  return {
    id: String(row['seq']),
    business: String(row['business']),
    text: JSON.parse(String(row['input'])),
    begunAt: Number(row['begun_at']),
    settledAt: row['settled_at'] === null ? null : Number(row['settled_at']),
    outcome: String(row['outcome']) as SendOutcome,
    errorCode: row['error_code'] as GatewayErrorCode | null,
    messageId: row['message_id'] as string | null,
  };
}
