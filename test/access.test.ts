import { expect, test } from 'vitest';
import { businessOf, requireScope } from '../src/access.ts';
import { anyone, type Caller, scopes } from '../src/caller.ts';

const known = ['acme', 'other', 'third'];

function callerFor(...businesses: string[]): Caller {
  return { ...anyone, businesses: new Set(businesses) };
}

function actingFor(caller: Caller, wanted?: string | null, there: readonly string[] = known): string {
  return businessOf(caller, there, wanted, ['input', 'business']);
}

test('who may act for one business acts for that without naming it, and may name it', () => {
  expect(actingFor(callerFor('acme'))).toBe('acme');
  expect(actingFor(callerFor('acme'), 'acme')).toBe('acme');
  expect(actingFor(anyone, null, ['acme'])).toBe('acme');
  expect(actingFor(callerFor('acme', 'gone'))).toBe('acme');
});

test('who may act for several names one, or is told which there are for them', () => {
  expect(actingFor(callerFor('acme', 'other'), 'other')).toBe('other');
  expect(() => actingFor(callerFor('acme', 'other'))).toThrow(
    expect.objectContaining({
      code: 'BAD_USER_INPUT',
      faults: [{ path: ['input', 'business'], expected: expect.stringMatching(/acme, other$/) }],
    }),
  );
});

test('a business of somebody else and one that does not exist are FORBIDDEN in the same words', () => {
  const messageFor = (wanted: string) => {
    try {
      return actingFor(callerFor('acme'), wanted);
    } catch (error) {
      expect(error).toMatchObject({ code: 'FORBIDDEN', retryable: false });
      return (error as Error).message.replace(JSON.stringify(wanted), '*');
    }
  };
  expect(messageFor('other')).toBe(messageFor('nowhere'));
  for (const wanted of ['', 'Acme', 'acme ', '__proto__', 'acme/other'])
    expect(messageFor(wanted)).toBe(messageFor('nowhere'));
});

test('who may act for no business there is acts for none', () => {
  for (const caller of [callerFor(), callerFor('gone')])
    expect(() => actingFor(caller)).toThrow(expect.objectContaining({ code: 'FORBIDDEN' }));
});

test.each(scopes)('the scope %s is required where it is missing, and no other stands for it', (scope) => {
  const others = new Set(scopes.filter((other) => other !== scope));
  expect(() => requireScope({ ...anyone, scopes: others }, scope)).toThrow(
    expect.objectContaining({ code: 'FORBIDDEN', message: expect.stringContaining(scope) }),
  );
  requireScope({ ...anyone, scopes: new Set([scope]) }, scope);
});
