import { type GatewayProcess, startGatewayProcess } from '../../test/support/gateway-process.ts';

import { killOnExit } from './kill-on-exit.ts';

/** Gateways with one store, each the built program in a process of its own. */
export interface Nodes extends AsyncDisposable {
  /** Where they are, dead or alive. One that is started again has another address, as a new pod has. */
  urls(): readonly string[];
  /** Is called with each change of the addresses. */
  onMove: (urls: readonly string[]) => void;
  /** Ends a node with a signal, and resolves to its exit code and signal. */
  end(index: number, signal: NodeJS.Signals): Promise<[code: number | null, signal: NodeJS.Signals | null]>;
  /** Starts a node anew that has ended. */
  start(index: number): Promise<void>;
}

export interface NodesOptions {
  readonly count: number;
  readonly storeUrl: string;
  readonly pingupUrl: string;
  readonly env?: Readonly<Record<string, string>>;
}

const business = 'faults';
const token = 'a-token-of-24-characters';
/** Where a node takes callbacks. */
export const callbackPath = `/callbacks/pingup/${business}/${token}`;

export async function startNodes({ count, storeUrl, pingupUrl, env = {} }: NodesOptions): Promise<Nodes> {
  const settings = {
    NODE_ENV: 'production',
    AUTH: 'none',
    PINGUP_BASE_URL: pingupUrl,
    PINGUP_BUSINESS_NAME: business,
    PINGUP_API_KEY: 'key',
    CALLBACK_TOKEN: token,
    STORE_URL: storeUrl,
    ...env,
  };
  const begin = () => startGatewayProcess(settings);
  await using starting = new AsyncDisposableStack();
  const gateways: GatewayProcess[] = [];
  starting.use(killOnExit(() => gateways.map((gateway) => gateway.process.pid)));
  starting.defer(async () => {
    await Promise.all(gateways.map((gateway) => gateway[Symbol.asyncDispose]()));
  });
  gateways.push(...(await allStarted(Array.from({ length: count }, begin))));
  const all = starting.move();

  function nodeAt(index: number): GatewayProcess {
    const gateway = gateways[index];
    if (!gateway) throw new Error(`there is no node ${index}`);
    return gateway;
  }

  const nodes: Nodes = {
    urls: () => gateways.map(({ url }) => url),
    onMove: () => undefined,
    end: (index, signal) => nodeAt(index).end(signal),
    async start(index) {
      gateways[index] = await begin();
      nodes.onMove(nodes.urls());
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
  return nodes;
}

/** @throws what the first one threw, once those that did start have ended. */
async function allStarted(starts: readonly Promise<GatewayProcess>[]): Promise<GatewayProcess[]> {
  try {
    return await Promise.all(starts);
  } catch (error) {
    for (const start of await Promise.allSettled(starts))
      if (start.status === 'fulfilled') await start.value[Symbol.asyncDispose]();
    throw error;
  }
}
