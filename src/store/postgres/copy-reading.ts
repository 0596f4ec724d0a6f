import type { CopiedRow, CopyOrder, CopySource } from '../copy.ts';
import type { CopyClient } from './copy-client.ts';
import { messageColumns, messageOf } from './message-row.ts';
import { sendOf } from './send-row.ts';
import type { Row } from './statement.ts';
import { decodeText } from './text.ts';

const batchRows = 500;
/** Bodies are big. */
const batchBodies = 20;

/** Reads within the transaction that is open, a batch at a time. */
export function createReaders(client: CopyClient, schema: string): CopySource['read'] {
  async function* read<T>(text: string, rowsAtOnce: number, parse: (row: Row) => T) {
    await client.script(`declare copied no scroll cursor for ${text}`);
    try {
      for (;;) {
        const { rows } = await client.ask({ text: `fetch ${rowsAtOnce} from copied` });
        if (rows.length === 0) return;
        yield rows.map(parse);
      }
    } finally {
      await client.script('close copied');
    }
  }

  return {
    businesses: () =>
      read(
        `select distinct on (business) business, last_message, last_send, last_quarantined
         from ${schema}.business order by business, change desc`,
        batchRows,
        businessOf,
      ),
    messages: (order) =>
      read(
        `select m.number, m.created_at, m.send, ${messageColumns} from ${schema}.message as m order by m.${order}_at`,
        batchRows,
        copiedMessageOf,
      ),
    sends: () => read(`select * from ${schema}.send order by begun_at`, batchRows, copiedSendOf),
    quarantine: (order) =>
      read(`select * from ${schema}.quarantine order by ${receivedAt[order]}`, batchBodies, copiedCallbackOf),
  };
}

const receivedAt: Readonly<Record<CopyOrder, string>> = {
  created: 'first_received_at',
  updated: 'last_received_at',
};

function businessOf(row: Row): CopiedRow['businesses'] {
  return {
    business: textOf(row, 'business'),
    lastMessage: Number(row['last_message']),
    lastSend: Number(row['last_send']),
    lastQuarantined: Number(row['last_quarantined']),
  };
}

function copiedMessageOf(row: Row): CopiedRow['messages'] {
  return {
    number: Number(row['number']),
    createdAt: Number(row['created_at']),
    send: row['send'] === null ? null : Number(row['send']),
    message: messageOf(row),
  };
}

function copiedSendOf(row: Row): CopiedRow['sends'] {
  return {
    send: sendOf(row),
    idempotencyKey: row['idempotency_key'] === null ? null : textOf(row, 'idempotency_key'),
    fingerprint: row['fingerprint'] === null ? null : textOf(row, 'fingerprint'),
  };
}

function copiedCallbackOf(row: Row): CopiedRow['quarantine'] {
  return {
    business: textOf(row, 'business'),
    number: Number(row['number']),
    sha256: row['sha256'] as Buffer,
    characters: Number(row['characters']),
    bytes: Number(row['bytes']),
    times: Number(row['times']),
    firstReceivedAt: Number(row['first_received_at']),
    lastReceivedAt: Number(row['last_received_at']),
    reason: textOf(row, 'reason'),
    body: row['body'] as Buffer,
  };
}

function textOf(row: Row, column: string): string {
  return decodeText(String(row[column]));
}
