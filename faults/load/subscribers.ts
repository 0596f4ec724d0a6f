import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { countRefusal, type Outcomes } from '../history/outcomes.ts';
import type { Recorder } from '../history/recorder.ts';
import type { Order, Report } from './subscriber-protocol.ts';

/** Frontends in a process of their own, so that what they see is written down when they see it. */
export interface Subscribers extends AsyncDisposable {
  watch(id: string): void;
  leave(id: string): void;
  /** Tells them where the nodes are by now. */
  goTo(urls: readonly string[]): void;
  /** Whether every socket is connected. */
  readonly allConnected: boolean;
}

export interface SubscribersOptions {
  readonly sockets: number;
  readonly urls: readonly string[];
  readonly recorder: Recorder;
  readonly outcomes: Outcomes;
}

const script = fileURLToPath(new URL('subscriber-process.ts', import.meta.url));
const connectMs = 20_000;

/** Resolves once all sockets are connected. @throws Error where they are not in time. */
export async function startSubscribers(options: SubscribersOptions): Promise<Subscribers> {
  const { sockets, urls, recorder, outcomes } = options;
  const child = fork(script, [String(sockets), ...urls], {
    execArgv: [],
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const exited = once(child, 'exit');
  const begun = Promise.withResolvers<void>();
  let connected = 0;
  let wanted = true;

  function take(report: Report): void {
    if (report.kind === 'saw') recorder.saw(report.id, report.sighting);
    else if (report.kind === 'completed') recorder.completed(report.id);
    else if (report.kind === 'refused') refuse(report.code);
    else if (report.kind === 'disconnected') loseSocket();
    else if (report.kind === 'surprise') outcomes.surprises.push(report.what);
    else if (++connected === sockets) begun.resolve();
  }

  function refuse(code: string | undefined): void {
    outcomes.subscribers.refused += 1;
    countRefusal(outcomes, code);
  }

  function loseSocket(): void {
    connected -= 1;
    outcomes.subscribers.disconnected += 1;
  }

  function tell(order: Order): void {
    // With a callback, what is sent to one that has just ended is no `error`, which `once` would reject with.
    if (child.connected) child.send(order, () => undefined);
  }

  child.on('message', (reports: readonly Report[]) => reports.forEach(take));
  // What is sent to one that has just ended; its end is told as such.
  child.on('error', () => undefined);
  child.once('exit', (code) => {
    const reason = new Error(`the process of the subscribers ended with ${code}`);
    if (wanted) outcomes.surprises.push(reason.message);
    begun.reject(reason);
  });
  const limit = setTimeout(() => begun.reject(new Error('the subscribers cannot connect')), connectMs);
  const subscribers: Subscribers = {
    watch: (id) => tell({ kind: 'watch', id }),
    leave: (id) => tell({ kind: 'leave', id }),
    goTo: (now) => tell({ kind: 'nodes', urls: now }),
    get allConnected() {
      return connected === sockets;
    },
    async [Symbol.asyncDispose]() {
      wanted = false;
      child.kill('SIGKILL');
      await exited;
    },
  };
  try {
    await begun.promise;
    return subscribers;
  } catch (error) {
    await subscribers[Symbol.asyncDispose]();
    throw error;
  } finally {
    clearTimeout(limit);
  }
}
