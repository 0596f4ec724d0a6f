import { loadWithPosts } from './http-load.ts';

/** What asks a server to send a text, and what its answer calls the message. */
export interface SendDialect {
  readonly path: string;
  readonly body: (client: string, textMessage: string) => string;
  readonly idOf: (answer: string) => unknown;
}

const mutation =
  'mutation Send($input: SendTextMessageInput!) { sendTextMessage(input: $input) { message { id status revision } } }';

/** The gateway's, over HTTP. */
export const graphqlDialect: SendDialect = {
  path: '/graphql',
  body: (client, textMessage) =>
    JSON.stringify({ query: mutation, variables: { input: { client, textMessage } } }),
  idOf: (answer) => {
    const { data, errors } = JSON.parse(answer);
    if (!data?.sendTextMessage) throw new Error(`not sent: ${JSON.stringify(errors)}`);
    const { id, status, revision } = data.sendTextMessage.message;
    return status === 'ACCEPTED' && revision === 1 ? id : undefined;
  },
};

/** Pingup's own. */
export const pingupDialect: SendDialect = {
  path: '/bench/messages',
  body: (client, text_message) => JSON.stringify({ message_type: 'text', client, text_message }),
  idOf: (answer) => JSON.parse(answer).data.message_id,
};

export interface SendLoad {
  readonly port: number;
  readonly dialect: SendDialect;
  readonly count: number;
  readonly inFlight: number;
  /** Further headers, each with the end of its line. */
  readonly headers?: string;
}

/**
 * Sends texts in a closed loop, and resolves to the ids of their messages.
 *
 * @throws Error for an answer without an id, and for an id that comes twice.
 */
export async function sendTexts({
  port,
  dialect,
  count,
  inFlight,
  headers = '',
}: SendLoad): Promise<string[]> {
  const ids = new Set<string>();
  let asked = 0;

  function nextBody(): string | undefined {
    if (asked === count) return undefined;
    asked += 1;
    const client = `client-${asked}`;
    return dialect.body(client, `Hello, ${client}. Your table is ready.`);
  }

  function onAnswer(answer: string): void {
    const id = dialect.idOf(answer);
    if (typeof id !== 'string' || ids.has(id))
      throw new Error(`no id, or one that was there before: ${answer}`);
    ids.add(id);
  }

  await loadWithPosts({ port, path: dialect.path, inFlight, nextBody, headersFor: () => headers, onAnswer });
  return [...ids];
}
