/** The server of a store, for its operator. */
export interface StoreServer {
  /** Sessions that it has of this node, those that were given up and did not end yet included. */
  readonly sessions: number;
  readonly maxSessions: number;
  /** However often it is asked, the server is at most once a second. Rejects if it does not answer in time. */
  read(): Promise<ServerReading>;
}

/** What it says of itself. */
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
}
