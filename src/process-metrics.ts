import { collectDefaultMetrics, Registry } from 'prom-client';

let known: Registry | undefined;

/** Of the whole process (event-loop lag, CPU, memory, garbage collection), so there is one, and it is never closed. */
export function processMetrics(): Registry {
  if (known) return known;
  known = new Registry();
  collectDefaultMetrics({ register: known });
  for (const name of costly) {
    known.removeSingleMetric(name);
    known.removeSingleMetric(`${name}_total`);
  }
  return known;
}

/** They list every socket at each scrape, which takes long where there are many. */
const costly = ['nodejs_active_handles', 'nodejs_active_requests', 'nodejs_active_resources'];
