import type { Cost } from './history/outcomes.ts';

/** How large a run is, and how much of the machine it has for itself. */
export interface Scale {
  readonly subscribers: number;
  /** Sockets that they share. */
  readonly sockets: number;
  readonly callbacksPerSecond: number;
  /** How long the load runs undisturbed before the fault, and after it once all is right again, in ms. */
  readonly undisturbedMs: number;
  /** How long a subscriber stays at most once it has seen all, in ms: for what should not come any more. */
  readonly lingerMs: number;
  /** How often a fault strikes that strikes many times. */
  readonly times: number;
  /** How long a server is away that is away for a time, in ms. */
  readonly awayMs: number;
  /** The same of a standby that every commit waits for. */
  readonly standbyAwayMs: number;
  /** By when callbacks are taken again once what that takes is there again, in ms, where that is promised. */
  readonly servesWithinMs: number;
  /** By when every subscriber must have the right state, once what that takes is there again, in ms. */
  readonly rightWithinMs: number;
  /** By when every callback must be answered, in ms. */
  readonly answerWithinMs: number;
  /** What the machine may cost, whatever the fault. */
  readonly machineCosts: readonly Cost[];
  /** Environment variables of the nodes. */
  readonly env: Readonly<Record<string, string>>;
}

/** For a machine that does nothing else. The promises are 5 s and 2 s; 1 s is for two cores that do all of it. */
export const fullScale: Scale = {
  subscribers: 1_000,
  sockets: 100,
  callbacksPerSecond: 300,
  undisturbedMs: 3_000,
  lingerMs: 1_000,
  times: 20,
  awayMs: 10_000,
  standbyAwayMs: 30_000,
  servesWithinMs: 1_000,
  rightWithinMs: 5_000,
  answerWithinMs: 3_000,
  machineCosts: [],
  env: {},
};

/** For the tests, which share the machine with all the others: how long things take proves little there. */
export const smallScale: Scale = {
  subscribers: 100,
  sockets: 12,
  callbacksPerSecond: 60,
  undisturbedMs: 300,
  lingerMs: 300,
  times: 1,
  awayMs: 2_500,
  standbyAwayMs: 3_000,
  servesWithinMs: 10_000,
  rightWithinMs: 15_000,
  answerWithinMs: 7_500,
  machineCosts: ['refusals', 'unknown sends'],
  env: { DRAIN_MS: '300', PINGUP_TIMEOUT_MS: '3000' },
};
