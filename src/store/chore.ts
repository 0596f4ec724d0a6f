/** Does `chore` at once, and every `everyMs` milliseconds until it is disposed of. A failure goes to `failed`. */
export function startChore(
  chore: () => Promise<void>,
  everyMs: number,
  failed: (error: unknown) => void,
): Disposable {
  let disposed = false;
  const run = () => void chore().catch((error) => disposed || failed(error));
  run();
  const timer = setInterval(run, everyMs);
  return {
    [Symbol.dispose]() {
      disposed = true;
      clearInterval(timer);
    },
  };
}
