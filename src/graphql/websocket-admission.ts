import type { IncomingMessage } from 'node:http';
import { createPlaces } from '../places.ts';

export interface SocketLimits {
  readonly socketsPerAddress: number;
  /** Whom a socket counts for: the client's address, which is not the connection's behind a proxy. */
  readonly addressOf: (request: IncomingMessage) => string;
}

/** Counts the sockets of each client. The HTTP server counts connections, which clients behind a proxy share. */
export interface Admission {
  /** Takes a place, and returns how to give it back; undefined when there is none. */
  enter(request: IncomingMessage): (() => void) | undefined;
}

export function createAdmission({ socketsPerAddress, addressOf }: SocketLimits): Admission {
  const takePlace = createPlaces(socketsPerAddress);
  return { enter: (request) => takePlace(addressOf(request)) };
}
