import { setTimeout as delay } from 'node:timers/promises';
import type { PostgresHost } from '../../postgres-url.ts';
import { type Hello, helloText, parseHello } from './hello.ts';
import { createPause } from './pause.ts';
import type { Session } from './session.ts';

/** What is known of a host, as of the last look. */
export type HostReport =
  | { readonly state: 'up'; readonly hello: Hello; readonly session: Session }
  | { readonly state: 'down'; readonly reason: unknown };

/** Looks at one host for as long as it lives, over one session that is made anew whenever it is lost. */
export interface HostWatch extends Disposable {
  readonly host: PostgresHost;
  /** Undefined before the first look has ended. */
  readonly report: HostReport | undefined;
  /** Looks now, or once more after the look that is under way. */
  look(): void;
}

export interface HostWatchOptions {
  readonly host: PostgresHost;
  readonly connect: () => Promise<Session>;
  readonly reported: () => void | Promise<void>;
  /** Between two looks, in milliseconds. */
  readonly intervalMs: () => number;
}

/** A server that ends each session at once is not asked without a pause. */
const leastPauseMs = 20;

export function watchHost({ host, connect, reported, intervalMs }: HostWatchOptions): HostWatch {
  const pause = createPause();
  let isClosed = false;
  let session: Session | undefined;
  let report: HostReport | undefined;

  async function open(): Promise<HostReport> {
    session = await connect();
    if (isClosed) session.destroy();
    void session.lost.then(pause.end);
    return { state: 'up', hello: session.hello, session };
  }

  async function ask(open: Session): Promise<HostReport> {
    const { rows } = await open.ask({ text: helloText });
    return { state: 'up', hello: parseHello(rows[0]), session: open };
  }

  async function look(): Promise<void> {
    try {
      report = await (session?.isOpen ? ask(session) : open());
    } catch (reason) {
      session?.destroy();
      report = { state: 'down', reason };
    }
    if (!isClosed) await reported();
  }

  async function keep(): Promise<void> {
    while (!isClosed) {
      await look();
      await delay(leastPauseMs);
      if (!isClosed) await pause.wait(intervalMs());
    }
  }

  void keep();
  return {
    host,
    get report() {
      return report;
    },
    look: pause.end,
    [Symbol.dispose]: () => {
      isClosed = true;
      session?.destroy();
      pause.end();
    },
  };
}
