import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A connection to a server, over which bytes are sent as they are. */
export async function openConnection(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

/** Sends bytes as they are, and resolves to all that comes back until the server closes the connection. */
export async function exchange(url: string, request: string): Promise<string> {
  const socket = await openConnection(url);
  let answers = '';
  socket.on('data', (chunk) => (answers += chunk.toString('latin1')));
  socket.write(request);
  await closeOf(socket);
  return answers;
}

/** Resolves when a connection is closed, by a reset too. */
export function closeOf(socket: Socket): Promise<void> {
  return new Promise((resolve) => void socket.once('close', () => resolve()));
}

/** The status codes of the answers in what came back. */
export function statusesIn(answers: string): number[] {
  return [...answers.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
}
