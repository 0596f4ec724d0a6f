import { expect, test } from 'vitest';
import { connect } from '../../src/store/redis-client.ts';
import { slotsOfTags, tags } from '../../src/store/redis-partitions.ts';
import { openWakes } from '../../src/store/redis-wakes.ts';
import { moveSlot } from '../support/move-slot.ts';
import { describeWithRedis } from '../support/programs.ts';
import { startRedisCluster } from '../support/redis-cluster.ts';

const access = { tls: false, username: null, password: null, database: 0 };

describeWithRedis('a channel whose slot moves away', () => {
  // node-redis then takes the server's word that a channel is gone for a part of that answer.
  test('loses its connection within seconds, although another answer was on its way', async () => {
    await using cluster = await startRedisCluster();
    const [from, to] = await cluster.primaries();
    const [tag, slot] = [tags[0], slotsOfTags[0]];
    if (!from || !to || slot === undefined) throw new Error('no primaries');
    const client = await connect(`127.0.0.1:${from.port}`, access);
    const lost = Promise.withResolvers<void>();
    using wakes = openWakes({
      connect: async () => client,
      connected: async () => undefined,
      lost: lost.resolve,
      heard: () => undefined,
      again: () => undefined,
      refused: () => undefined,
    });
    await wakes.add(`{${tag}}channel`, 0);

    const answer = client.send(['WAIT', '9', '1000']).catch(() => undefined);
    await moveSlot(cluster, slot, from, to);
    await answer;
    await expect(lost.promise).resolves.toBeUndefined();
  });
});
