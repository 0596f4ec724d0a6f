import type { Kind } from './batch.ts';
import type { Connections } from './connections.ts';
import type { Queue } from './queue.ts';
import { inSchema } from './schema-text.ts';
import { decodeText, encodeKey } from './text.ts';

/** A send that was begun, of which its caller knows only the token. */
export interface Cancelled {
  readonly business: string;
  readonly token: string;
  readonly begunAt: number;
  readonly at: number;
}

/** What nobody let leave is NOT_SENT, and its key is free. */
export function cancelKind(schema: string): Kind<Cancelled, null> {
  const text = inSchema(schema, cancelText);
  return {
    businessOf: ({ business }) => business,
    plan: (calls) => ({
      statements: calls.map(({ business, token, begunAt, at }) => ({
        text,
        name: 'cancel',
        values: [encodeKey(business), begunAt, token, at],
      })),
      read: () => calls.map(() => null),
    }),
  };
}

/** $1 to $4: business, when it was begun, its token, when it is settled. */
const cancelText = `update :schema.send set outcome = 'NOT_SENT', error_code = 'STORE_UNAVAILABLE', settled_at = $4,
  idempotency_key = null, fingerprint = null
where business = $1 and begun_at = $2 and outcome = 'PENDING' and token = $3`;

interface Lost {
  readonly business: string;
  readonly before: number;
  readonly at: number;
}

/** How many are settled at a time. */
const batch = 1_000;

/** Settles some of a business' sends that were begun before an instant and are PENDING. Answers with how many. */
export function lostKind(schema: string): Kind<Lost, number> {
  const text = inSchema(schema, lostText);
  return {
    businessOf: ({ business }) => business,
    keyOf: ({ business }) => business,
    plan: (calls) => ({
      statements: calls.map(({ business, before, at }) => ({
        text,
        name: 'settle_lost',
        values: [encodeKey(business), before, at, batch],
      })),
      read: (results) => results.map(({ count }) => count),
    }),
  };
}

/** $1 to $4: business, before which instant they were begun, when they are settled, how many at most. */
const lostText = `update :schema.send set outcome = 'UNKNOWN', error_code = 'SEND_OUTCOME_UNKNOWN', settled_at = $3
where business = $1 and outcome = 'PENDING' and number = any(array(
  select number from :schema.send where business = $1 and begun_at < $2 and outcome = 'PENDING' order by begun_at limit $4
))`;

const businessesText = `select distinct business from :schema.send where outcome = 'PENDING' and begun_at < $1`;

/** Settles all of them, business by business. */
export async function settleLost(
  schema: string,
  { read, queue, kind }: { read: Connections['read']; queue: Queue; kind: Kind<Lost, number> },
  { before, at }: Omit<Lost, 'business'>,
): Promise<number> {
  const rows = await read(inSchema(schema, businessesText), [before]);
  const counts = rows.map(async (row) => {
    let total = 0;
    for (let count = batch; count === batch; total += count)
      count = await queue.ask(kind, { business: decodeText(String(row['business'])), before, at });
    return total;
  });
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}
