import type { IncomingMessage } from 'node:http';

export interface SocketLimits {
  /** Sockets in all. */
  readonly maxSockets: number;
  readonly socketsPerAddress: number;
  /** Whom a socket counts for: the client's address, which is not the connection's behind a proxy. */
  readonly addressOf: (request: IncomingMessage) => string;
}

/** Counts who is in. */
export interface Admission {
  /** Takes a place, and returns how to give it back; undefined when there is none. */
  enter(request: IncomingMessage): (() => void) | undefined;
}

export function createAdmission({ maxSockets, socketsPerAddress, addressOf }: SocketLimits): Admission {
  const openByAddress = new Map<string, number>();
  let open = 0;

  function add(address: string, change: 1 | -1): void {
    const count = (openByAddress.get(address) ?? 0) + change;
    open += change;
    if (count === 0) openByAddress.delete(address);
    else openByAddress.set(address, count);
  }

  return {
    enter(request) {
      const address = addressOf(request);
      if (open >= maxSockets || (openByAddress.get(address) ?? 0) >= socketsPerAddress) return undefined;
      add(address, 1);
      return () => add(address, -1);
    },
  };
}
