import { isIP } from 'node:net';
import { RedisClient, type RedisClientOptions } from '@redis/client';
import type { RedisAccess } from '../redis-url.ts';
import { silenceMs, startWatchdog } from './redis-watchdog.ts';

/** One connection, from its greeting until it is lost: it never comes back by itself. */
export interface Client {
  /** @throws ErrorReply where the server refused, and another Error where nobody knows whether it did it. */
  send<T>(command: readonly string[]): Promise<T>;
  /** Confirmed by the server once it resolves. All channels are of one slot. */
  subscribe(channels: readonly string[], heard: Heard): Promise<void>;
  unsubscribe(channels: readonly string[]): Promise<void>;
  /** Rejects, with the reason, once the connection is lost. */
  readonly lost: Promise<never>;
  destroy(): void;
}

export type Heard = (message: string, channel: string) => void;

/** `host:port`; an IPv6 address has brackets. */
export type Address = string;

/** How long a connection, and then its greeting, may take. */
const connectMs = 1_000;

/** node-redis' own `createClient` makes a class with all commands anew for each address: 40 ms each time. */
const create = RedisClient.factory();

/**
 * Connects. What node-redis would do by itself is off: it would wait for ever for a server that is frozen, queue while
 * there is none, and after a reconnect subscribe again at a server that no longer has the slot. A client that is lost is
 * replaced by a new one.
 */
export async function connect(address: Address, access: RedisAccess): Promise<Client> {
  const client = create(optionsOf(address, access));
  const lost = Promise.withResolvers<never>();
  lost.promise.catch(() => undefined);
  const lose = (error: unknown) => {
    lost.reject(error);
    destroy();
  };
  client.on('error', lose);
  // Not at once: node-redis is reading what has come, and would begin anew with that, for ever.
  client.on('sharded-channel-moved', () =>
    queueMicrotask(() => lose(new Error('A slot has moved to another server.'))),
  );
  const watchdog = startWatchdog(() => client.sendCommand(['PING']), lose);

  function destroy(): void {
    watchdog[Symbol.dispose]();
    client.destroy();
    lost.reject(new Error('The connection was closed.'));
  }

  function watched<T>(reply: Promise<T>): Promise<T> {
    reply.then(watchdog.heard, watchdog.heard);
    return reply;
  }

  try {
    await client.connect();
  } catch (error) {
    destroy();
    throw error;
  }
  watchdog.start();
  return {
    send: (command) => watched(client.sendCommand(command)),
    subscribe: (channels, heard) => watched(client.sSubscribe([...channels], heard)),
    unsubscribe: (channels) => watched(client.sUnsubscribe([...channels])),
    lost: lost.promise,
    destroy,
  };
}

function optionsOf(address: Address, access: RedisAccess): RedisClientOptions {
  const { host, port } = splitAddress(address);
  const common = {
    host,
    port,
    connectTimeout: connectMs,
    socketTimeout: silenceMs,
    reconnectStrategy: false,
  } as const;
  return {
    socket: access.tls ? { ...common, ...serverName(host), tls: true } : common,
    ...(access.username === null ? {} : { username: access.username }),
    ...(access.password === null ? {} : { password: access.password }),
    database: access.database,
    name: 'pingup-gateway',
    disableOfflineQueue: true,
    disableClientInfo: true,
    maintNotifications: 'disabled',
    // Each call has a deadline of its own; one of node-redis' would be a timer for each command.
    commandOptions: { timeout: 0 },
  };
}

/** The name that its certificate is to have; an address has none, and is compared as it is. */
function serverName(host: string): { servername?: string } {
  return isIP(host) ? {} : { servername: host };
}

export function splitAddress(address: Address): { readonly host: string; readonly port: number } {
  const colon = address.lastIndexOf(':');
  return {
    host: address.slice(0, colon).replace(/^\[(.*)\]$/, '$1'),
    port: Number(address.slice(colon + 1)),
  };
}
