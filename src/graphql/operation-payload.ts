import type { SubscribePayload } from 'graphql-ws';

/** What an operation asks for. */
export type RequestParams = Pick<SubscribePayload, 'query' | 'variables' | 'operationName'>;

/**
 * The payload of an operation as graphql-ws keeps it for as long as the operation runs: whatever was sent, it holds no
 * more than the size of it once it was taken. It also stands for the operation wherever one has to be told from others.
 */
export class OperationPayload implements SubscribePayload {
  query: string;
  variables: RequestParams['variables'];
  operationName: RequestParams['operationName'];
  /** At most so many characters are in its variables. */
  readonly variableCharacters: number;

  /** @param characters of the whole frame. */
  constructor({ query, variables, operationName }: RequestParams, characters: number) {
    this.query = query;
    this.variables = variables;
    this.operationName = operationName;
    this.variableCharacters = Math.max(characters - query.length, 0);
  }

  /** Hands out what is asked for, and keeps none of it. */
  take(): RequestParams {
    const { query, variables, operationName } = this;
    this.query = '';
    this.variables = null;
    this.operationName = null;
    return { query, variables, operationName };
  }
}
