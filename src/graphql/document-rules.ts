import { maxAliasesRule } from '@escape.tech/graphql-armor-max-aliases';
import { maxDepthRule } from '@escape.tech/graphql-armor-max-depth';
import { maxDirectivesRule } from '@escape.tech/graphql-armor-max-directives';
import {
  GraphQLError,
  NoSchemaIntrospectionCustomRule,
  type ValidationContext,
  type ValidationRule,
} from 'graphql';
import { maxRootFieldsRule } from './max-root-fields-rule.ts';
import { unconditionalSubscriptionRule } from './unconditional-subscription-rule.ts';

/**
 * What a document may ask for at most, far more than any real operation does. Without them a few kilobytes could keep
 * the gateway busy for seconds.
 */
export const documentLimits = {
  /** Lexical tokens. The parser stops there; validation is what they make expensive. */
  tokens: 1_000,
  depth: 10,
  aliases: 30,
  directives: 30,
  /** Different fields at the root of an operation: ten texts, or ten pages. Aliased sends count as sends. */
  rootFields: 10,
  /** Characters of a name, aliases included. */
  nameCharacters: 128,
  /** Fields and spreads, each counted wherever its fragment is spread: no rule reads more of a document. */
  expandedSelections: 5_000,
} as const;

/** For graphql-js's parser. */
export const parseOptions = { maxTokens: documentLimits.tokens };

/** The rules besides graphql-js's own, one list for HTTP and for the socket. */
export function documentRules({ introspection }: { introspection: boolean }): readonly ValidationRule[] {
  const { depth, aliases, directives, rootFields } = documentLimits;
  return [
    maxDepthRule({ n: depth, flattenFragments: true, ...reporting }),
    maxAliasesRule({ n: aliases, ...reporting }),
    maxDirectivesRule({ n: directives, ...reporting }),
    maxRootFieldsRule(rootFields),
    unconditionalSubscriptionRule,
    ...(introspection ? [] : [NoSchemaIntrospectionCustomRule]),
  ];
}

/** graphql-armor would throw, and call what does not fit a syntax error; graphql-js expects a report. */
const reporting = { propagateOnRejection: false, onReject: [report] };

function report(context: ValidationContext | null, { message }: GraphQLError): void {
  context?.reportError(new GraphQLError(message.replace('Syntax Error: ', '')));
}
