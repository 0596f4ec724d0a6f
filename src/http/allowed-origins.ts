import type { IncomingMessage } from 'node:http';
import type { Logger } from 'pino';
import { cutText } from '../cut-text.ts';
import { createMinuteLog } from '../log-once-a-minute.ts';

/** Whether the page that makes a request may call. */
export type OriginCheck = (request: IncomingMessage) => boolean;

/**
 * Pages of the gateway's own host are allowed, and those of `allowed` (`*`: any). Only browsers send an Origin: a
 * request without one is allowed. What is not allowed is logged once a minute.
 */
export function createOriginCheck(allowed: readonly string[], log: Pick<Logger, 'warn'>): OriginCheck {
  const any = allowed.includes('*');
  const logOnce = createMinuteLog(log);
  return ({ headers: { origin, host } }) => {
    if (origin === undefined || any || allowed.includes(origin) || isOwn(origin, host)) return true;
    logOnce('origin', { origin: cutText(origin), host: cutText(host ?? '') }, originRefusal);
    return false;
  };
}

const originRefusal =
  'A page of another site was refused. If it may call, add its origin to ALLOWED_ORIGINS; if it is the gateway’s own, set PUBLIC_URL.';

/** Parsed, a Host is in lower case and without the default port of its scheme, as an Origin is. */
function isOwn(origin: string, host: string | undefined): boolean {
  const page = URL.parse(origin);
  return page !== null && URL.parse(`${page.protocol}//${host}`)?.host === page.host;
}
