import fc from 'fast-check';
import type { FormattedExecutionResult } from 'graphql';
import { expect, test } from 'vitest';
import { retryableByCode } from '../../src/errors.ts';
import { transportErrorCodes } from '../../src/graphql/describe-error.ts';
import { startHttpPeer } from '../pingup/support/peers.ts';
import { startTestGateway } from '../support/gateway.ts';
import { openRawSocket } from '../support/raw-socket.ts';
import { type RawInput, type WeirdSend, weirdOperation, weirdSend } from '../support/weird-sends.ts';

const batches = 100;
const overHttp = 90;
const overSocket = 10;
const maxFrameBytes = 60_000;

const documentedCodes: ReadonlySet<unknown> = new Set(
  [...Object.keys(retryableByCode), ...transportErrorCodes].filter(
    (code) => code !== 'INTERNAL_SERVER_ERROR',
  ),
);

/** A Pingup that takes everything, and keeps it by the id that it gives. */
async function startCollector() {
  const taken = new Map<string, Taken>();
  const peer = await startHttpPeer(({ body }, response) => {
    const message_id = `id-${taken.size}`;
    taken.set(message_id, JSON.parse(body));
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ success: true, data: { message_id } }));
  });
  return { taken, ...peer };
}

/** The body of one send. */
type Taken = Readonly<Record<string, string>>;

/** One send of a result: what `sendTextMessage` gave. */
interface Accepted {
  readonly replayed?: boolean;
  readonly message?: Readonly<Record<string, string | null>>;
}

function acceptedIn({ data }: FormattedExecutionResult): Accepted[] {
  return Object.values(data ?? {}).filter(
    (field): field is Accepted => typeof field === 'object' && field !== null,
  );
}

/** What of a result is not as documented. */
function undocumentedIn({ data, errors = [] }: FormattedExecutionResult): unknown[] {
  const wrong = errors.filter(({ extensions }) => !documentedCodes.has(extensions?.['code']));
  return data === undefined && errors.length === 0 ? ['neither data nor errors'] : wrong;
}

/** Whether what Pingup took is what the answer says, and what was asked for. */
function isTheSame(taken: Taken | undefined, { message = {} }: Accepted, input: RawInput | null): boolean {
  const { message_type, client, client_phone, client_name, text_message, delay, ...rest } = taken ?? {};
  const shown = [
    message['client'],
    message['clientPhone'],
    message['clientName'],
    message['textMessage'],
    message['delay'],
  ];
  const told = [client, client_phone, client_name, text_message, delay];
  if (message_type !== 'text' || Object.keys(rest).length > 0) return false;
  if (shown.some((value, index) => value !== undefined && value !== (told[index] ?? null))) return false;
  return (
    input === null ||
    (isIdOf(client, input['client']) &&
      isPhoneOf(client_phone, input['clientPhone']) &&
      isTextOf(client_name, input['clientName']) &&
      isTextOf(text_message, input['textMessage']) &&
      isTextOf(delay, input['delay']))
  );
}

function isTextOf(told: string | undefined, json = 'null'): boolean {
  return (told ?? null) === JSON.parse(json);
}

/** An id may be given as a whole number; then it is the same number, to the last digit. */
function isIdOf(told: string | undefined, json = 'null'): boolean {
  if (!/^[-0-9]/.test(json)) return isTextOf(told, json);
  return /^-?[1-9][0-9]*$/.test(json) ? told === json : Number(told) === Number(json);
}

function isPhoneOf(told: string | undefined, json = 'null'): boolean {
  if (told === undefined) return json === 'null';
  return (
    /^[0-9]{7,15}$/.test(told) &&
    JSON.parse(json)
      .replaceAll(/[^0-9]/g, '')
      .endsWith(told)
  );
}

async function post(url: string, body: string): Promise<FormattedExecutionResult> {
  const headers = { 'content-type': 'application/json' };
  const ask = () => fetch(`${url}/graphql`, { method: 'POST', headers, body });
  // Nothing has left where a busy machine did not connect in time.
  const response = await ask().catch((error) => {
    if (error.cause?.code === 'UND_ERR_CONNECT_TIMEOUT') return ask();
    throw new Error(`${error} ${error.cause}`);
  });
  if (response.status >= 500) throw new Error(`HTTP ${response.status}`);
  return (await response.json()) as FormattedExecutionResult;
}

test('of 10,000 weird sends, each gets a documented answer, and what is accepted reached Pingup once and unchanged', async () => {
  await using pingup = await startCollector();
  const account = { PINGUP_BUSINESS_NAME: 'acme', PINGUP_API_KEY: 'key', CALLBACK_TOKEN: 'c'.repeat(24) };
  await using gateway = await startTestGateway({ env: { ...account, PINGUP_BASE_URL: pingup.url } });
  using socket = await openRawSocket(gateway.url);
  const counts = { sent: 0, accepted: 0 };

  /** Sends one, and returns how many texts it sent. */
  async function check(
    { body, input, renamed = false }: WeirdSend,
    run: (body: string) => Promise<FormattedExecutionResult>,
  ) {
    const result = await run(body).catch((error) => ({ errors: [error] }));
    const accepted = acceptedIn(result);
    const changed = accepted.filter((one) => {
      const id = one.message?.['id'];
      return id && !renamed && !isTheSame(pingup.taken.get(id), one, input);
    });
    const wrong = [...undocumentedIn(result), ...changed];
    if (wrong.length > 0)
      throw new Error(
        `${body.slice(0, 2_000)} gave ${wrong
          .map((one) => (one instanceof Error ? one : JSON.stringify(one)))
          .join()
          .slice(0, 2_000)}`,
      );
    counts.sent += 1;
    return accepted.filter(({ replayed }) => renamed || !replayed).length;
  }

  const batch = fc.tuple(
    fc.array(weirdSend, { minLength: overHttp, maxLength: overHttp }),
    fc.array(
      weirdOperation.filter(({ body }) => body.length < maxFrameBytes),
      {
        minLength: overSocket,
        maxLength: overSocket,
      },
    ),
  );
  const property = fc.asyncProperty(batch, async ([some, others]) => {
    const before = pingup.taken.size;
    const sent = await Promise.all([
      ...some.map((each) => check(each, (body) => post(gateway.url, body))),
      ...others.map((each) => check(each, socket.run)),
    ]);
    const total = sent.reduce((sum, count) => sum + count, 0);
    counts.accepted += total;
    expect(pingup.taken.size - before).toBe(total);
  });
  await fc.assert(property, {
    numRuns: batches,
    endOnFailure: true,
    // fast-check's own report would show the whole batch; the cause names the one request that went wrong.
    reporter({ failed, seed, counterexamplePath: path, errorInstance: cause }) {
      if (failed) throw new Error(`seed ${seed}, path ${path}`, { cause });
    },
  });
  expect(counts.sent).toBe(10_000);
  expect(counts.accepted).toBeGreaterThan(1_000);
  expect(await (await fetch(`${gateway.url}/healthz`)).json()).toEqual({ status: 'ok' });
}, 180_000);
