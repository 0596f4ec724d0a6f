import { GraphQLError, GraphQLID, GraphQLScalarType, Kind, print } from 'graphql';
import { GraphQLDateTime } from 'graphql-scalars';

/** An instant, as an RFC 3339 string in UTC. Resolvers give milliseconds since the epoch. */
export const DateTime = GraphQLDateTime;

const anId = `a string, or a whole number of at most ${Number.MAX_SAFE_INTEGER}`;

/**
 * GraphQL's own ID, in place of it: an id may be given as a number, but not as one so large that reading JSON has
 * rounded it, which would be somebody else's.
 */
export const ID = new GraphQLScalarType<string, string>({
  ...GraphQLID.toConfig(),
  parseValue(value) {
    if (typeof value !== 'number' || Number.isSafeInteger(value)) return GraphQLID.parseValue(value);
    throw new GraphQLError(`expected ${anId}, not ${value}`);
  },
});

const aDelay = 'a string such as "2d" or "90s"';

/**
 * How long Pingup waits before it sends. It takes any string: whether the string is a delay is checked together with
 * the rest of the input, so that a caller learns of all faults at once.
 */
export const Delay = new GraphQLScalarType<string, string>({
  name: 'Delay',
  description:
    'How long Pingup waits before it sends: a positive whole number and a unit of `w` (weeks), `d` (days), ' +
    '`h` (hours), `m` (minutes) or `s` (seconds), such as `"2d"` or `"90s"`. At most ten years.',
  serialize: (value) => String(value),
  parseValue(value) {
    if (typeof value === 'string') return value;
    throw new GraphQLError(`expected ${aDelay}, not ${JSON.stringify(value)}`);
  },
  parseLiteral(node) {
    if (node.kind === Kind.STRING) return node.value;
    throw new GraphQLError(`expected ${aDelay}, not ${print(node)}`, { nodes: node });
  },
});
