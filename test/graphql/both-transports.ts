import type { FormattedExecutionResult } from 'graphql';
import { connect } from '../support/graphql-client.ts';

type Variables = Readonly<Record<string, unknown>>;

/** The result of an operation on each transport: its data or its errors. */
export const transports: readonly (readonly [name: string, run: Run])[] = [
  ['HTTP', overHttp],
  ['the socket', overSocket],
];

export type Run = (
  gateway: { readonly url: string },
  query: string,
  variables?: Variables,
  operationName?: string,
) => Promise<FormattedExecutionResult>;

async function overHttp(
  { url }: { readonly url: string },
  query: string,
  variables: Variables = {},
  operationName?: string,
) {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables, operationName }),
  });
  return (await response.json()) as FormattedExecutionResult;
}

async function overSocket(
  { url }: { readonly url: string },
  query: string,
  variables: Variables = {},
  operationName?: string,
) {
  await using client = connect(url);
  try {
    const { value } = await client.iterate({ query, variables, operationName }).next();
    return value as FormattedExecutionResult;
  } catch (errors) {
    return { errors } as FormattedExecutionResult;
  }
}
