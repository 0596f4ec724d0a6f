/** What a gateway says to a GraphQL request over HTTP. */
export interface Answer {
  readonly data?: unknown;
  readonly errors?: readonly AnswerError[];
}

export interface AnswerError {
  readonly message: string;
  readonly extensions?: { readonly code?: string; readonly retryable?: boolean };
}

/** Longer than a repeat waits for the first send with its key. */
const patienceMs = 14_000;

/** Undefined where the connection was refused, or ended before an answer. */
export async function ask(url: string, query: string, variables: object): Promise<Answer | undefined> {
  try {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json' },
      body: JSON.stringify({ query, variables }),
      signal: AbortSignal.timeout(patienceMs),
    });
    return (await response.json()) as Answer;
  } catch {
    return undefined;
  }
}

/** Whether nothing was done, and the same may be asked again. */
export function isRefusal({ extensions }: AnswerError): boolean {
  return extensions?.retryable === true;
}
