import type { Callback, Courier } from './courier.ts';
import type { CallbackStatus } from './scenarios.ts';
import { waitUntil } from './wait-until.ts';

/** What becomes of one accepted message. */
export interface Story {
  readonly messageId: string;
  /** In the order of delivery. */
  readonly callbacks: readonly CallbackStatus[];
  /** When the message goes out, after its delay: epoch milliseconds. */
  readonly startsAt: number;
  /** Between two events of the message, in milliseconds. */
  readonly stepMs: number;
  /** Null: where the narrator sends them all. */
  readonly callbackUrl: string | null;
}

export interface Narrator {
  /**
   * Makes the callbacks of a message, one after the other: each once its event has happened, and the callback before
   * it was answered or given up. Resolves after the last, or when the narrator is disposed; never rejects.
   */
  tell(story: Story): Promise<void>;

  /** Ends every story at once. */
  [Symbol.asyncDispose](): Promise<void>;
}

export interface NarratorOptions {
  readonly courier: Courier;
  /** Asked anew for each callback; while it gives null, callbacks are dropped. */
  readonly callbackUrl: () => string | null;
}

/** At which step of a message's life it happens. A callback may come later, never earlier. */
const stepOf: Readonly<Record<CallbackStatus, number>> = {
  sent: 1,
  delivered: 2,
  received: 2,
  failed: 2,
  read: 3,
};

export function createNarrator({ courier, callbackUrl }: NarratorOptions): Narrator {
  const ending = new AbortController();
  const open = new Set<Promise<void>>();

  async function tellAll(story: Story): Promise<void> {
    for (const status of story.callbacks) {
      const happenedAt = story.startsAt + stepOf[status] * story.stepMs;
      await waitUntil(happenedAt, ending.signal);
      const url = story.callbackUrl ?? callbackUrl();
      if (url !== null) await courier.deliver(url, callbackOf(story.messageId, status, happenedAt));
    }
  }

  async function tell(story: Story): Promise<void> {
    const told = tellAll(story).catch(() => undefined);
    open.add(told);
    await told;
    open.delete(told);
  }

  return {
    tell,
    async [Symbol.asyncDispose]() {
      ending.abort();
      await Promise.all(open);
    },
  };
}

function callbackOf(messageId: string, status: CallbackStatus, happenedAt: number): Callback {
  const callback = { message_id: messageId, status, timestamp: new Date(happenedAt).toISOString() };
  return status === 'failed' ? { ...callback, reason: 'The number is not on WhatsApp.' } : callback;
}
