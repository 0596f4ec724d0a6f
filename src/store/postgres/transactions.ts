import type { Statement } from './statement.ts';

export type TransactionKind = 'write' | 'read' | 'signal';

const limits =
  "set_config('statement_timeout', '1500', true), set_config('lock_timeout', '1000', true), set_config('idle_in_transaction_session_timeout', '1000', true)";

/**
 * Every statement finds its rows by index, a few for each call. A plan that was made while a table was small would read all of
 * it, and is kept when the table has grown.
 */
const plans =
  "set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true), set_config('plan_cache_mode', 'force_generic_plan', true)";

const beginWrite: Statement = {
  text: 'begin isolation level read committed',
  name: 'begin_write',
};

/**
 * How each begins. Settings are the transaction's own, so that they hold behind a pooler too, and leave nothing to whom
 * the session serves next.
 */
export const openingOf: Readonly<Record<TransactionKind, readonly Statement[]>> = {
  /** Durable whatever the server's default is, or a neighbour behind the same pooler has left; never less than that. */
  write: [
    beginWrite,
    {
      text: `select set_config('synchronous_commit', case current_setting('synchronous_commit') when 'remote_apply' then 'remote_apply' else 'on' end, true), ${limits}, ${plans}`,
      name: 'settings_write',
    },
  ],
  /** It does not wait for the disk. */
  signal: [
    beginWrite,
    { text: `select set_config('synchronous_commit', 'off', true), ${limits}`, name: 'settings_signal' },
  ],
  /** All statements see one moment. */
  read: [
    { text: 'begin isolation level repeatable read read only', name: 'begin_read' },
    { text: `select ${limits}, ${plans}`, name: 'settings_read' },
  ],
};

/** For a session of its own that reads single statements. */
export const readerLimits: Statement = {
  text: "select set_config('statement_timeout', '1500', false), set_config('lock_timeout', '1000', false), set_config('enable_seqscan', 'off', false), set_config('enable_hashjoin', 'off', false), set_config('enable_mergejoin', 'off', false), set_config('plan_cache_mode', 'force_generic_plan', false)",
};
