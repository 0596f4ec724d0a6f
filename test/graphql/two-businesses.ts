import { createPublicKey } from 'node:crypto';
import { pino } from 'pino';
import { openAuthenticator } from '../../src/auth/authenticator.ts';
import { createMessaging, type Messaging } from '../../src/messaging.ts';
import type { Pingup } from '../../src/pingup/port.ts';
import { createSendLimit } from '../../src/send-limit.ts';
import { openTestStore } from '../store/sqlite-test-store.ts';
import { type Claims, createSigner, jwtConfig } from '../support/signer.ts';
import { type GraphqlUnderTest, serveGraphql } from './serve-graphql.ts';

export interface TwoBusinesses extends GraphqlUnderTest {
  readonly messaging: Messaging;
  /** For whom Pingup was asked to send, one entry a text. */
  readonly sent: readonly string[];
  /** `Bearer` and a token for everything that acme may do, or with other claims. */
  authorize(claims?: Claims): Promise<string>;
}

/** Both transports before the flow and a store, for acme and umbrella, which show who they are by tokens. */
export async function serveTwoBusinesses(): Promise<TwoBusinesses> {
  await using parts = new AsyncDisposableStack();
  const { store } = parts.use(await openTestStore());
  const sent: string[] = [];
  const pingup: Pick<Pingup, 'sendText'> = {
    sendText: async (_text, { business }) => `sent-${sent.push(business)}`,
  };
  const messaging = createMessaging({
    store,
    pingup: pingup as Pingup,
    sendLimit: createSendLimit(null),
    reread: () => ({ news: [], accepted: 0, faults: [] }),
    timeoutMs: 1_000,
    idempotencyHours: 24,
    keepTexts: true,
  });
  const signer = await createSigner();
  const jwt = jwtConfig(createPublicKey(signer.pem));
  const log = pino({ level: 'silent' });
  const { authenticate } = parts.use(await openAuthenticator({ jwt, apiKeysPath: null }, { log }));
  const served = parts.use(await serveGraphql({ messaging, businesses: ['acme', 'umbrella'], authenticate }));
  const all = parts.move();
  return {
    ...served,
    messaging,
    sent,
    authorize: async (claims) => `Bearer ${await signer.sign(claims)}`,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}
