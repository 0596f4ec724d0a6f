import { hash } from 'node:crypto';
import type { Message, StatusEvent } from '../message.ts';
import type { Send } from '../send.ts';

/** What a store keeps, as no engine has it. Limits' counters follow from the rows, and each engine counts them itself. */
export interface CopiedRow {
  /** The last numbers that were given, which are never given again. */
  readonly businesses: {
    readonly business: string;
    readonly lastMessage: number;
    readonly lastSend: number;
    readonly lastQuarantined: number;
  };
  readonly messages: {
    readonly number: number;
    readonly createdAt: number;
    /** The number of the send that it came of. */
    readonly send: number | null;
    readonly message: Message;
  };
  readonly sends: {
    readonly send: Send;
    readonly idempotencyKey: string | null;
    readonly fingerprint: string | null;
  };
  readonly quarantine: {
    readonly business: string;
    readonly number: number;
    /** Of the body before it was compressed. */
    readonly sha256: Uint8Array;
    readonly characters: number;
    readonly bytes: number;
    readonly times: number;
    readonly firstReceivedAt: number;
    readonly lastReceivedAt: number;
    readonly reason: string;
    /** Compressed by Zstandard. */
    readonly body: Uint8Array;
  };
}

export type CopiedTable = keyof CopiedRow;
export const copiedTables = ['businesses', 'messages', 'sends', 'quarantine'] as const;

/** Oldest first: by when a row came, or by when it was last touched. */
export type CopyOrder = 'created' | 'updated';

/** All reads see one moment. */
export interface CopySource {
  readonly read: {
    readonly [T in CopiedTable]: (order: CopyOrder) => AsyncIterable<readonly CopiedRow[T][]>;
  };
}

/** One transaction: it is undone, unless `commit` resolves. Reads see what was written. */
export interface CopyTarget extends CopySource {
  /** In which it wants its rows, as it keeps them in the order of their writing. */
  readonly order: CopyOrder;
  readonly write: { readonly [T in CopiedTable]: (rows: readonly CopiedRow[T][]) => Promise<void> };
  commit(): Promise<void>;
}

export type CopyCounts = Readonly<Record<CopiedTable, number>>;

export interface Copied {
  /** It was there already, from an earlier run, and nothing was written. */
  readonly wasThere: boolean;
  readonly counts: CopyCounts;
}

/** It was not, or may not be, copied: why, and what to do. */
export class CopyError extends Error {
  override readonly name = 'CopyError';
}

/**
 * Copies all, and compares what is then there with what was read before it commits. A target that has all of it already is
 * left as it is.
 *
 * @param progress told of each batch: how many rows of the table were written so far.
 * @throws CopyError if the target holds anything else, or not what was written.
 */
export async function copyStore(
  source: CopySource,
  target: CopyTarget,
  progress: (table: CopiedTable, rows: number) => void = () => undefined,
): Promise<Copied> {
  const wasThere = !(await isEmpty(target));
  const wanted = await summarize((table) =>
    wasThere ? sum(source, table) : copyTable(table, source, target, progress),
  );
  const found = await summarize((table) => sum(target, table));
  const wrong = copiedTables.filter((table) => !isSame(wanted[table], found[table]));
  if (wrong.length > 0) throw new CopyError(describe(wrong, wanted, found, wasThere));
  if (!wasThere) await target.commit();
  return { wasThere, counts: countsOf(wanted) };
}

/** How many rows there are, and which: the same whatever their order. */
interface Summary {
  readonly rows: number;
  readonly digest: bigint;
}

type Summaries = Readonly<Record<CopiedTable, Summary>>;

const nothing: Summary = { rows: 0, digest: 0n };
const digestMask = (1n << 256n) - 1n;

async function summarize(summaryOf: (table: CopiedTable) => Promise<Summary>): Promise<Summaries> {
  return {
    businesses: await summaryOf('businesses'),
    messages: await summaryOf('messages'),
    sends: await summaryOf('sends'),
    quarantine: await summaryOf('quarantine'),
  };
}

async function sum<T extends CopiedTable>({ read }: CopySource, table: T): Promise<Summary> {
  let summary = nothing;
  for await (const rows of read[table]('created')) summary = add(summary, table, rows);
  return summary;
}

async function copyTable<T extends CopiedTable>(
  table: T,
  { read }: CopySource,
  { write, order }: CopyTarget,
  progress: (table: CopiedTable, rows: number) => void,
): Promise<Summary> {
  let summary = nothing;
  for await (const rows of read[table](order)) {
    await write[table](rows);
    summary = add(summary, table, rows);
    progress(table, summary.rows);
  }
  return summary;
}

async function isEmpty({ read }: CopySource): Promise<boolean> {
  for (const table of copiedTables)
    for await (const rows of read[table]('created')) if (rows.length > 0) return false;
  return true;
}

function add<T extends CopiedTable>(before: Summary, table: T, rows: readonly CopiedRow[T][]): Summary {
  const added = rows.reduce((total, row) => total + digestOf(table, row), before.digest);
  return { rows: before.rows + rows.length, digest: added & digestMask };
}

function digestOf<T extends CopiedTable>(table: T, row: CopiedRow[T]): bigint {
  return BigInt(`0x${hash('sha256', JSON.stringify(contentOf[table](row)))}`);
}

const contentOf: { readonly [T in CopiedTable]: (row: CopiedRow[T]) => readonly unknown[] } = {
  businesses: ({ business, lastMessage, lastSend, lastQuarantined }) => [
    business,
    lastMessage,
    lastSend,
    lastQuarantined,
  ],
  messages: ({ number, createdAt, send, message: { business, id, details, history } }) => [
    ...[business, id, number, createdAt, send],
    details && Object.entries(details).toSorted(byKey),
    history.map(contentOfEvent),
  ],
  sends: ({ send, idempotencyKey, fingerprint }) => [
    ...[send.business, send.id, idempotencyKey, fingerprint, send.begunAt, send.settledAt],
    ...[send.outcome, send.errorCode, send.messageId],
    Object.entries(send.text).toSorted(byKey),
  ],
  quarantine: ({ sha256, body, ...row }) => [
    ...[row.business, row.number, row.characters, row.bytes, row.times],
    ...[row.firstReceivedAt, row.lastReceivedAt, row.reason],
    Buffer.from(sha256).toString('hex'),
    hash('sha256', body),
  ],
};

function contentOfEvent({ status, at, receivedAt, rawStatus, failure }: StatusEvent): readonly unknown[] {
  return [status, at, receivedAt, rawStatus, failure && [failure.code, failure.reason]];
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}

function isSame(a: Summary, b: Summary): boolean {
  return a.rows === b.rows && a.digest === b.digest;
}

function describe(
  wrong: readonly CopiedTable[],
  wanted: Summaries,
  found: Summaries,
  wasThere: boolean,
): string {
  const tables = wrong.map((table) => {
    const [here, there] = [wanted[table].rows, found[table].rows];
    return here === there ? `${table} (${here}, not the same)` : `${table} (${here} here, ${there} there)`;
  });
  return wasThere
    ? `The target is not empty, and differs from the source in ${tables.join(', ')}. Nothing was changed. Name one that is empty, or delete what is there.`
    : `What was written is not what was read: ${tables.join(', ')}. Nothing was copied.`;
}

function countsOf({ businesses, messages, sends, quarantine }: Summaries): CopyCounts {
  return {
    businesses: businesses.rows,
    messages: messages.rows,
    sends: sends.rows,
    quarantine: quarantine.rows,
  };
}
