import { type Sandbox, type SandboxOptions, startSandbox } from '../../src/sandbox/sandbox.ts';

export const business = 'shop';
export const apiKey = 'the-key-of-the-shop';

export interface TestSandbox extends Sandbox {
  /** Posts `body` over the documented text; undefined leaves a field out. */
  send(body?: object): Promise<Response>;
  /** The same, to the message id that it was accepted with. */
  accepted(body?: object): Promise<string>;
}

/** A sandbox in a hurry: no pause between callbacks, a millisecond before a repeat. */
export async function startTestSandbox(options: Partial<SandboxOptions> = {}): Promise<TestSandbox> {
  const defaults = { business, apiKey, callbackUrl: null, stepMs: 0, callbackRetryMs: 1 };
  const sandbox = await startSandbox({ ...defaults, ...options });

  function send(body: object = {}): Promise<Response> {
    return post(
      sandbox,
      JSON.stringify({ message_type: 'text', client: 'reads', text_message: 'Hi', ...body }),
    );
  }

  async function accepted(body?: object): Promise<string> {
    const { data } = (await (await send(body)).json()) as { data: { message_id: string } };
    return data.message_id;
  }

  return { ...sandbox, send, accepted };
}

export function post(
  sandbox: Sandbox,
  body: string,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(`${sandbox.baseUrl}/${business}/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${apiKey}`, ...headers },
    body,
  });
}
