import { setTimeout as delay } from 'node:timers/promises';
import type { WebSocket } from 'ws';

/** So few that it does not matter when they all come back at once. */
const atOnce = 100;
const turnMs = 50;
/** How long a client may take to answer. */
const graceMs = 2_000;

/** Closes sockets with 1001 ("come back elsewhere"), at least 100 every 50 ms and more where `withinMs` needs it. */
export async function closeInTurn(sockets: readonly WebSocket[], withinMs: number): Promise<void> {
  const perTurn = Math.max(atOnce, Math.ceil((sockets.length * turnMs) / Math.max(withinMs, 1)));
  const closed: Promise<void>[] = [];
  for (let first = 0; first < sockets.length; first += perTurn) {
    if (first > 0) await delay(turnMs);
    closed.push(...sockets.slice(first, first + perTurn).map(goAway));
  }
  await Promise.all(closed);
}

function goAway(socket: WebSocket): Promise<void> {
  if (socket.readyState === socket.CLOSED) return Promise.resolve();
  return new Promise((resolve) => {
    const deadline = setTimeout(() => socket.terminate(), graceMs);
    socket.once('close', () => {
      clearTimeout(deadline);
      resolve();
    });
    socket.close(1001, 'Going away');
  });
}
