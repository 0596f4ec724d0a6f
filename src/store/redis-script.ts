import { hash } from 'node:crypto';

/** A Lua script, which the server runs as one step. It is known there by the hash of its text, so two releases never mix theirs up. */
export interface Script {
  readonly source: string;
  readonly sha1: string;
  /** Whether it may run where other servers than the primary are asked, and changes nothing. */
  readonly readOnly: boolean;
}

/**
 * - `write`: refused before it begins while the server's memory is full;
 * - `free`: makes room, so it runs then too;
 * - `read`: changes nothing.
 */
export type ScriptKind = 'write' | 'free' | 'read';

const flags: Readonly<Record<ScriptKind, string>> = {
  write: '',
  free: 'allow-oom',
  read: 'no-writes',
};

/** @param parts Lua chunks, each of which may use what those before it define. */
export function createScript(kind: ScriptKind, ...parts: readonly string[]): Script {
  const source = `#!lua flags=${flags[kind]}\n${parts.join('\n')}`;
  return { source, sha1: hash('sha1', source), readOnly: kind === 'read' };
}

/**
 * What every script begins with. `fields` takes a line apart; `lines` a record, whose first line it gives as fields.
 * It stops at a record that a newer release wrote, before anything was written.
 */
export const readRecord = String.raw`
local function fields(line)
  local found = {}
  for field in string.gmatch(line .. '\t', '([^\t]*)\t') do found[#found + 1] = field end
  return found
end

local function lines(record)
  local found = {}
  for line in string.gmatch(record, '[^\n]+') do found[#found + 1] = line end
  local header = fields(table.remove(found, 1))
  return header, found
end

local function is_newer(record)
  return string.sub(record, 1, 2) ~= '1\t'
end

local newer = redis.error_reply('NEWER a newer release wrote a record of this partition, which was left as it is')
`;
