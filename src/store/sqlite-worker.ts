import type { DatabaseSync } from 'node:sqlite';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type { StoreLimits } from '../store-limits.ts';
import { createStoreClock } from './sqlite-clock.ts';
import { rememberFiles } from './sqlite-files.ts';
import { createGenerations, walFileOf } from './sqlite-generation.ts';
import { openDatabase } from './sqlite-opening.ts';
import { createOperations } from './sqlite-operations.ts';
import { ownerFileOf } from './sqlite-owner.ts';
import {
  type Answer,
  type Call,
  closeRequest,
  fileOperations,
  type Opened,
  type Opening,
  writingOperations,
} from './sqlite-protocol.ts';
import { refusalOf } from './sqlite-refusal.ts';
import { createEncoder, failure } from './sqlite-reply.ts';
import { createTransactions } from './sqlite-transaction.ts';

/** The thread that owns the database: opens it, says so, and serves batches until it is asked to close. */
function work(port: MessagePort, { path, limits }: Opened): void {
  try {
    serve(port, path, openDatabase(path), limits);
    port.postMessage({ refusal: null } satisfies Opening);
  } catch (error) {
    port.postMessage({ refusal: refusalOf(path, error).message } satisfies Opening);
    port.close();
  }
}

function serve(port: MessagePort, path: string, db: DatabaseSync, limits: StoreLimits): void {
  const generations = createGenerations(db, path);
  generations.follow();
  const checkFiles = rememberFiles([path, walFileOf(path), ownerFileOf(path)]);
  const replyTo = createServer(db, limits, { checkFiles, committed: generations.follow });
  port.on('message', (request: string) => {
    if (request !== closeRequest) return port.postMessage(replyTo(JSON.parse(request)));
    db.close();
    generations.close();
    port.close();
  });
}

interface Guards {
  /** Throws while what is written would be lost. */
  checkFiles(): void;
  /** Called after a commit. If it throws, the commit is not acknowledged. */
  committed(): void;
}

/** Serves the writes of a batch in one transaction, then its reads, which need none and fail one by one. */
function createServer(
  db: DatabaseSync,
  limits: StoreLimits,
  { checkFiles, committed }: Guards,
): (batch: readonly Call[]) => string {
  const clock = createStoreClock(db);
  const operations = createOperations(db, limits, clock);
  const transact = createTransactions(db);

  function run([name, ...args]: Call): Answer {
    const operation = operations[name] as (...args: readonly unknown[]) => unknown;
    return { value: operation(...args) };
  }

  function read(call: Call): Answer {
    try {
      if (fileOperations.has(call[0])) checkFiles();
      return run(call);
    } catch (error) {
      return failure(error);
    }
  }

  function write(calls: readonly Call[]): ReadonlyMap<Call, Answer> {
    const answers = new Map<Call, Answer>();
    try {
      checkFiles();
      transact(() => {
        clock.tick(Date.now());
        for (const call of calls) answers.set(call, run(call));
      });
      committed();
    } catch (error) {
      for (const call of calls) answers.set(call, failure(error));
    }
    return answers;
  }

  return (batch) => {
    const encode = createEncoder();
    const replies = new Map<Call, string>();
    const writes = batch.filter(([name]) => writingOperations.has(name));
    if (writes.length > 0) for (const [call, answer] of write(writes)) replies.set(call, encode(answer));
    return `[${batch.map((call) => replies.get(call) ?? encode(read(call))).join(',')}]`;
  };
}

if (parentPort) work(parentPort, workerData);
