import { anyone } from '../caller.ts';
import type { GatewayContext, SharedContext } from './context.ts';
import type { SocketOperations } from './socket-operations.ts';

/** What an operation of a socket is given; its caller has been admitted, unless nobody is asked. */
export function createSocketContexts(
  context: SharedContext,
  callersAreAsked: boolean,
): (socket: SocketOperations) => GatewayContext {
  return ({ caller, address }) => {
    if (callersAreAsked && !caller) throw new Error('an operation was begun before its caller was admitted');
    return { ...context, traceparent: undefined, caller: caller ?? anyone, address: () => address };
  };
}
