import { type RedisRisk, wordsOfRisks } from '../redis-risks.ts';
import type { RedisTarget } from '../redis-url.ts';
import type { StoreLog } from './log.ts';
import type { Address, Client } from './redis-client.ts';
import type { Replication } from './redis-replication.ts';
import { readSettings, type ServerSettings } from './redis-settings.ts';

/** Knows what the settings of each server may cost, and says so. */
export interface Inspector {
  /**
   * Looks at a server.
   *
   * @throws Error with what the operator is to do, where it is unfit, or has a risk that was not accepted.
   */
  inspect(address: Address, client: Client): Promise<void>;
  /** Looks at one that is connected in mid-flight, which is used all the same: it may be what a failover has left. */
  lookAgain(address: Address, client: Client): void;
  /** What may be lost with these servers, in sentences. */
  risksOf(addresses: readonly Address[]): readonly string[];
  replicationOf(address: Address): Replication | null;
}

export interface InspectorOptions {
  readonly kind: RedisTarget['kind'];
  readonly replicas: number;
  readonly accepted: readonly RedisRisk[];
  readonly log: StoreLog | undefined;
}

export function createInspector({ kind, replicas, accepted, log }: InspectorOptions): Inspector {
  const known = new Map<Address, ServerSettings>();
  const told = new Set<string>();

  async function look(address: Address, client: Client): Promise<void> {
    const settings = await readSettings(client, kind, replicas);
    known.set(address, settings);
    if (settings.unfit) throw new Error(`The Redis at ${address} cannot be used: ${settings.unfit}.`);
    const refused = settings.risks.filter((risk) => !accepted.includes(risk));
    if (refused.length > 0) throw new Error(refusalOf(address, refused));
    for (const risk of settings.risks) tell(address, risk);
  }

  function tell(address: Address, risk: RedisRisk): void {
    const sentence = `The risk ${risk} is accepted: ${wordsOfRisks[risk].cost}.`;
    if (told.has(`${address} ${risk}`)) return;
    told.add(`${address} ${risk}`);
    log?.info({ redis: address, risk }, sentence);
  }

  return {
    inspect: look,
    lookAgain: (address, client) => {
      look(address, client).catch((error) =>
        log?.error({ err: error }, 'A Redis does not keep what it should.'),
      );
    },
    risksOf: (addresses) => {
      const risks = new Set(addresses.flatMap((address) => known.get(address)?.risks ?? []));
      return [...risks].map((risk) => `${risk}: ${wordsOfRisks[risk].cost}`);
    },
    replicationOf: (address) =>
      replicas === 0 ? null : { replicas, onDisk: known.get(address)?.confirmsDisks ?? false },
  };
}

function refusalOf(address: Address, risks: readonly RedisRisk[]): string {
  const faults = risks.map((risk) => `${wordsOfRisks[risk].cost}. To mend it, ${wordsOfRisks[risk].remedy}`);
  return `The Redis at ${address} is not safe: ${faults.join('; ')}. To accept it, set REDIS_ACCEPT_RISK=${risks.join(',')}.`;
}
