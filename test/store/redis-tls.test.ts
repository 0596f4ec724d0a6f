import { writeFile } from 'node:fs/promises';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { expect, test } from 'vitest';
import { openRedisStore } from '../../src/store/redis.ts';
import { untrusted } from '../pingup/support/untrusted-certificate.ts';
import { freePort } from '../support/free-port.ts';
import { describeWithRedis } from '../support/programs.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { key, news } from './samples.ts';
import { temporaryDirectory } from './sqlite-test-store.ts';

describeWithRedis('Redis over TLS', () => {
  test('is refused while its certificate is not trusted, and is a store like any other once it is', async () => {
    await using directory = await temporaryDirectory();
    const [cert, privateKey] = [directory.file('cert.pem'), directory.file('key.pem')];
    await writeFile(cert, untrusted.cert);
    await writeFile(privateKey, untrusted.key);
    const port = await freePort();
    await using server = await startRedisServer([
      ...['--tls-port', String(port), '--tls-cert-file', cert, '--tls-key-file', privateKey],
      ...[
        '--tls-ca-cert-file',
        cert,
        '--tls-auth-clients',
        'no',
        '--requirepass',
        'hush',
        '--protected-mode',
        'no',
      ],
    ]);
    expect(server.pid).toBeGreaterThan(0);
    const url = `rediss://:hush@localhost:${port}`;
    await expect(openRedisStore({ url })).rejects.toThrow(/certificate/);
    const trusted = getCACertificates('default');
    setDefaultCACertificates([...trusted, untrusted.cert]);
    try {
      await using store = await openRedisStore({ url });
      await store.record([news('m1', 'SENT')]);
      const states = await store.watch(key('m1'));
      expect(await states?.next()).toEqual({ done: false, value: news('m1', 'SENT') });
      const address = url.replace('localhost', '127.0.0.1');
      await expect(openRedisStore({ url: address })).rejects.toThrow(/does not match certificate|altnames/);
    } finally {
      setDefaultCACertificates(trusted);
    }
  });
});
