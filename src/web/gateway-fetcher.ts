import { createGraphiQLFetcher, type Fetcher } from '@graphiql/toolkit';
import { type Client, createClient } from 'graphql-ws';

const longestWaitMs = 5_000;
/** The token is missing, not valid, or not any more. A client of a page has no other one to come back with. */
const forbidden = 4403;

/**
 * Queries and mutations by POST to `url`, subscriptions by graphql-transport-ws to the same place. What the header editor
 * says of `authorization` goes both ways.
 */
export function gatewayFetcher(url: URL): Fetcher {
  const socketUrl = url.href.replace(/^http/, 'ws');
  let latest: { readonly authorization: string | undefined; readonly fetcher: Fetcher } | undefined;

  /** A socket shows who it is once, so another authorization takes another socket. The one before closes when idle. */
  function fetcherFor(authorization: string | undefined): Fetcher {
    if (!latest || latest.authorization !== authorization) {
      const wsClient = connectAs(socketUrl, authorization);
      const fetcher = createGraphiQLFetcher({ url: url.href, wsClient, enableIncrementalDelivery: false });
      latest = { authorization, fetcher };
    }
    return latest.fetcher;
  }

  return (params, options) => fetcherFor(authorizationIn(options?.headers))(params, options);
}

function connectAs(url: string, authorization: string | undefined): Client {
  return createClient({
    url,
    ...(authorization !== undefined && { connectionParams: { authorization } }),
    // A subscription starts with the message as it is now, so one taken up again after any gap has missed nothing.
    retryAttempts: Number.POSITIVE_INFINITY,
    retryWait: (retries) => wait(Math.min(2 ** retries * 250, longestWaitMs)),
    shouldRetry: (event) => isClose(event) && event.code !== forbidden,
  });
}

function isClose(event: unknown): event is Pick<CloseEvent, 'code'> {
  return typeof event === 'object' && event !== null && 'code' in event;
}

/** Names of headers are without regard to case. */
function authorizationIn(headers: Readonly<Record<string, unknown>> = {}): string | undefined {
  const found = Object.entries(headers).find(([name]) => name.toLowerCase() === 'authorization');
  return found === undefined ? undefined : String(found[1]);
}

function wait(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}
