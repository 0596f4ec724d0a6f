import { DatabaseError } from 'pg';
import { GatewayError } from '../../errors.ts';

/**
 * The server refused a statement. It holds nothing of the rows: PostgreSQL's own `detail` quotes them.
 */
export class PostgresError extends Error {
  override readonly name = 'PostgresError';
  /** Five characters, as in PostgreSQL's appendix of error codes: `23505`. */
  readonly sqlState: string;
  readonly constraint: string | undefined;

  constructor(sqlState: string, message: string, constraint?: string) {
    super(message);
    this.sqlState = sqlState;
    this.constraint = constraint;
  }
}

/** What the operator is to mend: the same attempt, made again, fails again. */
export class OperatorError extends Error {
  override readonly name = 'OperatorError';
}

/** The same without what a log may not have. */
export function withoutRows(error: unknown): Error {
  if (error instanceof DatabaseError)
    return new PostgresError(error.code ?? '', textOf(error), error.constraint);
  return error instanceof Error ? error : new Error(String(error));
}

/** Class 22 (data exceptions) quotes the input: its message is cut where the quotation begins. */
function textOf({ code, message }: DatabaseError): string {
  return code?.startsWith('22') ? message.replace(/:? ?".*$/s, '') : message;
}

/** The code with which the server refused it, also if that is a cause of the error. */
export function sqlStateOf(error: unknown): string | undefined {
  if (error instanceof PostgresError) return error.sqlState;
  return error instanceof Error ? sqlStateOf(error.cause) : undefined;
}

/** A lock was not had within `lock_timeout`. */
export const lockTimeoutState = '55P03';

/** It takes no writes, or not any more. */
export const readOnlyState = '25006';

/** There was no session, so nothing was sent. */
export class NotConnected extends Error {
  override readonly name = 'NotConnected';
}

/**
 * Whether a write that was rejected has certainly changed nothing. False: it may have been done, now or in a moment, and
 * only what is idempotent can be made again.
 *
 * @param error of `Connections.write`.
 */
export function changedNothing(error: unknown): boolean {
  const cause = error instanceof GatewayError ? error.cause : error;
  if (cause instanceof NotConnected) return true;
  return cause instanceof PostgresError && !endsSession(cause) && !/^(08|40003)/.test(cause.sqlState);
}

/** The server ends the session with it, a moment later: it was told to, or the session took too long. */
export function endsSession(error: unknown): boolean {
  return /^(57P0[1-5]|25P0[34])$/.test(sqlStateOf(error) ?? '');
}
