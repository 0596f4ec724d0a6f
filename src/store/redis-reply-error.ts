import { ErrorReply } from '@redis/client';

/**
 * What may be done about a refusal. All of these mean that the server has done nothing:
 * - `elsewhere`: another server has the slot, and the refusal names it;
 * - `ask`: another server has this key already, while its slot is on the move;
 * - `refresh`: this server is no primary any more;
 * - `later`: the same again in a moment, since the slot is on the move, or the server is not ready yet.
 */
export type Remedy = 'elsewhere' | 'ask' | 'refresh' | 'later';

const remedies: Readonly<Record<string, Remedy>> = {
  MOVED: 'elsewhere',
  ASK: 'ask',
  READONLY: 'refresh',
  TRYAGAIN: 'later',
  CLUSTERDOWN: 'later',
  LOADING: 'later',
  MASTERDOWN: 'later',
  BUSY: 'later',
};

/** What a script meets that needs a key which has moved on already. */
const movedKey = /non local key|TRYAGAIN/;

export function remedyOf(error: unknown): Remedy | undefined {
  if (!(error instanceof ErrorReply)) return undefined;
  return movedKey.test(error.message) ? 'later' : remedies[codeOf(error)];
}

/** The server that a redirection names, as `host:port`; `asked` says for which host, where it names none. */
export function redirectionOf(error: Error, asked: string): string {
  const address = error.message.split(' ')[2] ?? '';
  return address.startsWith(':') ? `${asked.slice(0, asked.lastIndexOf(':'))}${address}` : address;
}

export function isCode(error: unknown, code: string): boolean {
  return error instanceof ErrorReply && codeOf(error) === code;
}

function codeOf(error: Error): string {
  return error.message.split(' ', 1)[0] ?? '';
}
