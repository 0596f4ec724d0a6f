/**
 * Many frontends in a process of their own: `node subscriber-process.ts <sockets> <url>...`. It speaks to its parent
 * by `Order` and `Report`, and ends when the parent lets go of it.
 */
import { openFrontend } from './frontend.ts';
import type { Order, Report } from './subscriber-protocol.ts';
import { watch } from './watch.ts';

const reportMs = 10;

const [sockets = '1', ...firstUrls] = process.argv.slice(2);
let urls: readonly string[] = firstUrls;
let reports: Report[] = [];
/** How to leave each watch. */
const watches = new Map<string, () => void>();
const frontends = Array.from({ length: Number(sockets) }, (_, first) =>
  openFrontend({ urls: () => urls, first, report }),
);
let watched = 0;

function report(what: Report): void {
  reports.push(what);
}

function flush(): void {
  if (reports.length > 0) process.send?.(reports);
  reports = [];
}

function obey(order: Order): void {
  if (order.kind === 'nodes') {
    urls = order.urls;
  } else if (order.kind === 'watch') {
    const frontend = frontends[watched % frontends.length];
    watched += 1;
    if (frontend) watches.set(order.id, watch(frontend, order.id, report));
  } else {
    watches.get(order.id)?.();
    watches.delete(order.id);
  }
}

process.on('message', obey);
process.once('disconnect', () => process.exit(0));
setInterval(flush, reportMs);
