/**
 * A process of its own with the store at `argv[2]`, for tests that kill or confine one. It prints a line for what
 * it has achieved, and obeys `argv[3]`:
 * - `hold`: prints `open`, and keeps the store open;
 * - `write`: prints `wrote <id>` once each of endlessly many messages is durable;
 * - `fill`: writes until the store refuses, prints `refused` and its code, then `recovered` once it can write again.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import { accepted, beginSend, key, newSend } from './samples.ts';

const [path = '', command] = process.argv.slice(2);
const store = await openSqliteStore({ path }).catch((error: Error) => {
  print(`refusal ${error.message}`);
  process.exit(1);
});
print('open');
if (command === 'write') await Promise.all(Array.from({ length: 16 }, (_, index) => write(`w${index}`)));
if (command === 'fill') await fill();
if (command === 'hold') process.stdin.resume();

async function write(name: string): Promise<void> {
  for (let count = 0; ; count += 1) {
    const id = `${name}-${count}`;
    const attempt = await beginSend(store);
    await store.accept(attempt, accepted(id));
    print(`wrote ${id}`);
  }
}

async function fill(): Promise<void> {
  const codes = new Set<string>();
  const note = (error: { code: string }) => codes.add(error.code);
  for (let count = 0; codes.size === 0; count += 1) await store.record([accepted(`f${count}`)]).catch(note);
  await store.begin(newSend()).catch(note);
  print(`refused ${[...codes]}, still reads ${(await store.find(key('f0')))?.id}`);
  while (!(await canWrite())) await turn();
  print('recovered');
}

function canWrite(): Promise<boolean> {
  return store.check().then(
    () => true,
    () => false,
  );
}

/** In one synchronous piece: a line that was begun is out before anything else happens. */
function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
