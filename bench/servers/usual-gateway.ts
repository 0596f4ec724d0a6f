import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import ky from 'ky';
import { anyone } from '../../src/caller.ts';
import type { GatewayContext } from '../../src/graphql/context.ts';
import type { Sent } from '../../src/messaging.ts';
import type { TextInput } from '../../src/outgoing-text.ts';

/**
 * The usual set-up: Apollo Server as it comes, type-graphql, and ky over the global fetch; nothing is written down.
 * The schema is the gateway's own, from the build: Node cannot strip its decorators.
 */
const [upstream = ''] = process.argv.slice(2);
const built = new URL('../../dist/graphql/schema.js', import.meta.url).href;
const { buildGatewaySchema }: typeof import('../../src/graphql/schema.ts') = await import(built);
const api = ky.create({ headers: { authorization: 'Bearer bench-key' } });

async function send({ client, textMessage }: TextInput): Promise<Sent> {
  const json = { message_type: 'text', client, text_message: textMessage };
  const answer = await api
    .post(`${upstream}/bench/messages`, { json })
    .json<{ data: { message_id: string } }>();
  const now = Date.now();
  const message: Sent['message'] = {
    business: 'bench',
    id: answer.data.message_id,
    details: null,
    history: [{ status: 'ACCEPTED', at: now, receivedAt: now, rawStatus: null, failure: null }],
  };
  return { message, replayed: false };
}

const context = {
  messaging: { send },
  businesses: () => ['bench'],
  caller: anyone,
  address: () => '127.0.0.1',
} as unknown as GatewayContext;
const apollo = new ApolloServer<GatewayContext>({ schema: await buildGatewaySchema() });
const { url } = await startStandaloneServer(apollo, {
  listen: { host: '127.0.0.1', port: 0 },
  context: async () => context,
});
process.stdout.write(`${JSON.stringify({ url })}\n`);
