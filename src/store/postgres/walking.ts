import type { Store } from '../port.ts';
import type { RetentionWait } from '../retention-wait.ts';
import type { Connections } from './connections.ts';
import { type Step, type StepKind, waysOf } from './deleting.ts';
import type { Kinds } from './kinds.ts';
import type { Queue } from './queue.ts';
import { inSchema } from './schema-text.ts';
import { decodeText } from './text.ts';
import type { Change } from './watched.ts';

export interface WalkerOptions {
  readonly schema: string;
  readonly read: Connections['read'];
  readonly queue: Queue;
  readonly kinds: Pick<Kinds, 'prunes' | 'forgets'>;
  /** Nothing is pruned while there is one. */
  readonly retentionWait: Pick<RetentionWait, 'look'>;
  readonly changed: (changes: readonly Change[]) => void;
}

const businessesText = 'select distinct business from :schema.business';

/** What deletes in small steps, between which other calls are served. */
export function createWalker(options: WalkerOptions): Pick<Store, 'prune' | 'forget'> {
  const { schema, read, queue, kinds, changed, retentionWait } = options;
  const businesses = inSchema(schema, businessesText);

  /** Resolves to how many rows it deleted or erased. */
  async function walk<Call extends Step>(
    kind: StepKind<Call>,
    toCall: (step: Step) => Call,
    business: string,
  ) {
    let total = 0;
    for (let after: number | null = 0; after !== null; ) {
      const call = toCall({ business, after });
      const { count, next } = await queue.ask(kind, call, ({ deleted }) => changed(deleted));
      total += count;
      after = next;
    }
    return total;
  }

  return {
    prune: async (before) => {
      if ((await retentionWait.look()) !== null) return 0;
      let messages = 0;
      for (const row of await read(businesses)) {
        const business = decodeText(String(row['business']));
        const { prunes } = kinds;
        messages += await walk(prunes.messages, (step) => ({ ...step, before }), business);
        await walk(prunes.sends, (step) => ({ ...step, before }), business);
        await walk(prunes.quarantine, (step) => ({ ...step, before }), business);
      }
      return messages;
    },
    forget: async (client) => {
      const forgotten = { messages: 0, sends: 0 };
      for (const [by, value] of waysOf(client)) {
        const { messages, sends } = kinds.forgets[by];
        forgotten.messages += await walk(messages, (step) => ({ ...step, value }), client.business);
        forgotten.sends += await walk(sends, (step) => ({ ...step, value }), client.business);
      }
      return forgotten;
    },
  };
}
