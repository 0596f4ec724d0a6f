import type { IncomingMessage } from 'node:http';

/**
 * Whether the page that makes a request may have a socket, for which browsers ask no leave: a page of this very host
 * may, and one of `allowed` (`*`: any). What is no browser sends no Origin, and may.
 */
export function createOriginCheck(allowed: readonly string[]): (request: IncomingMessage) => boolean {
  const any = allowed.includes('*');
  return ({ headers: { origin, host } }) => {
    if (origin === undefined || any || allowed.includes(origin)) return true;
    const page = URL.parse(origin);
    // Parsed, a Host is in lower case and without the port that its scheme has anyway, as an Origin is.
    return page !== null && URL.parse(`${page.protocol}//${host}`)?.host === page.host;
  };
}
