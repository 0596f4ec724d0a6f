import { expect, test } from 'vitest';
import { startTestGateway } from '../support/gateway.ts';

/** Variables as JSON text, since no JavaScript number is 9007199254740993. */
async function sendTo({ url }: { readonly url: string }, client: string) {
  const query =
    'mutation ($client: ID!) { sendTextMessage(input: { client: $client, textMessage: "Hello" }) { message { client } } }';
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: `{"query":${JSON.stringify(query)},"variables":{"client":${client}}}`,
  });
  const { data, errors } = (await response.json()) as {
    data?: { sendTextMessage: { message: { client: string } } };
    errors?: readonly { extensions: unknown }[];
  };
  return data?.sendTextMessage.message.client ?? errors?.[0]?.extensions;
}

test('an id may be a whole number, and one so large that JSON has rounded it is refused: it would be another id', async () => {
  await using gateway = await startTestGateway();
  expect(await sendTo(gateway, '12')).toBe('12');
  expect(await sendTo(gateway, '9007199254740991')).toBe('9007199254740991');
  expect(await sendTo(gateway, '"9007199254740993"')).toBe('9007199254740993');
  for (const rounded of ['9007199254740993', '-9007199254740993', '393121234567890123456', '1e21'])
    expect(await sendTo(gateway, rounded)).toEqual({
      code: 'BAD_USER_INPUT',
      retryable: false,
      faults: [{ path: ['client'], expected: 'a string, or a whole number of at most 9007199254740991' }],
    });
  expect(gateway.sandbox?.requests).toHaveLength(3);
});
