import type { ProcessSignals } from './run-gateway.ts';

function nextStop(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, resolve);
  });
}

function listenToHangups(): ProcessSignals['onHangup'] {
  let missed = false;
  let tell = () => {
    missed = true;
  };
  process.on('SIGHUP', () => tell());
  return (listener) => {
    tell = listener;
    if (missed) listener();
  };
}

// Before the rest is even loaded, which takes a second: a signal without a listener ends the process, and is lost on one
// that runs as PID 1.
const signals: ProcessSignals = { stop: nextStop(), onHangup: listenToHangups() };
const { runGateway } = await import('./run-gateway.ts');
await runGateway(signals);
