/** What the load asks of the gateway. */
export const sendDocument =
  'mutation Send($input: SendTextMessageInput!) { sendTextMessage(input: $input) { message { id } } }';

export const watchDocument =
  'subscription Watch($messageId: ID!) { messageStatus(messageId: $messageId) { revision status history { status } } }';

export const listDocument =
  'query List($after: String) { messages(first: 100, after: $after) { edges { node { id } } pageInfo { hasNextPage endCursor } } }';

/** How many messages `findDocument` asks for: fields at the root of an operation are limited to ten. */
export const foundAtOnce = 10;

const places = Array.from({ length: foundAtOnce }, (_, place) => place);

/** Asks for messages by the variables `m0`, `m1` and so on, and answers by the same names. */
export const findDocument = `query Find(${places.map((place) => `$m${place}: ID!`).join(', ')}) { ${places
  .map((place) => `m${place}: message(id: $m${place}) { revision status history { status } }`)
  .join(' ')} }`;
