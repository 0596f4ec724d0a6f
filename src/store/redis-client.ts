import { RedisClient, type RedisClientOptions } from '@redis/client';
import type { RedisAccess } from '../redis-url.ts';

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
/** How long a connection may be silent before it is asked, and how long its answer may then take. */
const beatMs = 300;
const silenceMs = 1_200;

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

  try {
    await client.connect();
  } catch (error) {
    destroy();
    throw error;
  }
  watchdog.start();
  return {
    send: (command) => client.sendCommand(command),
    subscribe: async (channels, heard) => {
      await client.sSubscribe([...channels], heard);
    },
    unsubscribe: async (channels) => {
      await client.sUnsubscribe([...channels]);
    },
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
    socket: access.tls ? { ...common, tls: true, servername: host } : common,
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

export function splitAddress(address: Address): { readonly host: string; readonly port: number } {
  const colon = address.lastIndexOf(':');
  return {
    host: address.slice(0, colon).replace(/^\[(.*)\]$/, '$1'),
    port: Number(address.slice(colon + 1)),
  };
}

/**
 * Asks again and again whether somebody is there. A socket's own timeout would not do: it begins anew with all that is
 * written, whether or not anybody reads it.
 */
function startWatchdog(ping: () => Promise<unknown>, lose: (error: Error) => void) {
  /** How many beats ago it was asked: a beat counts once, however late this process was for it. */
  let beats: number | undefined;
  let timer: NodeJS.Timeout | undefined;

  function beat(): void {
    if (beats === undefined) ask();
    // What came while this process was busy is read first.
    else if (beats * beatMs >= silenceMs) setImmediate(loseIfSilent);
    else beats += 1;
  }

  function loseIfSilent(): void {
    if (beats !== undefined) lose(new Error(`The server was silent for ${silenceMs} ms.`));
  }

  function ask(): void {
    beats = 0;
    ping().then(
      () => {
        beats = undefined;
      },
      () => undefined,
    );
  }

  return {
    start: () => {
      timer = setInterval(beat, beatMs);
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
