import type { Account } from '../account.ts';

/** Under which callbacks come, on every gateway. */
export const callbackRoot = '/callbacks/pingup';

/** Where the callbacks of an account come: its business, and its first token, which it is to show from now on. */
export function callbackUrl(origin: string, { business, callback }: Account): string {
  const [token = ''] = callback.tokens;
  return `${origin}${callbackRoot}/${business}/${token}`;
}
