import {
  closeSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { createPrivateFile } from './private-file.ts';

/** A state of the database that writes were acknowledged on: the database has it or a later one, or has lost them. */
export interface Generation {
  /** A random name of the database, so that another one is not taken for it. */
  readonly database: string;
  readonly number: number;
}

/** The file that says which generation was last acknowledged. It belongs to the owner file. */
export interface GenerationRecord {
  /** Durable when it returns. It needs no space on the disk, so a full one does not stop it. */
  write(generation: Generation): void;
  close(): void;
}

/** Each generation goes to the slot of the one before the last, so that a write that was cut off loses nothing. */
const slots = 2;
/** Characters, all ASCII; a sector of a disk, which most write as a whole. */
const slotLength = 512;

export function openRecord(path: string): GenerationRecord {
  const file = recordFileOf(path);
  createPrivateFile(file);
  const descriptor = openSync(file, 'r+');
  if (fstatSync(descriptor).size < slots * slotLength) writeSync(descriptor, ' '.repeat(slots * slotLength));
  syncDirectory(dirname(file));
  return {
    write: ({ database, number }) => {
      const slot = JSON.stringify({ database, number }).padEnd(slotLength);
      writeSync(descriptor, slot, (number % slots) * slotLength);
      fdatasyncSync(descriptor);
    },
    close: () => closeSync(descriptor),
  };
}

/** Undefined: nothing is known, as after a clean stop. */
export function readRecord(path: string): Generation | undefined {
  const text = readIfThere(recordFileOf(path));
  const found = [text.slice(0, slotLength), text.slice(slotLength)].flatMap((slot) => parse(slot) ?? []);
  return found.sort((a, b) => b.number - a.number)[0];
}

function parse(slot: string): Generation | undefined {
  try {
    const { database, number } = JSON.parse(slot);
    return typeof database === 'string' && Number.isSafeInteger(number) ? { database, number } : undefined;
  } catch {
    return undefined;
  }
}

export function recordFileOf(path: string): string {
  return `${path}-owner-generation`;
}

export function removeRecord(path: string): void {
  rmSync(recordFileOf(path), { force: true });
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
}

function syncDirectory(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
