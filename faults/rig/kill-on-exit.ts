/**
 * Kills these processes if this one exits before it is disposed of: nothing that a run started outlives it.
 *
 * @param pids of those that run by then.
 */
export function killOnExit(pids: () => readonly (number | undefined)[]): Disposable {
  function killAll(): void {
    for (const pid of pids()) if (pid) kill(pid);
  }
  process.on('exit', killAll);
  return { [Symbol.dispose]: () => void process.off('exit', killAll) };
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}
