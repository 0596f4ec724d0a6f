import { openPostConnection } from './post-connection.ts';

export interface HttpLoad {
  readonly port: number;
  readonly path: string;
  /** How many requests are under way at any time, each on a kept connection of its own. */
  readonly inFlight: number;
  /** The body of the next request, ASCII; undefined once there is none left. */
  readonly nextBody: () => string | undefined;
  /** Further headers of the request with this body, each with the end of its line. */
  readonly headersFor?: (body: string) => string;
  /** Is given the body of each answer, all of them 200. What it throws ends the load. */
  readonly onAnswer: (body: string) => void;
}

/**
 * POSTs JSON in a closed loop: each connection asks anew as soon as it was answered. Resolves once all are answered.
 *
 * @throws Error for any other answer, and for a connection that ends early.
 */
export async function loadWithPosts(load: HttpLoad): Promise<void> {
  await Promise.all(Array.from({ length: load.inFlight }, () => runConnection(load)));
}

function runConnection({ port, path, nextBody, headersFor, onAnswer }: HttpLoad): Promise<void> {
  return new Promise((resolve, reject) => {
    const connection = openPostConnection({ port, path, onOpen: ask, onAnswer: take, onLost: reject });

    function ask(): void {
      const body = nextBody();
      if (body !== undefined) {
        connection.post(body, headersFor?.(body));
      } else {
        connection.end();
        resolve();
      }
    }

    function take(status: number, body: string): void {
      if (status !== 200) throw new Error(`not 200 but ${status}: ${body}`);
      onAnswer(body);
      ask();
    }
  });
}
