import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { countRefusal, type Outcomes } from '../history/outcomes.ts';
import { type Answer, ask, isRefusal } from './ask.ts';
import { sendDocument } from './documents.ts';

export interface SendTextOptions {
  /** Any node, dead or alive: the next one with each call. */
  readonly nextUrl: () => string;
  readonly outcomes: Outcomes;
  /** Once it is aborted, nothing is repeated. */
  readonly signal: AbortSignal;
}

const repeatMs = 300;

/**
 * Sends a text of its own as a careful frontend does: what was refused is repeated, and what was not answered is too,
 * with the same idempotency key. Resolves to the id of the message; to undefined where it cannot be known.
 */
export async function sendText({ nextUrl, outcomes, signal }: SendTextOptions): Promise<string | undefined> {
  const text = randomUUID();
  const input = { client: 'faults', textMessage: text, idempotencyKey: text };
  let lost = false;
  while (!signal.aborted) {
    const answer = await ask(nextUrl(), sendDocument, { input });
    const id = idOf(answer);
    if (id !== undefined) outcomes.sends.acknowledged += 1;
    else if (isUnknown(answer, lost)) outcomes.sends.unknown += 1;
    else count(answer, outcomes);
    if (id !== undefined || isUnknown(answer, lost)) return id;
    lost ||= answer === undefined;
    await delay(repeatMs * (0.5 + Math.random()));
  }
  return undefined;
}

function idOf(answer: Answer | undefined): string | undefined {
  const data = answer?.data as { sendTextMessage?: { message: { id: string } } | null } | null | undefined;
  return data?.sendTextMessage?.message.id;
}

/** A first send whose answer was lost, and that is still under way, was on a node that is gone: a minute will settle it. */
function isUnknown(answer: Answer | undefined, lost: boolean): boolean {
  const code = answer?.errors?.[0]?.extensions?.code;
  return code === 'SEND_OUTCOME_UNKNOWN' || (lost && code === 'SEND_IN_PROGRESS');
}

function count(answer: Answer | undefined, outcomes: Outcomes): void {
  const [error] = answer?.errors ?? [];
  if (!answer) {
    outcomes.sends.unanswered += 1;
  } else if (error && isRefusal(error)) {
    outcomes.sends.refused += 1;
    countRefusal(outcomes, error.extensions?.code);
  } else {
    outcomes.surprises.push(`a send was answered ${JSON.stringify(answer)}`);
  }
}
