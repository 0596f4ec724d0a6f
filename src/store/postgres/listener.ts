import { nameOfHost } from '../../postgres-url.ts';
import type { Listener } from './connections.ts';
import { openSession, type Session, type SessionOptions } from './session.ts';
import { quoteName } from './statement.ts';

export interface ListenerOptions extends SessionOptions {
  readonly listener: Listener;
}

/** How often it is asked whether it is there: nobody would notice that a network swallows what it is to hear. */
const pingMs = 1_000;

/**
 * A session that listens, at the host if the target has it, and otherwise at the first of the target's that takes writes:
 * a standby cannot listen.
 */
export async function openListener(options: ListenerOptions): Promise<Session> {
  const { target, host, listener } = options;
  const same = target.hosts.filter((other) => nameOfHost(other) === nameOfHost(host));
  let reason: unknown = new Error('No host takes writes.');
  for (const at of same.length > 0 ? [host] : target.hosts) {
    const session = await listenAt({ ...options, host: at }).catch((error) => {
      reason = error;
    });
    if (session) {
      listener.listening();
      return session;
    }
  }
  throw reason;
}

export async function listenTo(session: Session, channel: string): Promise<void> {
  await session.ask({ text: `listen ${quoteName(channel)}` });
}

async function listenAt(options: ListenerOptions): Promise<Session> {
  const { channels, notified } = options.listener;
  const session = await openSession({ ...options, onNotification: notified });
  try {
    if (!session.hello.takesWrites) throw new Error('A standby cannot listen.');
    for (const channel of channels) await listenTo(session, channel);
  } catch (error) {
    session.destroy();
    throw error;
  }
  const timer = setInterval(() => {
    if (!session.isBusy) session.ask({ text: 'select 1' }).catch(session.destroy);
  }, pingMs);
  void session.lost.then(() => clearInterval(timer));
  return session;
}
