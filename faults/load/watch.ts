import type { FormattedExecutionResult } from 'graphql';
import type { DeliveryStatus } from '../../src/message.ts';
import { type AnswerError, isRefusal } from './ask.ts';
import { watchDocument } from './documents.ts';
import { type Frontend, returnMs } from './frontend.ts';
import type { Report } from './subscriber-protocol.ts';

interface Shown {
  readonly messageStatus: {
    readonly revision: number;
    readonly status: DeliveryStatus;
    readonly history: readonly { readonly status: DeliveryStatus }[];
  };
}

/**
 * Watches a message until nothing can follow, over as many subscriptions as that takes: after a lost socket, graphql-ws
 * subscribes again, and after a refusal this does. Returns what leaves it before.
 */
export function watch(frontend: Frontend, id: string, report: (what: Report) => void): () => void {
  let asked = 0;
  let left = false;
  let stop = subscribe();

  function subscribe(): () => void {
    asked += 1;
    let failed = false;

    function fail(reason: unknown): void {
      failed = true;
      complain(reason);
    }

    function next({ data, errors }: FormattedExecutionResult<Shown>): void {
      if (errors) fail(errors);
      else if (data) show(data);
    }

    /** After errors that came as a result, it completes too. */
    function complete(): void {
      if (!left && !failed) report({ kind: 'completed', id });
    }

    const payload = { query: watchDocument, variables: { messageId: id } };
    return frontend.client.subscribe<Shown>(payload, { next, error: fail, complete });
  }

  function show({ messageStatus: { revision, status, history } }: Shown): void {
    const statuses = history.map((event) => event.status);
    // Both only grow, so each connection and each repeat gives another number.
    const subscription = frontend.connections + asked;
    const sighting = { revision, status, history: statuses, subscription, at: Date.now() };
    report({ kind: 'saw', id, sighting });
  }

  function complain(reason: unknown): void {
    if (Array.isArray(reason) && reason.every((one: AnswerError) => isRefusal(one))) {
      report({ kind: 'refused', code: reason[0]?.extensions?.code });
      setTimeout(repeat, returnMs * Math.random());
    } else {
      report({ kind: 'surprise', what: `the subscription of ${id} ended: ${describe(reason)}` });
    }
  }

  function repeat(): void {
    if (!left) stop = subscribe();
  }

  return () => {
    left = true;
    stop();
  };
}

/** Errors of GraphQL as they are; of a close, its code and reason. */
function describe(reason: unknown): string {
  if (reason instanceof Error) return reason.message;
  const { code, reason: why } = reason as { code?: number; reason?: string };
  return code === undefined ? JSON.stringify(reason) : `${code} ${why}`;
}
