import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { scopes } from '../../src/caller.ts';

export interface ApiKeysFile extends AsyncDisposable {
  readonly path: string;
  write(content: unknown): Promise<void>;
}

export async function writeApiKeys(content: unknown): Promise<ApiKeysFile> {
  const directory = await mkdtemp(join(tmpdir(), 'api-keys-'));
  const path = join(directory, 'api-keys.json');
  const write = (text: unknown) => writeFile(path, typeof text === 'string' ? text : JSON.stringify(text));
  await write(content);
  return { path, write, [Symbol.asyncDispose]: () => rm(directory, { recursive: true }) };
}

/** The entry of a key that may do everything for acme, or what else it is given. */
export function apiKeyEntry(key: string, besides: object = {}) {
  const sha256 = createHash('sha256').update(key).digest('hex');
  return { sha256, businesses: ['acme'], scopes: [...scopes], ...besides };
}
