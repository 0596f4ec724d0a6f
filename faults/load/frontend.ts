import { setTimeout as delay } from 'node:timers/promises';
import { type Client, createClient } from 'graphql-ws';
import type { Report } from './subscriber-protocol.ts';

/** A frontend with one socket, which comes back whenever it is lost. */
export interface Frontend {
  readonly client: Client;
  /** How often its socket has connected. */
  readonly connections: number;
}

export interface FrontendOptions {
  /** Where the nodes are by now. */
  readonly urls: () => readonly string[];
  /** The place in that list where it begins. */
  readonly first: number;
  readonly report: (what: Report) => void;
}

/** How long a frontend waits at most before it comes back, in ms. */
export const returnMs = 500;

/** graphql-ws as a frontend would use it with a list of nodes: each try to connect goes to the next one. */
export function openFrontend({ urls, first, report }: FrontendOptions): Frontend {
  let tries = 0;
  let connections = 0;
  let connected = false;

  function nextUrl(): string {
    const now = urls();
    tries += 1;
    return `${now[(first + tries) % now.length]?.replace(/^http/, 'ws')}/graphql`;
  }

  const client = createClient({
    url: nextUrl,
    lazy: false,
    retryAttempts: Infinity,
    shouldRetry: () => true,
    retryWait: () => delay(Math.random() * returnMs),
    onNonLazyError: (error) =>
      report({ kind: 'surprise', what: `a socket ended for good: ${String(error)}` }),
    on: {
      connected() {
        connected = true;
        connections += 1;
        report({ kind: 'connected' });
      },
      closed() {
        if (connected) report({ kind: 'disconnected' });
        connected = false;
      },
    },
  });
  return {
    client,
    get connections() {
      return connections;
    },
  };
}
