import { expect, test } from 'vitest';
import { anyone, type Caller } from '../../src/caller.ts';
import { createSocketCallers } from '../../src/graphql/socket-callers.ts';
import { createSocketOperations } from '../../src/graphql/socket-operations.ts';

const floor = { takeFloor: () => true, leaveFloor: () => undefined };

/** A socket as far as its caller goes, and how often it was closed with which code. */
function createSocket() {
  const closes: number[] = [];
  return {
    closes,
    operations: createSocketOperations({ close: (code) => closes.push(code), address: 'somewhere', floor }),
  };
}

test('a socket that closed while its token was looked at is not looked at again, as one that left is not', async () => {
  const known = Promise.withResolvers<Caller>();
  using callers = createSocketCallers(() => known.promise);
  const [stays, left, gone] = [createSocket(), createSocket(), createSocket()];
  const admitted = [stays, left, gone].map(({ operations }) => callers.admit(operations, 'Bearer x'));
  gone.operations.closed = true;
  callers.leave(gone.operations);
  known.resolve({ ...anyone, expiresAt: Date.now() - 1 });
  expect(await Promise.all(admitted)).toEqual([true, true, true]);
  callers.leave(left.operations);
  await expect.poll(() => stays.closes).toEqual([4403]);
  expect([left.closes, gone.closes]).toEqual([[], []]);
});

test('what is no refusal is a fault of ours, and lets nobody in', async () => {
  using callers = createSocketCallers(() => Promise.reject(new TypeError('a fault')));
  const socket = createSocket();
  await expect(callers.admit(socket.operations, 'Bearer x')).rejects.toThrow('a fault');
  expect(socket.operations.caller).toBeNull();
});
