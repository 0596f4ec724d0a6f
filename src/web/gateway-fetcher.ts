import { createGraphiQLFetcher, type Fetcher } from '@graphiql/toolkit';
import { createClient } from 'graphql-ws';

const longestWaitMs = 5_000;

/** Queries and mutations by POST to `url`, subscriptions by graphql-transport-ws to the same place. */
export function gatewayFetcher(url: URL): Fetcher {
  const wsClient = createClient({
    url: url.href.replace(/^http/, 'ws'),
    // A subscription starts with the message as it is now, so one taken up again after any gap has missed nothing.
    retryAttempts: Number.POSITIVE_INFINITY,
    retryWait: (retries) => wait(Math.min(2 ** retries * 250, longestWaitMs)),
  });
  return createGraphiQLFetcher({ url: url.href, wsClient, enableIncrementalDelivery: false });
}

function wait(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}
