/** Loaded into the servers of the benchmarks: SIGUSR2 collects the garbage, and says what is left on the heap. */
process.on('SIGUSR2', () => {
  globalThis.gc?.();
  const { heapUsed } = process.memoryUsage();
  process.stdout.write(`${JSON.stringify({ heapUsed })}\n`);
});
