/** No usable answer came from Pingup's side of a connection. Says nothing of what Pingup did with the request. */
export class ExchangeError extends Error {
  override readonly name = 'ExchangeError';
  /** Whether a byte of the request may have left. Where none has, the same request can safely be made again. */
  readonly mayHaveLeft: boolean;

  constructor(mayHaveLeft: boolean, cause: unknown) {
    super(mayHaveLeft ? 'No complete answer came back.' : 'No connection was had, and nothing was sent.', {
      cause,
    });
    this.mayHaveLeft = mayHaveLeft;
  }
}
