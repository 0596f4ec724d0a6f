import { expect, test } from 'vitest';
import { parseConfig } from '../src/config.ts';
import { startOtelTracing } from '../src/otel-tracing.ts';
import type { NewSpan } from '../src/tracing.ts';
import { startCollector } from './support/collector.ts';

const ids = '0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331';

interface Line {
  readonly message: string;
}

/** Traces as a gateway with these variables keeps them. What it logs is pushed to `lines`. */
function startTracing(env: Readonly<Record<string, string>>, lines: Line[] = []) {
  const { tracing } = parseConfig(env);
  if (!tracing) throw new Error('no endpoint');
  const note = (...[first, second]: readonly unknown[]) => {
    lines.push({ message: String(second ?? first) });
  };
  return startOtelTracing(tracing, { info: note, warn: note });
}

function newSpan(span: Partial<NewSpan> = {}): NewSpan {
  return { name: 'a', kind: 'internal', parent: undefined, attributes: {}, ...span };
}

test('a span carries its name, kind, attributes, link and parent to the collector', async () => {
  await using collector = await startCollector();
  {
    await using tracing = startTracing(collector.env);
    const request = tracing.start(newSpan({ kind: 'server', parent: `00-${ids}-01` }));
    const call = tracing.start(newSpan({ kind: 'client', parent: request.traceparent }));
    const other = tracing.start(newSpan({ attributes: { first: 'one' } }));
    other.link(call.traceparent);
    request.rename('b');
    other.set({ second: 2, third: true });
    other.end('BAD_USER_INPUT');
    call.end();
    request.end();
  }
  const [other, call, request] = collector.spans();
  const [, traceId, spanId] = /^(.*)-(.*)$/.exec(ids) ?? [];
  expect(request).toMatchObject({ name: 'b', kind: 'server', traceId, parentId: spanId, remoteParent: true });
  expect(call).toMatchObject({
    kind: 'client',
    traceId,
    parentId: request?.spanId,
    remoteParent: false,
    failed: false,
  });
  expect(other).toMatchObject({
    kind: 'internal',
    parentId: undefined,
    attributes: { first: 'one', second: 2, third: true, 'error.type': 'BAD_USER_INPUT' },
    failed: true,
    links: [call?.spanId],
  });
  expect(other?.traceId).not.toBe(traceId);
});

test('the span that is exported is the one that was handed on', async () => {
  await using collector = await startCollector();
  let traceparent = '';
  {
    await using tracing = startTracing(collector.env);
    const span = tracing.start(newSpan());
    traceparent = span.traceparent;
    span.end();
  }
  const [span] = collector.spans();
  expect(traceparent).toBe(`00-${span?.traceId}-${span?.spanId}-01`);
});

test.each([
  ['', ['root', 'sampled']],
  ['always_on', ['root', 'sampled', 'unsampled']],
  ['always_off', []],
  ['traceidratio', []],
  ['parentbased_always_on', ['root', 'sampled']],
  ['parentbased_always_off', ['sampled']],
  ['parentbased_traceidratio', ['sampled']],
])('the sampler %j at a ratio of 0 keeps %j', async (sampler, kept) => {
  await using collector = await startCollector();
  {
    const env = { OTEL_TRACES_SAMPLER: sampler, OTEL_TRACES_SAMPLER_ARG: '0', ...collector.env };
    await using tracing = startTracing(env);
    for (const [name, parent] of Object.entries({
      root: undefined,
      sampled: `00-${ids}-01`,
      unsampled: `00-${ids}-00`,
    })) {
      const span = tracing.start(newSpan({ name, kind: 'server', parent }));
      expect([span.sampled, span.traceparent.slice(-2)]).toEqual(
        kept.includes(name) ? [true, '01'] : [false, '00'],
      );
      const part = tracing.start(newSpan({ name, parent: span.traceparent }));
      expect(part.sampled).toBe(span.sampled);
      part.end();
      span.end();
    }
  }
  expect(collector.spans().map(({ name }) => name)).toEqual(kept.flatMap((name) => [name, name]));
});

test('the service has a name of its own, which the variables can change', async () => {
  await using collector = await startCollector();
  async function resourceWith(env: Readonly<Record<string, string>>) {
    {
      await using tracing = startTracing({ ...collector.env, ...env });
      tracing.start(newSpan()).end();
    }
    return collector.resource();
  }
  expect(await resourceWith({})).toMatchObject({ 'service.name': 'pingup-gateway' });
  const OTEL_RESOURCE_ATTRIBUTES = 'service.name=by-attributes,deployment.environment.name=the%20one';
  expect(await resourceWith({ OTEL_RESOURCE_ATTRIBUTES })).toMatchObject({
    'service.name': 'by-attributes',
    'deployment.environment.name': 'the one',
  });
  expect(await resourceWith({ OTEL_RESOURCE_ATTRIBUTES, OTEL_SERVICE_NAME: 'by-name' })).toMatchObject({
    'service.name': 'by-name',
  });
});

test('spans go to /v1/traces of the endpoint, or to their own as it is, with the headers', async () => {
  await using collector = await startCollector();
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint } = collector.env;
  const OTEL_EXPORTER_OTLP_HEADERS = 'authorization=Bearer%20one,x-team=a';
  for (const env of [
    { ...collector.env, OTEL_EXPORTER_OTLP_HEADERS },
    {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${endpoint}/own/`,
      OTEL_EXPORTER_OTLP_HEADERS,
      OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'authorization=Bearer%20two',
    },
  ]) {
    await using tracing = startTracing(env);
    tracing.start(newSpan()).end();
  }
  const [first = '', second = ''] = collector.received().split('\n');
  expect(first).toMatch(/^\/v1\/traces .*"authorization":"Bearer one"/);
  expect(first).toContain('"x-team":"a"');
  expect(second).toMatch(/^\/own\/ .*"authorization":"Bearer two"/);
});

test('a collector that refuses is told of once, and once when it takes spans again', async () => {
  const lines: Line[] = [];
  let status = 400;
  await using collector = await startCollector(() => status);
  await using tracing = startTracing(collector.env, lines);
  /** As many as leave at once. */
  const fill = () => {
    for (let count = 0; count < 512; count += 1) tracing.start(newSpan()).end();
  };
  for (const expected of [1, 2]) {
    fill();
    await expect.poll(() => collector.exports).toBe(expected);
  }
  await expect.poll(() => lines).toEqual([{ message: 'traces cannot be exported, and are dropped' }]);
  status = 200;
  fill();
  await expect.poll(() => lines.at(-1)?.message).toBe('traces are exported again');
  expect(lines).toHaveLength(2);
});

test('a collector that hangs: 10,000 spans are begun and ended at once, and the end takes 2 s', async () => {
  const answer = Promise.withResolvers<number>();
  await using collector = await startCollector(() => answer.promise);
  const tracing = startTracing(collector.env);
  for (let count = 0; count < 10_000; count += 1) tracing.start(newSpan()).end();
  await expect.poll(() => collector.exports).toBe(1);
  const began = performance.now();
  await tracing[Symbol.asyncDispose]();
  expect(performance.now() - began).toBeGreaterThan(1_500);
  // What waited is bounded, and what was too much is gone.
  expect(collector.spans().length).toBeLessThanOrEqual(2_048 + 512);
  answer.resolve(200);
});

test('an attribute that somebody else chose ends at 256 characters', async () => {
  await using collector = await startCollector();
  {
    await using tracing = startTracing(collector.env);
    tracing.start(newSpan({ attributes: { long: 'x'.repeat(100_000) } })).end();
  }
  expect(collector.spans()[0]?.attributes['long']).toHaveLength(256);
});
