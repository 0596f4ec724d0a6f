import { Refusal } from './refusal.ts';

/** What a token is written with (RFC 6750, 2.1); the word before it is without regard to case (RFC 9110, 11.1). */
const bearer = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i;

/** Far more than a token of names and scopes needs, and less than Node takes as headers. */
export const maxTokenCharacters = 8 * 1024;

/**
 * The token of `Bearer <token>`.
 *
 * @throws Refusal missing, malformed, tooLong.
 */
export function readBearer(authorization: unknown): string {
  if (authorization === undefined || authorization === null || authorization === '')
    throw new Refusal('missing');
  if (typeof authorization !== 'string') throw new Refusal('malformed');
  if (authorization.length > maxTokenCharacters) throw new Refusal('tooLong');
  const token = bearer.exec(authorization)?.[1];
  if (token === undefined) throw new Refusal('malformed');
  return token;
}
