import fc from 'fast-check';
import { expect, test } from 'vitest';
import { GatewayError } from '../../src/errors.ts';
import { type AuthenticText, createCallbackReader } from '../../src/pingup/callback.ts';
import { parseMessageId } from '../../src/pingup/message-id.ts';
import { readSendAnswer } from '../../src/pingup/send-answer.ts';
import { usualFormat } from './support/callback-peer.ts';

const controls = {
  C0: ['\0', '\t', '\n', '\r', '\x1b', '\x1f'],
  DEL: ['\x7f'],
  C1: ['\x80', '\x85', '\x9b', '\x9f'],
  'line separators': ['\u2028', '\u2029'],
  'marks of direction': ['\u061c', '\u200e', '\u200f', '\u202a', '\u202e', '\u2066', '\u2069'],
};

test.each(Object.entries(controls))(
  'an id with %s is none, wherever they stand in it',
  (_name, characters) => {
    for (const character of characters)
      for (const id of [character, `${character}1`, `1${character}`, `1${character}2`])
        expect(parseMessageId(id)).toBeUndefined();
  },
);

test.each(['1', 'id 1', 'wamid.HBgM==', 'é🙂', '👩‍👧', 'مرحبا', '\u00a01', 'x'.repeat(256)])(
  'the id %j is taken as it is',
  (id) => expect(parseMessageId(id)).toBe(id),
);

test('the answer to a send and a callback take the same ids, and of others one is SEND_OUTCOME_UNKNOWN, the other a fault', async () => {
  const readCallback = createCallbackReader(usualFormat);
  const anyId = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 4 }),
    fc.string({ unit: 'binary', minLength: 254, maxLength: 260 }),
    fc.constantFrom(...Object.values(controls).flat()).map((character) => `id${character}`),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }),
  );
  await fc.assert(
    fc.asyncProperty(anyId, async (message_id) => {
      const answer = new Response(JSON.stringify({ success: true, data: { message_id } }));
      const sent = await readSendAnswer(answer).catch((error: unknown) => error);
      const body = JSON.stringify({ message_id, status: 'read' }) as AuthenticText;
      const reading = readCallback(body, { business: 'acme', receivedAt: 0 });
      const id = parseMessageId(message_id);
      if (id === undefined) {
        expect(sent).toBeInstanceOf(GatewayError);
        expect(sent).toMatchObject({ code: 'SEND_OUTCOME_UNKNOWN' });
        expect(reading).toMatchObject({ news: [], faults: [{ index: 0 }] });
      } else {
        expect([sent, reading?.news[0]?.id]).toEqual([id, id]);
      }
    }),
  );
});
