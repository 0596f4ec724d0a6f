/** The sandbox's clients: name to what happens to a message for it. */
export type SandboxClients = Readonly<Record<string, string>>;

export interface ReadyMadeTab {
  readonly query: string;
  /** JSON, as the reader sees it. */
  readonly variables: string;
}

/** GraphiQL titles a tab after its operation. */
export const watchOperationName = 'MessageStatus';

/** What a newcomer finds open: send, watch, look up. `sandboxClients` is null when texts go to the real Pingup. */
export function readyMadeTabs(sandboxClients: SandboxClients | null): ReadyMadeTab[] {
  return [sandboxClients ? sandboxSendTab(sandboxClients) : realSendTab, watchTab, lookUpTab];
}

const sendOperation = `mutation SendTextMessage($input: SendTextMessageInput!) {
  sendTextMessage(input: $input) {
    message {
      id
      status
      scheduledFor
    }
  }
}
`;

const realSendTab: ReadyMadeTab = {
  query: `# 1. Send a text through Pingup. Say below whom it is
# for: "client" is the client's id there, "clientPhone" a
# number with its country prefix.
#
# Press play, or Ctrl+Enter. The button below the answer
# opens the message in the watch tab.

${sendOperation}`,
  variables: asJson({ input: { client: 'the id of the client', textMessage: 'Hello from the gateway!' } }),
};

function sandboxSendTab(sandboxClients: SandboxClients): ReadyMadeTab {
  const clients = Object.entries(sandboxClients).map(([name, effect]) => listItem(`${name}: ${effect}`));
  return {
    query: `# 1. Send a text: press play, or Ctrl+Enter. The button
# below the answer opens the message in the watch tab;
# the delay leaves you ten seconds until it goes out.
#
# A sandbox stands in for Pingup: nothing reaches a
# phone, and "client" chooses what happens. Clients and
# what they do are listed at the end.

${sendOperation}
# The sandbox's clients:
#
${clients.join('\n')}
`,
    variables: asJson({ input: { client: 'reads', textMessage: 'Hello from the sandbox!', delay: '10s' } }),
  };
}

const watchTab: ReadyMadeTab = {
  query: `# 2. Watch a message: put its id into the variables
# below and press play. You see it as it is now, then
# each change until it is read. Stop leaves earlier.

subscription ${watchOperationName}($messageId: ID!) {
  messageStatus(messageId: $messageId) {
    id
    status
    revision
    updatedAt
    history {
      status
      at
      rawStatus
    }
    failure {
      code
      reason
    }
  }
}
`,
  variables: asJson({ messageId: 'put the id here' }),
};

const lookUpTab: ReadyMadeTab = {
  query: `# 3. Look up one message by its id, and the latest ones.
# messages also takes after (an endCursor, to go on from
# there), client, and status, such as [FAILED, READ].

query LookUp($messageId: ID!) {
  message(id: $messageId) {
    id
    status
    textMessage
  }
  messages(first: 5) {
    edges {
      node {
        id
        client
        status
        updatedAt
      }
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
`,
  variables: asJson({ messageId: 'put the id here' }),
};

/** A comment in the list of clients, wrapped to what half a small screen shows. */
function listItem(text: string): string {
  const lines = text.match(/\S.{0,50}(?=\s|$)/g) ?? [];
  return lines.map((line, index) => `${index === 0 ? '# - ' : '#   '}${line}`).join('\n');
}

function asJson(value: unknown): string {
  return JSON.stringify(value, null, 2);
}
