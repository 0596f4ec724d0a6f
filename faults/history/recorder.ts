import type { DeliveryStatus } from '../../src/message.ts';
import type { Acknowledgement, MessageHistory, MessageState, Sighting } from './history.ts';

/** Writes down what happens while it happens, and knows at any time who has yet to be shown something. */
export interface Recorder {
  /** Pingup took a text and gave the message this id. */
  took(id: string, text: string): void;
  told(id: string, status: DeliveryStatus): void;
  acknowledged(id: string, status: DeliveryStatus): void;
  /** Nothing more will be told of it. */
  finished(id: string): void;
  /** A subscriber asks for it. */
  wanted(id: string): void;
  saw(id: string, sighting: Sighting): void;
  completed(id: string): void;

  /** Resolves once nothing more will be told of a message, and its subscriber was shown all that was acknowledged. */
  settled(id: string): Promise<void>;
  /** How many subscribers were not shown yet what was acknowledged by then (epoch ms). */
  behind(by: number): number;

  readonly textsTaken: ReadonlyMap<string, number>;
  /** All messages as they are now, without what queries return. */
  messages(): readonly Recorded[];
}

export type Recorded = Omit<MessageHistory, 'found' | 'listed'>;

interface Entry {
  readonly told: Set<DeliveryStatus>;
  readonly acknowledged: Acknowledgement[];
  readonly sightings: Sighting[];
  readonly settled: PromiseWithResolvers<void>;
  since: number | undefined;
  completed: boolean;
  finished: boolean;
}

export function createRecorder(): Recorder {
  const entries = new Map<string, Entry>();
  /** Those whose `settled` is still to be resolved. */
  const unsettled = new Set<Entry>();
  const textsTaken = new Map<string, number>();

  function entryOf(id: string): Entry {
    const known = entries.get(id);
    if (known) return known;
    const entry = newEntry();
    entries.set(id, entry);
    unsettled.add(entry);
    return entry;
  }

  function update(id: string, change: (entry: Entry) => void): void {
    const entry = entryOf(id);
    change(entry);
    if (!entry.finished || entry.since === undefined || isBehind(entry, Infinity)) return;
    unsettled.delete(entry);
    entry.settled.resolve();
  }

  return {
    textsTaken,
    took(id, text) {
      textsTaken.set(text, (textsTaken.get(text) ?? 0) + 1);
      update(id, ({ told }) => told.add('ACCEPTED'));
    },
    told: (id, status) => update(id, ({ told }) => told.add(status)),
    acknowledged: (id, status) =>
      update(id, ({ acknowledged }) => acknowledged.push({ status, at: Date.now() })),
    finished: (id) => update(id, (entry) => (entry.finished = true)),
    wanted: (id) => update(id, (entry) => (entry.since = Date.now())),
    saw: (id, sighting) => update(id, ({ sightings }) => sightings.push(sighting)),
    completed: (id) => update(id, (entry) => (entry.completed = true)),
    settled: (id) => entryOf(id).settled.promise,
    behind: (by) => [...unsettled].filter((entry) => entry.since !== undefined && isBehind(entry, by)).length,
    messages: () => [...entries].map(([id, entry]) => recordedOf(id, entry)),
  };
}

function newEntry(): Entry {
  return {
    told: new Set(),
    acknowledged: [],
    sightings: [],
    settled: Promise.withResolvers(),
    since: undefined,
    completed: false,
    finished: false,
  };
}

function isBehind({ acknowledged, sightings }: Entry, by: number): boolean {
  const last = sightings.at(-1);
  return acknowledged.some(({ status, at }) => at <= by && !shows(last, status));
}

/** Whether whoever was shown this state knows of the status: after READ nothing else is shown. */
export function shows(state: MessageState | undefined, status: DeliveryStatus): boolean {
  return state !== undefined && (state.status === 'READ' || state.history.includes(status));
}

function recordedOf(id: string, entry: Entry): Recorded {
  const { told, acknowledged, sightings, since, completed } = entry;
  const watch = since === undefined ? null : { since, sightings: [...sightings], completed };
  return { id, told, acknowledged: [...acknowledged], watch };
}
