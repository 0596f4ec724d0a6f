import 'reflect-metadata';
import type { GraphQLSchema } from 'graphql';
import { buildSchema, type PubSub } from 'type-graphql';
import { MessageResolver } from './message-resolver.ts';
import { OperationsResolver } from './operations-resolver.ts';
import { QuarantineResolver } from './quarantine-resolver.ts';
import { SendResolver } from './send-resolver.ts';

/**
 * type-graphql refuses a schema with subscriptions unless it is given a pub/sub, even though every subscription here
 * has its own `subscribe`. This one is never called: the store is what is watched.
 */
const unusedPubSub: PubSub = {
  publish() {
    throw new Error('nothing is published: subscriptions watch the store');
  },
  subscribe() {
    throw new Error('nothing is published: subscriptions watch the store');
  },
};

/** The schema, as `schema/schema.graphql` shows it. */
export function buildGatewaySchema(): Promise<GraphQLSchema> {
  const resolvers = [MessageResolver, SendResolver, OperationsResolver, QuarantineResolver] as const;
  return buildSchema({ resolvers, validate: false, pubSub: unusedPubSub });
}
