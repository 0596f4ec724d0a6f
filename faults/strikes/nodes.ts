import type { Fault } from '../fault.ts';
import type { Rig } from '../rig/rig.ts';

/** A node is gone without a word. What was under way on it is not answered; its clients come back elsewhere. */
export const killNode: Fault<Rig> = {
  name: 'kill -9 a node',
  promise: 'its clients come back elsewhere',
  costs: ['sockets', 'lost answers', 'unknown sends'],
  async strike({ rig, allRight }) {
    await rig.nodes.end(0, 'SIGKILL');
    await allRight();
    await rig.nodes.start(0);
    return 'killed; started again once all was right without it';
  },
};

/** Every node is replaced by a new one, one after the other. */
export const rollingRestart: Fault<Rig> = {
  name: 'rolling restart of all nodes',
  promise: 'each ends with 0, and nothing is refused for good',
  costs: ['sockets', 'refusals', 'lost answers'],
  async strike({ rig, allRight }) {
    let longestMs = 0;
    for (const index of rig.nodes.urls().keys()) {
      const begun = performance.now();
      const [code, signal] = await rig.nodes.end(index, 'SIGTERM');
      longestMs = Math.max(longestMs, performance.now() - begun);
      if (code !== 0) throw new Error(`a node that was told to stop ended with ${code ?? signal}`);
      await rig.nodes.start(index);
      await allRight();
    }
    return `each drained and ended with 0 within ${(longestMs / 1000).toFixed(1)} s`;
  },
};

/** The only node there is, killed and started again. */
export const killOnlyNode: Fault<Rig> = {
  name: 'kill -9 the only node',
  promise: 'its clients come back to the next one',
  costs: ['sockets', 'lost answers', 'unknown sends', 'refusals'],
  async strike({ rig, scale, outage, manyTimes }) {
    // `test/crash.test.ts` does it more often.
    const times = Math.ceil(scale.times / 4);
    await manyTimes(times, () =>
      outage(async () => {
        await rig.nodes.end(0, 'SIGKILL');
        await rig.nodes.start(0);
      }),
    );
    return `killed and started again ${times} times`;
  },
};

/** The only node there is, told to stop and started again. */
export const restartOnlyNode: Fault<Rig> = {
  name: 'restart the only node',
  promise: 'it ends with 0, and its clients come back to the next one',
  costs: ['sockets', 'refusals', 'lost answers'],
  async strike({ rig, outage }) {
    const [code, signal] = await outage(async () => {
      const ended = await rig.nodes.end(0, 'SIGTERM');
      await rig.nodes.start(0);
      return ended;
    });
    if (code !== 0) throw new Error(`a node that was told to stop ended with ${code ?? signal}`);
    return 'drained, ended with 0, and started again';
  },
};
