import { delimiter, join } from 'node:path';
import { describe } from 'vitest';
import { isExecutable } from './is-executable.ts';

/** Tests that need a `redis-server` on the PATH. Without one they are skipped, but not in CI, where they fail. */
export function describeWithRedis(title: string, body: () => void): void {
  if (hasRedis() || process.env['CI'] === 'true') describe(title, { timeout: 60_000 }, body);
  else describe.skip(`${title} (there is no redis-server on PATH)`, body);
}

function hasRedis(): boolean {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.some((folder) => isExecutable(join(folder, 'redis-server')));
}
