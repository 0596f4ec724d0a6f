import { once } from 'node:events';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { closeRequest, type Opened, type Opening } from './sqlite-protocol.ts';
import { Refusal } from './sqlite-refusal.ts';

/** A worker that is frozen gets no longer than this to close its file. */
const closingPatienceMs = 3_000;

/** The worker's file is TypeScript where this one is, and JavaScript after a build. */
const workerUrl = new URL(`./sqlite-worker${extname(import.meta.url)}`, import.meta.url);

/** A worker with the database open. */
export interface Thread extends AsyncDisposable {
  post(request: string): void;
}

export interface ThreadListener {
  heard(reply: string): void;
  /** It ended without being asked. */
  died(cause: unknown): void;
}

/** @throws Refusal when the database cannot be opened. */
export async function startThread(opened: Opened, listener: ThreadListener): Promise<Thread> {
  const worker = new Worker(workerUrl, { workerData: opened });
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  await answered(worker, exited);

  let cause: unknown = new Error('The database worker ended.');
  let closing = false;
  worker.on('message', listener.heard);
  worker.on('error', (error) => {
    cause = error;
  });
  worker.on('exit', () => {
    if (!closing) listener.died(cause);
  });

  return {
    post: (request) => worker.postMessage(request),
    [Symbol.asyncDispose]: async () => {
      closing = true;
      worker.postMessage(closeRequest);
      const timer = setTimeout(() => worker.terminate(), closingPatienceMs);
      await exited;
      clearTimeout(timer);
    },
  };
}

async function answered(worker: Worker, exited: Promise<void>): Promise<void> {
  const ended = exited.then(() => {
    throw new Error('The database worker ended before it had opened the file.');
  });
  const [opening]: Opening[] = await Promise.race([once(worker, 'message'), ended]);
  if (!opening || opening.refusal === null) return;
  await exited;
  throw new Refusal(opening.refusal);
}
