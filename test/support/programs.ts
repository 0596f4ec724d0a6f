import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type TestOptions, test } from 'vitest';

/** The path of a program on the PATH, if it is there. */
export function findProgram(name: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

/** A test that needs a program on the PATH. Without it the test is skipped and says so, but not in CI, where it fails. */
export function testWith(
  program: string,
  title: string,
  options: TestOptions,
  body: () => Promise<void>,
): void {
  if (isExpected(program)) test(title, options, body);
  else test.skip(`${title} (there is no ${program} on PATH)`, options, body);
}

function isExpected(program: string): boolean {
  return findProgram(program) !== undefined || process.env['CI'] === 'true';
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
