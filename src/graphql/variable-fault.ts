import { type GraphQLError, Kind, print } from 'graphql';
import type { InputFault } from '../errors.ts';

/**
 * What is wrong with the value of a variable; undefined for an error about anything else. The path starts with the
 * variable's name, which need not be the argument's: graphql-js checks variables before it looks at where they go.
 * Items of a list are counted from 0: `['status', '1']`.
 *
 * graphql-js reports each fault at the variable's definition, and tells the rest in words alone:
 * `Variable "$input" got invalid value 5 at "input.delay"; <reason>`, the reason being the original error's message.
 */
export function variableFault({ nodes, message, originalError }: GraphQLError): InputFault | undefined {
  const [definition, ...others] = nodes ?? [];
  if (definition?.kind !== Kind.VARIABLE_DEFINITION || others.length > 0) return undefined;
  const name = definition.variable.name.value;
  const reason = originalError?.message ?? message;
  if (reason === message) return { path: [name], expected: aValueOf(print(definition.type)) };
  const { field, expected } = explain(reason);
  const path = pathAtEnd(message.slice(0, -`; ${reason}`.length)) ?? [name];
  return { path: field === undefined ? path : [...path, field], expected };
}

/** The value that was given stands before it, so only the end can be trusted. */
function pathAtEnd(text: string): readonly string[] | undefined {
  return / at "([\w.[\]]+)"$/.exec(text)?.[1]?.match(/\w+/g) ?? undefined;
}

interface Explanation {
  /** Where the fault is a field, but graphql-js gives the path of the object. */
  readonly field?: string | undefined;
  readonly expected: string;
}

function explain(reason: string): Explanation {
  const [, missing, missingType] =
    /^Field "(\w+)" of required type "(.+)" was not provided\.$/.exec(reason) ?? [];
  if (missingType) return { field: missing, expected: aValueOf(missingType) };
  const [, unknown, owner] = /^Field "(.*)" is not defined by type "(\w+)"\./s.exec(reason) ?? [];
  if (owner) return { field: unknown, expected: `a field of ${owner}` };
  const [, ours] = /^expected (.+?), not /.exec(reason) ?? [];
  const type = typeIn(reason);
  return { expected: ours ?? (type ? aValueOf(type) : reason) };
}

const typePatterns = [
  /^Expected (?:non-nullable )?type "(.+?)"/,
  /^Value .* does not exist in "(\w+)" enum\./s,
  /^Enum "(\w+)" cannot represent /,
  /^(\w+) cannot represent /,
];

function typeIn(reason: string): string | undefined {
  return typePatterns.map((pattern) => pattern.exec(reason)?.[1]).find((type) => type !== undefined);
}

function aValueOf(type: string): string {
  return `a value of type ${type}`;
}
