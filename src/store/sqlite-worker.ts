import type { DatabaseSync } from 'node:sqlite';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { createOperations } from './sqlite-operations.ts';
import { type Answer, type Call, closeRequest, type Opening, writingOperations } from './sqlite-protocol.ts';
import { refusalOf } from './sqlite-refusal.ts';
import { openDatabase } from './sqlite-schema.ts';
import { createTransactions } from './sqlite-transaction.ts';

/** The thread that owns the database: opens it, says so, and serves batches until it is asked to close. */
function work(port: MessagePort, path: string): void {
  try {
    serve(port, openDatabase(path));
    port.postMessage({ refusal: null } satisfies Opening);
  } catch (error) {
    port.postMessage({ refusal: refusalOf(path, error).message } satisfies Opening);
    port.close();
  }
}

function serve(port: MessagePort, db: DatabaseSync): void {
  const answersTo = createServer(db);
  port.on('message', (request: string) => {
    if (request !== closeRequest) return port.postMessage(JSON.stringify(answersTo(JSON.parse(request))));
    db.close();
    port.close();
  });
}

/** Serves the writes of a batch in one transaction, then its reads, which need none and fail one by one. */
function createServer(db: DatabaseSync): (batch: readonly Call[]) => readonly Answer[] {
  const operations = createOperations(db);
  const transact = createTransactions(db);

  function run([name, ...args]: Call): Answer {
    const operation = operations[name] as (...args: readonly unknown[]) => unknown;
    return { value: operation(...args) };
  }

  function read(call: Call): Answer {
    try {
      return run(call);
    } catch (error) {
      return failure(error);
    }
  }

  function write(calls: readonly Call[]): ReadonlyMap<Call, Answer> {
    const answers = new Map<Call, Answer>();
    try {
      transact(() => {
        for (const call of calls) answers.set(call, run(call));
      });
    } catch (error) {
      for (const call of calls) answers.set(call, failure(error));
    }
    return answers;
  }

  return (batch) => {
    const writes = batch.filter(([name]) => writingOperations.has(name));
    const written = writes.length > 0 ? write(writes) : undefined;
    return batch.map((call) => written?.get(call) ?? read(call));
  };
}

function failure(error: unknown): Answer {
  return { error: error instanceof Error ? error.message : String(error) };
}

if (parentPort) work(parentPort, workerData.path);
