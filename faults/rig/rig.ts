import type { FakePingup } from '../load/pingup.ts';
import type { Nodes } from './nodes.ts';

/** What a fault strikes: a fake Pingup and nodes with one store. */
export interface Rig extends AsyncDisposable {
  readonly pingup: FakePingup;
  readonly nodes: Nodes;
}
