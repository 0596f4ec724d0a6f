import { anyone } from '../caller.ts';
import type { GatewayContext, SharedContext } from './context.ts';
import type { SocketOperations } from './socket-operations.ts';

/**
 * What an operation of a socket is given: one for all where nobody is asked, else one for each operation, whose caller
 * has been admitted.
 */
export function createSocketContexts(
  context: SharedContext,
  callersAreAsked: boolean,
): (socket: SocketOperations) => GatewayContext {
  const forAnyone: GatewayContext = { ...context, traceparent: undefined, caller: anyone };
  return ({ caller }) => {
    if (!callersAreAsked) return forAnyone;
    if (!caller) throw new Error('an operation was begun before its caller was admitted');
    return { ...forAnyone, caller };
  };
}
