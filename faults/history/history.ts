import type { DeliveryStatus } from '../../src/message.ts';

/** What happened to the messages of one run, as everyone outside of the gateway saw it. Instants are epoch ms. */
export interface History {
  readonly messages: readonly MessageHistory[];
  /** How often Pingup took each text. Every text of a run is another one. */
  readonly textsTaken: ReadonlyMap<string, number>;
}

export interface MessageHistory {
  readonly id: string;
  /** What the fake Pingup has told of it, answered or not; the answer to its send counts as ACCEPTED. */
  readonly told: ReadonlySet<DeliveryStatus>;
  /** What the gateway acknowledged: an id that a mutation returned as ACCEPTED, a callback answered 200 as its status. */
  readonly acknowledged: readonly Acknowledgement[];
  /** What its one subscriber saw; null where it has none, since its send was not acknowledged. */
  readonly watch: WatchHistory | null;
  /** What `message` returns of it after the run; null where it is not there. */
  readonly found: MessageState | null;
  /** Whether `messages` has it after the run. */
  readonly listed: boolean;
}

export interface Acknowledgement {
  readonly status: DeliveryStatus;
  readonly at: number;
}

export interface WatchHistory {
  /** When the subscriber first asked. */
  readonly since: number;
  /** In the order in which they came. */
  readonly sightings: readonly Sighting[];
  /** Whether the gateway has said that nothing can follow. */
  readonly completed: boolean;
}

/** A message as the gateway shows it. */
export interface MessageState {
  readonly revision: number;
  readonly status: DeliveryStatus;
  /** The statuses of its history. */
  readonly history: readonly DeliveryStatus[];
}

/** A state that a subscriber was shown. */
export interface Sighting extends MessageState {
  /** Which of the subscriber's subscriptions showed it: it grows with each that follows another. */
  readonly subscription: number;
  readonly at: number;
}
