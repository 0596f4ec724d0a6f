import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { type FormattedExecutionResult, print } from 'graphql';
import { type Client, createClient } from 'graphql-ws';

export type Result<T> = FormattedExecutionResult<T, Record<string, unknown>>;

/** A query or mutation over HTTP, as any frontend would make it. */
export async function execute<T, V>(
  url: string,
  document: TypedDocumentNode<T, V>,
  variables: V,
  authorization?: string,
): Promise<Result<T>> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/graphql-response+json',
      ...(authorization && { authorization }),
    },
    body: JSON.stringify({ query: print(document), variables }),
  });
  return (await response.json()) as Result<T>;
}

/** The official graphql-ws client on a socket of its own. */
export function connect(url: string, authorization?: string): Client & AsyncDisposable {
  const client = createClient({
    url: `${url.replace(/^http/, 'ws')}/graphql`,
    retryAttempts: 0,
    ...(authorization && { connectionParams: { authorization } }),
  });
  return { ...client, [Symbol.asyncDispose]: async () => client.dispose() };
}

/** The results of a subscription, one after the other: they wait until they are pulled, so none is missed. */
export function subscribe<T, V extends Record<string, unknown>>(
  client: Client,
  document: TypedDocumentNode<T, V>,
  variables: V,
): AsyncIterableIterator<Result<T>, undefined> {
  return client.iterate({ query: print(document), variables }) as AsyncIterableIterator<Result<T>, undefined>;
}

/** The data of a result. @throws Error with the first GraphQL error instead. */
export function dataOf<T>(result: Result<T> | undefined): T {
  const [error] = result?.errors ?? [];
  if (error) throw new Error(`${error.message} ${JSON.stringify(error.extensions)}`);
  if (!result?.data) throw new Error('no data');
  return result.data;
}

/** What `sendTextMessage` gave. @throws Error with the first GraphQL error instead. */
export function payloadOf<T>(result: Result<{ sendTextMessage: T | null }> | undefined): T {
  const { sendTextMessage } = dataOf(result);
  if (sendTextMessage === null) throw new Error('a send that failed without an error');
  return sendTextMessage;
}
