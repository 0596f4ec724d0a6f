import { connect } from 'node:net';

export interface HttpLoad {
  readonly port: number;
  readonly path: string;
  /** How many requests are under way at any time, each on a kept connection of its own. */
  readonly inFlight: number;
  /** The body of the next request, ASCII; undefined once there is none left. */
  readonly nextBody: () => string | undefined;
  /** Is given the body of each answer, all of them 200. What it throws ends the load. */
  readonly onAnswer: (body: string) => void;
}

/**
 * POSTs JSON in a closed loop: each connection asks anew as soon as it was answered. Resolves once all are answered.
 * It does by hand the little of HTTP that this takes, so that the load costs less than what it loads.
 *
 * @throws Error for any other answer, and for a connection that ends early.
 */
export async function loadWithPosts(load: HttpLoad): Promise<void> {
  await Promise.all(Array.from({ length: load.inFlight }, () => runConnection(load)));
}

/** Node reads into it and lets go of it before the next read, so one serves all connections. */
const readBuffer = Buffer.allocUnsafe(64 * 1024);

function runConnection({ port, path, nextBody, onAnswer }: HttpLoad): Promise<void> {
  const head = `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\n`;
  return new Promise((resolve, reject) => {
    let unread = '';
    const socket = connect({
      host: '127.0.0.1',
      port,
      noDelay: true,
      onread: { buffer: readBuffer, callback: (length) => read(readBuffer.toString('latin1', 0, length)) },
    });

    function ask(): void {
      const body = nextBody();
      if (body === undefined) socket.end(resolve);
      else socket.write(`${head}Content-Length: ${body.length}\r\n\r\n${body}`, 'latin1');
    }

    function read(text: string): boolean {
      unread += text;
      const body = completeAnswer(unread);
      if (body === undefined) return true;
      try {
        if (!unread.startsWith('HTTP/1.1 200 ')) throw new Error(`not 200: ${unread}`);
        unread = '';
        onAnswer(body);
        ask();
      } catch (error) {
        reject(error);
        socket.destroy();
      }
      return true;
    }

    socket.on('connect', ask);
    socket.on('error', reject);
    socket.on('close', () =>
      reject(new Error(`the server closed a connection after ${JSON.stringify(unread)}`)),
    );
  });
}

/** The body of an answer, once all of it is there. */
function completeAnswer(answer: string): string | undefined {
  const end = answer.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [, length] = /\r\ncontent-length: ([0-9]+)/i.exec(answer) ?? [];
  const body = answer.slice(end + 4);
  return length !== undefined && body.length >= Number(length) ? body : undefined;
}
