import type { SandboxClient } from './clients.ts';

/** What happens to a message: how its send is answered, and which callbacks follow, in the order of delivery. */
export interface Scenario {
  readonly answer: Answer;
  readonly callbacks: readonly CallbackStatus[];
}

/** Pingup's words of both its pages: one says `received` where the other says `delivered`. */
export type CallbackStatus = 'sent' | 'delivered' | 'received' | 'failed' | 'read';

/**
 * - `accept`: 200 with a message id, and then the callbacks;
 * - `accept-last`: the callbacks, and only then 200 with the message id;
 * - `silence`: none, the connection stays open;
 * - `reset`: none, the connection is reset.
 */
export type Answer = 'accept' | 'accept-last' | 'silence' | 'reset' | FixedAnswer;

/** Accepts nothing, and answers with exactly this. */
export interface FixedAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | { readonly success: false; readonly error?: string };
}

/** The scenario of a client. Names that are no sandbox client's, and null, give that of `reads`. */
export function scenarioOf(client: string | null): Scenario {
  return scenarios.get(client ?? 'reads') ?? scenarioByClient.reads;
}

const scenarioByClient: Readonly<Record<SandboxClient, Scenario>> = {
  reads: { answer: 'accept', callbacks: ['sent', 'delivered', 'read'] },
  'delivers-only': { answer: 'accept', callbacks: ['sent', 'received'] },
  fails: { answer: 'accept', callbacks: ['sent', 'failed'] },
  'conversation-closed': { answer: { status: 200, body: { success: false } }, callbacks: [] },
  'answers-500': {
    answer: { status: 500, body: { success: false, error: 'internal error' } },
    callbacks: [],
  },
  'answers-429': {
    answer: {
      status: 429,
      headers: { 'retry-after': '3' },
      body: { success: false, error: 'too many requests' },
    },
    callbacks: [],
  },
  'answers-html': {
    answer: {
      status: 200,
      headers: { 'content-type': 'text/html; charset=utf-8' },
      body: '<!doctype html><title>Pingup</title><p>Down for maintenance.</p>',
    },
    callbacks: [],
  },
  hangs: { answer: 'silence', callbacks: [] },
  resets: { answer: 'reset', callbacks: [] },
  'early-callback': { answer: 'accept-last', callbacks: ['sent', 'delivered', 'read'] },
  'repeats-callbacks': {
    answer: 'accept',
    callbacks: ['sent', 'sent', 'delivered', 'delivered', 'read', 'read', 'sent', 'delivered', 'read'],
  },
  'shuffles-callbacks': { answer: 'accept', callbacks: ['read', 'sent', 'delivered'] },
  'never-calls-back': { answer: 'accept', callbacks: [] },
};

const scenarios: ReadonlyMap<string, Scenario> = new Map(Object.entries(scenarioByClient));
