import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import { accepted, beginSend, business, key, keyedSend, news, someText, someTime } from './samples.ts';
import { rowsOf, temporaryDirectory } from './sqlite-test-store.ts';

/** The schema as version 1 was released with it. */
const version1 = `
  CREATE TABLE messages (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    client TEXT,
    status TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    details TEXT,
    history TEXT NOT NULL
  ) STRICT;
  CREATE INDEX messages_by_status ON messages (status);
  CREATE INDEX messages_by_client ON messages (client, status) WHERE client IS NOT NULL;
  CREATE INDEX messages_by_update ON messages (updated_at);
  CREATE TABLE sends (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    input TEXT NOT NULL,
    begun_at INTEGER NOT NULL,
    outcome TEXT,
    message_id TEXT,
    settled_at INTEGER
  ) STRICT;
  CREATE INDEX sends_by_begin ON sends (begun_at);
  CREATE TABLE quarantine (
    seq INTEGER PRIMARY KEY,
    raw_sha256 BLOB NOT NULL UNIQUE,
    raw TEXT NOT NULL,
    reason TEXT NOT NULL,
    times INTEGER NOT NULL DEFAULT 1,
    first_received_at INTEGER NOT NULL,
    last_received_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX quarantine_by_receipt ON quarantine (last_received_at);
  CREATE TABLE probe (writes INTEGER NOT NULL) STRICT;
  INSERT INTO probe VALUES (0);
  PRAGMA user_version = 1;
`;

/** What version 1 wrote for `send`, `accept`, `fail` and `record`. */
function fill(db: DatabaseSync): void {
  const message = db.prepare(
    'INSERT INTO messages (id, client, status, updated_at, details, history) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const event = (status: string, at: number, word: string | null) => [status, at, at, word, null];
  const history = JSON.stringify([event('ACCEPTED', someTime, null)]);
  message.run('m1', 'jon', 'ACCEPTED', someTime, JSON.stringify(accepted('m1').details), history);
  const later = someTime + 50;
  message.run('m2', null, 'SENT', later, null, JSON.stringify([event('SENT', later, 'sent')]));
  const send = db.prepare(
    'INSERT INTO sends (input, begun_at, outcome, message_id, settled_at) VALUES (?, ?, ?, ?, ?)',
  );
  const outcomes = [
    'ACCEPTED',
    'PINGUP_UNAVAILABLE',
    'PINGUP_RATE_LIMITED',
    'PINGUP_REJECTED',
    'SEND_OUTCOME_UNKNOWN',
  ];
  for (const outcome of outcomes) {
    const id = outcome === 'ACCEPTED' ? 'm1' : null;
    send.run(JSON.stringify(someText), someTime, outcome, id, someTime);
  }
  send.run(JSON.stringify(someText), someTime, null, null, null);
  db.prepare('INSERT INTO quarantine VALUES (?, ?, ?, ?, 2, ?, ?)').run(
    7,
    Buffer.from('hash'),
    '{}',
    'no id',
    1,
    2,
  );
}

test('a file of version 1 is taken over with all its rows, and its sends are in the books', async () => {
  await using directory = await temporaryDirectory();
  const path = directory.file('gateway.db');
  {
    using db = new DatabaseSync(path);
    db.exec(version1);
    fill(db);
  }
  await using store = await openSqliteStore({ formerBusiness: business, path });
  expect(rowsOf(path, 'PRAGMA user_version')).toEqual([{ user_version: 3 }]);
  expect(await store.find(key('m1'))).toEqual(accepted('m1'));
  const { entries } = await store.sends({ business, first: 100 });
  const found = entries.map(({ send: { outcome, errorCode, messageId } }) => [outcome, errorCode, messageId]);
  expect(found.toReversed()).toEqual([
    ['ACCEPTED', null, 'm1'],
    ['NOT_SENT', 'PINGUP_UNAVAILABLE', null],
    ['NOT_SENT', 'PINGUP_RATE_LIMITED', null],
    ['REJECTED', 'PINGUP_REJECTED', null],
    ['UNKNOWN', 'SEND_OUTCOME_UNKNOWN', null],
    ['UNKNOWN', 'SEND_OUTCOME_UNKNOWN', null],
  ]);
  expect((await store.quarantined({ business, first: 9 })).entries.map(({ callback }) => callback)).toEqual([
    { business, id: '7', raw: '{}', reason: 'no id', times: 2, receivedAt: 1, lastReceivedAt: 2 },
  ]);
  await store.record([news('m3', 'SENT', someTime + 60)]);
  await beginSend(store, keyedSend('k', { at: someTime + 60 }));
  expect(await store.prune(someTime + 50)).toBe(1);
  expect(await store.find(key('m2'))).toEqual(news('m2', 'SENT', someTime + 50));
});

test('a file of version 1 is refused and left as it is where nobody knows whose it is; a new one is opened', async () => {
  await using directory = await temporaryDirectory();
  const path = directory.file('gateway.db');
  {
    using db = new DatabaseSync(path);
    db.exec(version1);
    fill(db);
  }
  const opening = openSqliteStore({ formerBusiness: null, path });
  await expect(opening).rejects.toThrow(/made for one business.*PINGUP_BUSINESS_NAME/);
  {
    await using store = await openSqliteStore({ formerBusiness: business, path });
    expect(await store.find(key('m1'))).toEqual(accepted('m1'));
  }
  await using store = await openSqliteStore({ formerBusiness: null, path });
  expect(await store.find(key('m1'))).toEqual(accepted('m1'));
});
