import type { Socket } from 'node:net';
import proxyAddr from '@fastify/proxy-addr';
import { normalizeIP } from '@fastify/rate-limit';
import type { Logger } from 'pino';
import { createMinuteLog } from '../log-once-a-minute.ts';
import { createPlaces } from '../places.ts';

export interface ConnectionLimits {
  /** Connections in all. */
  readonly maxSockets: number;
  /** From one address, or one /64 network of IPv6. */
  readonly socketsPerAddress: number;
  /** Addresses and networks that `socketsPerAddress` is not for: many clients share their connections. */
  readonly trustedProxies: readonly string[];
}

/**
 * Whether a new connection may stay: beyond a limit it is closed at once, since what it asks for is not known yet and
 * to read it costs what the limit is to save. Where there are too many in all, `makeRoom` may close another instead.
 */
export function createConnectionCheck(
  { maxSockets, socketsPerAddress, trustedProxies }: ConnectionLimits,
  makeRoom: () => boolean,
  log: Pick<Logger, 'warn'>,
): (socket: Socket) => boolean {
  const isTrusted = proxyAddr.compile([...trustedProxies]);
  const takePlace = createPlaces(socketsPerAddress);
  const logOnce = createMinuteLog(log);
  let open = 0;

  function takePlaceOf(address: string): (() => void) | undefined {
    return isTrusted(address, 0) ? () => {} : takePlace(normalizeIP(address));
  }

  return (socket) => {
    const giveBack = takePlaceOf(socket.remoteAddress ?? '');
    if (!giveBack) {
      const message = 'Connections are closed: their address has reached SOCKETS_PER_ADDRESS.';
      logOnce('address', { socketsPerAddress }, message);
      return false;
    }
    if (open >= maxSockets && !makeRoom()) {
      giveBack();
      logOnce('all', { maxSockets }, 'Connections are closed: MAX_SOCKETS is reached.');
      return false;
    }
    open += 1;
    socket.once('close', () => {
      open -= 1;
      giveBack();
    });
    return true;
  };
}
