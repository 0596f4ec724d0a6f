import { CircuitState, ConsecutiveBreaker, circuitBreaker, handleWhen } from 'cockatiel';
import type { Logger } from 'pino';
import { GatewayError } from '../errors.ts';
import { ExchangeError } from './exchange-error.ts';
import type { PingupHealth } from './port.ts';

/**
 * Spares a Pingup that is down, and its callers the wait. Ten calls in a row that say so open it; while it is open,
 * calls are turned away at once, but for one every two seconds, which tries whether Pingup is back. Any answer of
 * Pingup's own closes it, be it a refusal.
 */
export interface Breaker {
  readonly state: PingupHealth['breaker'];

  /** @throws GatewayError PINGUP_UNAVAILABLE where a call would be turned away now. */
  check(): void;

  /**
   * Makes a call, and learns from its outcome.
   *
   * @throws GatewayError PINGUP_UNAVAILABLE where it is turned away; otherwise what the call throws.
   */
  run(call: () => Promise<string>): Promise<string>;
}

export interface BreakerOptions {
  /** Called each time that it opens, with what a call that is turned away gets. */
  readonly onOpen: (error: GatewayError) => void;
  readonly log: Pick<Logger, 'info' | 'warn'>;
}

/** With half of all calls failing, this many in a row are rare; with Pingup down, it takes milliseconds under load. */
const failuresInARow = 10;
const restMs = 2_000;
/** A try that has no answer by then makes way for the next: with the rest, Pingup's return is seen within 4 s. */
const patienceMs = 2_000;

export function createBreaker({ onOpen, log }: BreakerOptions): Breaker {
  const failures = new ConsecutiveBreaker(failuresInARow);
  const policy = circuitBreaker(handleWhen(saysDown), { breaker: failures, halfOpenAfter: restMs });
  let openedAt = 0;
  let open = false;

  policy.onBreak((reason) => {
    if ('isolated' in reason) return;
    if (!open) log.warn('Pingup is down: sends are turned away until it is back');
    open = true;
    openedAt = Date.now();
    onOpen(turnedAway(restMs));
  });
  policy.onReset(() => {
    open = false;
    log.info('Pingup is back');
  });

  function check(): void {
    if (policy.state === CircuitState.Closed) return;
    const remainingMs = openedAt + restMs - Date.now();
    if (policy.state === CircuitState.HalfOpen || remainingMs > 0) throw turnedAway(remainingMs);
  }

  async function run(call: () => Promise<string>): Promise<string> {
    check();
    try {
      return await policy.execute(policy.state === CircuitState.Closed ? call : () => within(call()));
    } catch (error) {
      if (error instanceof Unanswered) return hear(error.answer);
      if (!saysDown(error)) failures.success();
      throw error;
    }
  }

  /** What comes too late for its try still says that Pingup is up: one that is merely slow must not stay shut out. */
  function hear(answer: Promise<string>): Promise<string> {
    answer.then(close, (error) => saysDown(error) || close());
    return answer;
  }

  function close(): void {
    failures.success();
    if (policy.state !== CircuitState.Closed) policy.isolate().dispose();
  }

  return {
    get state() {
      return names[policy.state];
    },
    check,
    run,
  };
}

const names = {
  [CircuitState.Closed]: 'closed',
  [CircuitState.Open]: 'open',
  [CircuitState.Isolated]: 'open',
  [CircuitState.HalfOpen]: 'half-open',
} as const;

/** A try that has no answer yet; it goes on. */
class Unanswered extends Error {
  override readonly name = 'Unanswered';
  readonly answer: Promise<string>;

  constructor(answer: Promise<string>) {
    super('No answer yet.');
    this.answer = answer;
  }
}

async function within(answer: Promise<string>): Promise<string> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Unanswered(answer)), patienceMs);
  return Promise.race([answer, late.promise]).finally(() => clearTimeout(timer));
}

/** Not reached, or no usable answer: the refusal of one message, or of too many, is a sign of life. */
function saysDown(error: unknown): boolean {
  if (error instanceof GatewayError) return error.code === 'SEND_OUTCOME_UNKNOWN';
  return error instanceof ExchangeError || error instanceof Unanswered;
}

function turnedAway(remainingMs: number): GatewayError {
  const retryAfterSeconds = Math.max(Math.ceil(remainingMs / 1000), 1);
  return new GatewayError('PINGUP_UNAVAILABLE', 'Pingup is down; nothing was sent.', { retryAfterSeconds });
}
