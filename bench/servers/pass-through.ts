import { createServer } from 'node:http';
import { Pool } from 'undici';
import { answer, listen, readBody } from './listen.ts';

/** Hands each POST on to Pingup as it is, and the answer back: what a gateway cannot do without. */
const [upstream = ''] = process.argv.slice(2);
const pool = new Pool(upstream, { connections: 256 });
const headers = { authorization: 'Bearer bench-key', 'content-type': 'application/json' };

const server = createServer((request, response) => {
  readBody(request, async (body) => {
    const taken = await pool.request({ method: 'POST', path: '/bench/messages', headers, body });
    answer(response, await taken.body.text());
  });
});

await listen(server);
