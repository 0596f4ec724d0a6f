import { connect } from 'node:net';

/** A kept connection that POSTs JSON, one request at a time. */
export interface PostConnection {
  /**
   * The body is ASCII. The answer to the one before must have come.
   *
   * @param headers further ones, each with the end of its line.
   */
  post(body: string, headers?: string): void;
  end(): void;
}

export interface PostConnectionOptions {
  readonly port: number;
  readonly path: string;
  /** Once `post` may be called. */
  readonly onOpen: () => void;
  /** Is given each answer, and may post the next request. What it throws ends the connection. */
  readonly onAnswer: (status: number, body: string) => void;
  /** Is told once of the end of a connection that was not ended from here. */
  readonly onLost: (error: unknown) => void;
}

/** Node reads into it and lets go of it before the next read, so one serves all connections. */
const readBuffer = Buffer.allocUnsafe(64 * 1024);

/** Does by hand the little of HTTP that this takes, so that the load costs less than what it loads. */
export function openPostConnection(options: PostConnectionOptions): PostConnection {
  const { port, path, onOpen, onAnswer, onLost } = options;
  const head = `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\n`;
  let unread = '';
  let failure: unknown;
  const socket = connect({
    host: '127.0.0.1',
    port,
    noDelay: true,
    onread: { buffer: readBuffer, callback: (length) => read(readBuffer.toString('latin1', 0, length)) },
  });

  function read(text: string): boolean {
    unread += text;
    const answer = completeAnswer(unread);
    if (answer === undefined) return true;
    unread = '';
    try {
      onAnswer(answer.status, answer.body);
    } catch (error) {
      failure = error;
      socket.destroy();
    }
    return true;
  }

  function lost(): void {
    onLost(failure ?? new Error(`the server closed a connection after ${JSON.stringify(unread)}`));
  }

  socket.on('connect', onOpen);
  socket.on('error', (error) => (failure = error));
  socket.on('close', lost);
  return {
    post: (body, headers = '') =>
      void socket.write(`${head}${headers}Content-Length: ${body.length}\r\n\r\n${body}`, 'latin1'),
    end: () => void socket.off('close', lost).end(),
  };
}

/** An answer, once all of it is there. */
function completeAnswer(answer: string): { status: number; body: string } | undefined {
  const end = answer.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [, status, length] = /^HTTP\/1\.1 ([0-9]{3}) .*\r\ncontent-length: ([0-9]+)/is.exec(answer) ?? [];
  const body = answer.slice(end + 4);
  return body.length >= Number(length) ? { status: Number(status), body } : undefined;
}
