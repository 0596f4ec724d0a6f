/** Where a store says what its operator should know. A pino logger is one. */
export interface StoreLog {
  info(details: object, sentence: string): void;
  warn(details: object, sentence: string): void;
  error(details: object, sentence: string): void;
}
