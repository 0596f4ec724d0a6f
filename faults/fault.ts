import type { Cost } from './history/outcomes.ts';
import type { Rig } from './rig/rig.ts';
import type { Scene } from './scene.ts';

/** Something that breaks, in mid-load, and is mended. */
export interface Fault<R extends Rig> {
  readonly name: string;
  /** What holds all the same, besides what holds of every fault. */
  readonly promise: string;
  /** All that it may cost. Anything else is a violation. */
  readonly costs: readonly Cost[];
  /** Breaks it and mends it: everything runs again once it resolves. Resolves to what happened, for the report. */
  readonly strike: (scene: Scene<R>) => Promise<string>;
}
