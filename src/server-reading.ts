/** What the server of a store says of itself, for its operator. */
export interface ServerReading {
  /** How long the oldest transaction of anybody on the server is under way: what it could still see is not cleaned up. */
  readonly oldestTransactionSeconds: number;
  /** Transactions since the oldest row that was not frozen, of 2³¹ that there are. */
  readonly transactionIdAge: number;
  /** Rows of the store's tables, as the server estimates them. */
  readonly liveRows: number;
  /** Versions of rows that nobody needs any more, and that were not cleaned up. */
  readonly deadRows: number;
  /** What the slowest standby has not applied yet. */
  readonly replicationLagBytes: number;
  readonly standbys: number;
  /** The most that a replication slot keeps of the write-ahead log. */
  readonly slotWalBytes: number;
  /** The part of the server's queue of notifications that is full, 0 to 1. */
  readonly notificationQueueUsage: number;
  /** The part of the server's connections that anybody has, 0 to 1. */
  readonly connectionsUsage: number;
  /** Sessions that the server has of this node, those that were given up and did not end yet included. */
  readonly sessions: number;
  readonly maxSessions: number;
}
