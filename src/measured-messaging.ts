import { GatewayError } from './errors.ts';
import type { Message } from './message.ts';
import type { Messaging, Sent } from './messaging.ts';
import type { Metrics, SendOutcome } from './metrics.ts';

type Meters = Pick<Metrics, 'sendEnded'>;

/** The same flow, measured: how long each send takes and how it ends. */
export function measureMessaging(messaging: Messaging, meters: Meters): Messaging {
  return {
    ...messaging,
    send: (...call) => timeSend(messaging.send(...call), meters),
  };
}

async function timeSend(sending: Promise<Sent>, { sendEnded }: Meters): Promise<Sent> {
  const startedAt = performance.now();
  const end = (outcome: SendOutcome) => sendEnded(outcome, (performance.now() - startedAt) / 1000);
  try {
    const sent = await sending;
    end(sent.replayed ? 'REPLAYED' : 'ACCEPTED');
    return sent;
  } catch (error) {
    end(error instanceof GatewayError ? error.code : 'INTERNAL_SERVER_ERROR');
    throw error;
  }
}

/** What to do with each state that is pushed: measures how long after its callback that is. */
export function measurePushes({ statePushed }: Pick<Metrics, 'statePushed'>): (message: Message) => void {
  return (message) => {
    const seconds = secondsSinceCallback(message);
    if (seconds !== undefined) statePushed(seconds);
  };
}

/** Undefined where the newest event did not come by callback. */
function secondsSinceCallback({ history }: Message): number | undefined {
  const newest = history.reduce((a, b) => (b.receivedAt >= a.receivedAt ? b : a));
  return newest.rawStatus === null ? undefined : Math.max(Date.now() - newest.receivedAt, 0) / 1000;
}
