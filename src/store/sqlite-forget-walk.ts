import type { ForgottenClient } from '../forgotten-client.ts';
import type { Forgotten } from './port.ts';
import type { Link } from './sqlite-link.ts';
import type { ForgottenBy, ForgottenTable } from './sqlite-protocol.ts';
import { walk } from './sqlite-walk.ts';

/**
 * Erases a client: what has its id, then what has its phone number.
 *
 * @param heard gets the `keyText` of the messages that were deleted.
 */
export async function forgetClient(
  link: Pick<Link, 'ask'>,
  client: ForgottenClient,
  heard: (keys: readonly string[]) => void,
): Promise<Forgotten> {
  function erase(table: ForgottenTable, by: ForgottenBy): Promise<number> {
    return walk((seq) =>
      link.ask(['forget', table, by, client, seq], ({ found }) => table === 'messages' && heard(found)),
    );
  }

  const forgotten = { messages: 0, sends: 0 };
  for (const by of waysOf(client)) {
    forgotten.messages += await erase('messages', by);
    forgotten.sends += await erase('sends', by);
  }
  return forgotten;
}

function waysOf({ client, clientPhone }: ForgottenClient): ForgottenBy[] {
  return [
    ...(client === null ? [] : ['client' as const]),
    ...(clientPhone === null ? [] : ['phone' as const]),
  ];
}
