import type { Sighting } from '../history/history.ts';

/** What the process of the subscribers is told. */
export type Order =
  /** Where the nodes are by now. Sockets go there once they come back. */
  | { readonly kind: 'nodes'; readonly urls: readonly string[] }
  | { readonly kind: 'watch'; readonly id: string }
  | { readonly kind: 'leave'; readonly id: string };

/** What it tells, in the order in which it happened. */
export type Report =
  | { readonly kind: 'connected' }
  | { readonly kind: 'disconnected' }
  | { readonly kind: 'saw'; readonly id: string; readonly sighting: Sighting }
  | { readonly kind: 'completed'; readonly id: string }
  /** A subscription was refused, and will be asked for again. */
  | { readonly kind: 'refused'; readonly code: string | undefined }
  /** Something came that no fault excuses. */
  | { readonly kind: 'surprise'; readonly what: string };
