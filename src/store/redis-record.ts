/** The version of the records that this release writes, and the only one it reads. */
const version = '1';

/** @throws Error where a newer release wrote the record, in a way that this one cannot read. */
export function checkVersion(found: string | undefined): void {
  if (found === version) return;
  throw new Error(
    `A record in Redis has version ${found}, and this gateway knows version ${version} only: a newer release wrote it. It was left as it is.`,
  );
}
