import { z } from 'zod';
import { httpAddress, plainHttpAddress } from './account-kinds.ts';

/**
 * The variables of OpenTelemetry that the gateway reads, by the names and rules of its specification. The exporter
 * itself reads from the process what is left: time-outs, compression and certificates (`OTEL_EXPORTER_OTLP_TIMEOUT` and
 * so on).
 */

export const samplers = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;

/** As in W3C Baggage: the values percent-encoded where they hold a comma, a blank or more than ASCII. */
function keyValues() {
  return z
    .string()
    .default('')
    .transform((value, context) => {
      const pairs = value.split(',').flatMap((pair) => (pair.trim() === '' ? [] : [parsePair(pair)]));
      if (pairs.every((pair) => pair !== undefined)) return Object.fromEntries(pairs);
      context.addIssue('key=value pairs with commas between, the values percent-encoded');
      return z.NEVER;
    });
}

function parsePair(pair: string): readonly [key: string, value: string] | undefined {
  const [, key, value] = /^\s*([^\s=]+)\s*=\s*(.*?)\s*$/.exec(pair) ?? [];
  if (key === undefined || value === undefined) return undefined;
  try {
    return [key, decodeURIComponent(value)];
  } catch {
    return undefined;
  }
}

const ratioExpected = 'a number from 0 to 1';

export const tracingVariables = {
  OTEL_EXPORTER_OTLP_ENDPOINT: httpAddress().optional(),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: plainHttpAddress().optional(),
  OTEL_EXPORTER_OTLP_HEADERS: keyValues(),
  OTEL_EXPORTER_OTLP_TRACES_HEADERS: keyValues(),
  OTEL_SERVICE_NAME: z.string().optional(),
  OTEL_RESOURCE_ATTRIBUTES: keyValues(),
  OTEL_TRACES_SAMPLER: z
    .enum(samplers, { error: `one of ${samplers.join(', ')}` })
    .default('parentbased_always_on'),
  OTEL_TRACES_SAMPLER_ARG: z
    .string()
    .regex(/^([0-9]+|[0-9]*\.[0-9]+)$/, ratioExpected)
    .transform(Number)
    .refine((value) => value <= 1, ratioExpected)
    .default(1),
};

type TracingVariables = z.output<z.ZodObject<typeof tracingVariables>>;

/** Where spans go and which are kept. */
export interface TracingConfig {
  /** Where they are POSTed as OTLP in JSON. */
  readonly url: string;
  /** For each POST; they may hold secrets. */
  readonly headers: Readonly<Record<string, string>>;
  /** What is said of this service, its name included. */
  readonly resource: Readonly<Record<string, string>>;
  readonly sampler: (typeof samplers)[number];
  /** Of the traces that begin here, for the samplers by ratio: 0 to 1. */
  readonly ratio: number;
}

/** Null: nobody wants traces. */
export function toTracing(env: TracingVariables): TracingConfig | null {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: own } = env;
  const url = own ?? (endpoint && `${endpoint}/v1/traces`);
  if (url === undefined) return null;
  const name = env.OTEL_SERVICE_NAME ?? env.OTEL_RESOURCE_ATTRIBUTES['service.name'] ?? 'pingup-gateway';
  return {
    url,
    headers: { ...env.OTEL_EXPORTER_OTLP_HEADERS, ...env.OTEL_EXPORTER_OTLP_TRACES_HEADERS },
    resource: { ...env.OTEL_RESOURCE_ATTRIBUTES, 'service.name': name },
    sampler: env.OTEL_TRACES_SAMPLER,
    ratio: env.OTEL_TRACES_SAMPLER_ARG,
  };
}
