import type { IncomingHttpHeaders } from 'node:http';
import type { Account, Accounts } from '../account.ts';
import type { CallbackProof } from '../config.ts';
import { headerValues } from '../header-values.ts';
import type { AuthenticCallback, AuthenticText } from './callback.ts';
import { createSignatureCheck } from './callback-signature.ts';
import { type CallbackHead, createAccountByToken } from './callback-token.ts';

/**
 * Tells Pingup's callbacks from others, in three checks: the network that one comes from, the token, and, where the
 * account has a secret for that, the signature of the body. All that an account asks for must hold. A header that proves
 * something and comes twice proves nothing.
 */
export interface CallbackAuthenticator {
  /** Checks the network and the token, before the body is read. */
  admit(head: SourcedHead): Sender | Refusal;

  /** Checks the signature of the body, which came at `now` (ms since the epoch). Undefined: it is not UTF-8. */
  verify(sender: Sender, body: Buffer, now: number): AuthenticCallback | Refusal | undefined;
}

export interface SourcedHead extends CallbackHead {
  /** The address of the client, past the proxies that are trusted. */
  readonly address: string;
  /** Names and values in turn, as they came. */
  readonly rawHeaders: readonly string[];
}

/** Who has shown a token of this account. */
export interface Sender {
  readonly account: Account;
  readonly headers: IncomingHttpHeaders;
}

/** For the operator: which check failed. Its sender is not told. */
export interface Refusal {
  readonly failed: FailedCheck;
  /** Where a token has shown that it is one of ours. */
  readonly business: string | null;
}

export type FailedCheck = 'network' | 'token' | 'timestamp' | 'signature';

export interface CallbackAuthenticatorOptions {
  readonly accounts: Accounts;
  readonly proof: CallbackProof;
  /** Whether callbacks may come from this address. */
  readonly allowsAddress: (address: string) => boolean;
}

export function createCallbackAuthenticator(options: CallbackAuthenticatorOptions): CallbackAuthenticator {
  const { accounts, proof, allowsAddress } = options;
  const accountByToken = createAccountByToken(accounts, proof.tokenHeader);
  const checkSignature = createSignatureCheck(proof.signature);
  const { header, timestampHeader } = proof.signature;
  const proofs = ['authorization', proof.tokenHeader, header, timestampHeader].filter(
    (name) => name !== null,
  );

  function admit(head: SourcedHead): Sender | Refusal {
    if (!allowsAddress(head.address)) return { failed: 'network', business: null };
    // A proxy on the way may have looked at another of the two.
    if (proofs.some((name) => headerValues(head.rawHeaders, name).length > 1))
      return { failed: 'token', business: null };
    const account = accountByToken(head);
    return account ? { account, headers: head.headers } : { failed: 'token', business: null };
  }

  function verify({ account, headers }: Sender, body: Buffer, now: number) {
    const { business, callback } = account;
    const failed =
      callback.hmacSecret === null ? undefined : checkSignature(callback.hmacSecret, headers, body, now);
    if (failed) return { failed, business };
    const text = decode(body);
    // The one place where bytes become authentic text: by now every check has passed.
    return text === undefined ? undefined : { business, text: text as AuthenticText };
  }

  return { admit, verify };
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function decode(body: Buffer): string | undefined {
  try {
    return utf8.decode(body);
  } catch {
    return undefined;
  }
}
