import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';

export interface RawAnswer {
  readonly status: number | undefined;
  readonly headers: IncomingMessage['headers'];
}

/** POSTs with these headers as they stand, repeated ones too, which `fetch` would join. */
export async function postRaw(
  url: string,
  headers: readonly (readonly [string, string])[],
  body: string,
): Promise<RawAnswer> {
  const length = ['content-length', String(Buffer.byteLength(body))];
  const sent = request(url, {
    method: 'POST',
    headers: ['host', new URL(url).host, 'content-type', 'application/json', ...length, ...headers.flat()],
  });
  sent.end(body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  response.resume();
  await once(response, 'end');
  return { status: response.statusCode, headers: response.headers };
}
