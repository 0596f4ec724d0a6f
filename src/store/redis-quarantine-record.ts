import type { KeptCallback } from './port.ts';
import { textOfKeyPart } from './redis-keys.ts';
import { checkVersion } from './redis-record.ts';

/**
 * How Redis keeps a callback that was not understood, in the manner of `redis-message-record.ts`:
 *
 *     1 <business> <times> <receivedAt> <lastReceivedAt> <stamp>
 *     W <reason>
 *     B <body>
 *
 * @returns undefined where it is not the one with this id, but another that came after that was released.
 */
export function decodeCallback(id: string, record: string): KeptCallback | undefined {
  const [header = '', ...lines] = record.split('\n');
  const [version, business = '', times, receivedAt, lastReceivedAt, stamp = ''] = header.split('\t');
  checkVersion(version);
  if (!id.startsWith(stamp)) return undefined;
  const raw = textOfLine(lines, 'B');
  return {
    id,
    business: textOfKeyPart(business),
    raw,
    rawLength: raw.length,
    reason: textOfLine(lines, 'W'),
    times: Number(times),
    receivedAt: Number(receivedAt),
    lastReceivedAt: Number(lastReceivedAt),
  };
}

function textOfLine(lines: readonly string[], kind: string): string {
  const line = lines.find((candidate) => candidate.startsWith(`${kind}\t`));
  return JSON.parse(line?.split('\t')[1] ?? '""');
}
