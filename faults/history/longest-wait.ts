import type { Acknowledgement, WatchHistory } from './history.ts';
import { type Recorded, shows } from './recorder.ts';

/** A time, in epoch ms, in which something was away that the gateway needs. */
export interface Outage {
  readonly from: number;
  readonly to: number;
}

/**
 * How long, in ms, any subscriber had to wait for something acknowledged: from when it was acknowledged, they had asked,
 * and the last outage before they saw it was over. Infinity where one never saw it.
 *
 * @param since waits that were over before this instant (epoch ms) do not count.
 */
export function longestWait(
  messages: readonly Recorded[],
  outages: readonly Outage[],
  since = -Infinity,
): number {
  const waits = messages.flatMap(({ acknowledged, watch }) =>
    watch ? acknowledged.map((acknowledgement) => waitFor(acknowledgement, watch, outages, since)) : [],
  );
  return waits.reduce((longest, wait) => Math.max(longest, wait), 0);
}

function waitFor(
  { status, at }: Acknowledgement,
  watch: WatchHistory,
  outages: readonly Outage[],
  since: number,
): number {
  const seen = watch.sightings.find((sighting) => shows(sighting, status))?.at ?? Infinity;
  if (seen < since) return 0;
  const returns = outages.filter(({ from }) => from <= seen).map(({ to }) => to);
  return Math.max(seen - Math.max(at, watch.since, ...returns), 0);
}
