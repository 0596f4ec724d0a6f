import { ApolloClient, ApolloLink, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { SetContextLink } from '@apollo/client/link/context';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { OperationTypeNode } from 'graphql';
import { createClient } from 'graphql-ws';
import { expect, test } from 'vitest';
import {
  MessageDocument,
  MessageStateFragmentDoc,
  MessageStatusDocument,
  SendTextMessageDocument,
} from '../generated/operations.ts';
import { startTestGateway } from '../support/gateway.ts';
import { authEnv, createSigner } from '../support/signer.ts';

/** As the README shows it. */
function createApollo(url: string) {
  const socket = createClient({ url: `${url.replace(/^http/, 'ws')}/graphql` });
  const link = ApolloLink.split(
    ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
    new GraphQLWsLink(socket),
    new HttpLink({ uri: `${url}/graphql` }),
  );
  const apollo = new ApolloClient({ link, cache: new InMemoryCache() });
  async function stop(): Promise<void> {
    apollo.stop();
    await socket.dispose();
  }
  return { apollo, [Symbol.asyncDispose]: stop };
}

test('Apollo Client sends, watches, and its normalised cache shows each state without any code', async () => {
  await using gateway = await startTestGateway({ sandboxStepMs: 5 });
  await using client = createApollo(gateway.url);
  const { apollo } = client;

  const variables = { input: { client: 'reads', textMessage: 'Hello', delay: '1s' } };
  const { data } = await apollo.mutate({ mutation: SendTextMessageDocument, variables });
  const id = String(data?.sendTextMessage?.message.id);
  await apollo.query({ query: MessageDocument, variables: { id } });

  const onScreen: string[] = [];
  apollo.watchQuery({ query: MessageDocument, variables: { id } }).subscribe(({ data }) => {
    const status = data?.message?.status;
    if (status && onScreen.at(-1) !== status) onScreen.push(status);
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  apollo
    .subscribe({ query: MessageStatusDocument, variables: { messageId: id } })
    .subscribe({ complete: resolve, error: reject });
  await promise;

  await expect.poll(() => onScreen).toEqual(['ACCEPTED', 'SENT', 'DELIVERED', 'READ']);
  const fragment = { fragment: MessageStateFragmentDoc, fragmentName: 'MessageState', id: `Message:${id}` };
  expect(apollo.cache.readFragment(fragment)).toMatchObject({ id, status: 'READ', revision: 4 });
});

/** As the README shows it, with a token. */
function createApolloWithToken(url: string, authorization: () => Promise<string>) {
  const socket = createClient({
    url: `${url.replace(/^http/, 'ws')}/graphql`,
    connectionParams: async () => ({ authorization: await authorization() }),
  });
  const withToken = new SetContextLink(async ({ headers }) => ({
    headers: { ...headers, authorization: await authorization() },
  }));
  const link = ApolloLink.split(
    ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
    new GraphQLWsLink(socket),
    withToken.concat(new HttpLink({ uri: `${url}/graphql` })),
  );
  const apollo = new ApolloClient({ link, cache: new InMemoryCache() });
  async function stop(): Promise<void> {
    apollo.stop();
    await socket.dispose();
  }
  return { apollo, [Symbol.asyncDispose]: stop };
}

test('Apollo Client shows a token on both transports', async () => {
  const signer = await createSigner();
  await using gateway = await startTestGateway({ sandboxStepMs: 5, env: authEnv(signer) });
  const authorization = async () => `Bearer ${await signer.sign({ businesses: ['sandbox'] })}`;
  await using client = createApolloWithToken(gateway.url, authorization);
  const variables = { input: { client: 'reads', textMessage: 'Hello' } };
  const { data } = await client.apollo.mutate({ mutation: SendTextMessageDocument, variables });
  const messageId = String(data?.sendTextMessage?.message.id);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const seen: unknown[] = [];
  client.apollo.subscribe({ query: MessageStatusDocument, variables: { messageId } }).subscribe({
    next: (result) => void seen.push(result.data?.messageStatus.status),
    complete: resolve,
    error: reject,
  });
  await promise;
  expect(seen.at(-1)).toBe('READ');
});

test('an unknown id reaches Apollo Client as an error with its code', async () => {
  await using gateway = await startTestGateway();
  await using client = createApollo(gateway.url);
  const query = gql`subscription Unknown { messageStatus(messageId: "unknown") { id } }`;
  const { promise, resolve } = Promise.withResolvers<unknown>();
  client.apollo.subscribe({ query, errorPolicy: 'all' }).subscribe({ next: resolve, error: resolve });
  expect(JSON.stringify(await promise)).toContain('NOT_FOUND');
});
