import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { deliveryStatuses, type Message, merge } from '../../src/message.ts';
import {
  decodeDetails,
  decodeEvent,
  encodeDetails,
  encodeEvent,
} from '../../src/store/postgres/event-text.ts';
import { decodeText, encodeKey, encodeOrdered } from '../../src/store/postgres/text.ts';
import { oddMessage, oddText } from './arbitraries.ts';

function compareBytes(a: string, b: string): number {
  return Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

function compareUnits(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

describe('a text as PostgreSQL holds it', () => {
  test('comes back as it was, and holds no NUL and no lone surrogate', () => {
    fc.assert(
      fc.property(oddText, (text) => {
        for (const encoded of [encodeKey(text), encodeOrdered(text)]) {
          expect(decodeText(encoded)).toBe(text);
          expect(encoded.isWellFormed()).toBe(true);
          expect(encoded).not.toContain('\u0000');
        }
      }),
    );
  });

  test('is ordered byte by byte as JavaScript orders it', () => {
    fc.assert(
      fc.property(oddText, oddText, (a, b) => {
        expect(compareBytes(encodeOrdered(a), encodeOrdered(b))).toBe(compareUnits(a, b));
      }),
    );
    expect(compareBytes(encodeOrdered('\u{1f600}'), encodeOrdered('\ufffd'))).toBe(-1);
  });

  test('is as it is if nothing about it is odd', () => {
    for (const text of ['Jon Doe', 'è\n\t~', '\ufffd']) {
      expect(encodeKey(text)).toBe(text);
      expect(encodeOrdered(text)).toBe(text);
    }
    expect(encodeKey('\u{1f600}')).toBe('\u{1f600}');
  });
});

describe('events and details as texts', () => {
  test('come back as they were', () => {
    fc.assert(
      fc.property(oddMessage, ({ details, history }) => {
        for (const event of history) expect(decodeEvent(event.status, encodeEvent(event))).toEqual(event);
        if (details) expect(decodeDetails(encodeDetails(details))).toEqual(details);
      }),
    );
  });

  test('of two, the lesser is the one that merge prefers', () => {
    fc.assert(
      fc.property(oddMessage, oddMessage, (a, b) => {
        const merged = merge({ ...a, id: 'm' }, { ...b, id: 'm' });
        expect(textsOf(merged)).toEqual(lesserOf(textsOf(a), textsOf(b)));
      }),
      { numRuns: 1_000 },
    );
  });

  test('an instant that is none is refused, and not kept as another', () => {
    for (const at of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 1e17])
      expect(() =>
        encodeEvent({ status: 'SENT', at, receivedAt: 0, rawStatus: null, failure: null }),
      ).toThrow(RangeError);
  });
});

type Texts = Readonly<Record<string, string | undefined>>;

function textsOf({ details, history }: Message): Texts {
  const events = deliveryStatuses.map((status) => {
    const event = history.find((each) => each.status === status);
    return [status, event && encodeEvent(event)];
  });
  return Object.fromEntries([['details', details ? encodeDetails(details) : undefined], ...events]);
}

function lesserOf(a: Texts, b: Texts): Texts {
  return Object.fromEntries(
    Object.keys(a).map((name) => {
      const both = [a[name], b[name]].filter((text) => text !== undefined);
      return [name, both.sort(compareBytes)[0]];
    }),
  );
}
