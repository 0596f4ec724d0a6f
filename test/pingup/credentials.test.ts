import { expect, test } from 'vitest';
import { startHttpPeer } from './support/peers.ts';
import { accepted, connect, failureOf, text } from './support/pingup.ts';

test.each([401, 403])('a %i is an alarm, once, until a text is taken again', async (refusal) => {
  const logged: string[] = [];
  const log = { error: () => void logged.push('error'), info: () => void logged.push('info') };
  await using peer = await startHttpPeer((request, response) => {
    response.writeHead(Number(JSON.parse(request.body).text_message)).end(accepted);
  });
  await using pingup = connect(peer.url, { log });

  async function answered(status: number): Promise<string> {
    const answer = pingup.sendText({ ...text, textMessage: String(status) });
    if (status === 200) await answer;
    else await failureOf(answer);
    return pingup.health().credentials;
  }

  expect(await answered(200)).toBe('ok');
  for (const status of [refusal, refusal, 500, 429, 422, refusal])
    expect(await answered(status)).toBe('refused');
  expect(logged).toEqual(['error']);
  for (const status of [200, 422, 500, 429]) expect(await answered(status)).toBe('ok');
  expect(logged).toEqual(['error', 'info']);
  await answered(refusal);
  expect(logged).toEqual(['error', 'info', 'error']);
});
