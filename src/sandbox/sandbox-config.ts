import { isHttpUrl } from './send-request.ts';

/** What `npm run sandbox` can be told. */
export interface SandboxConfig {
  readonly port: number;
  readonly business: string;
  readonly apiKey: string;
  /** A gateway's address for callbacks; its last segment is the gateway's callback token. */
  readonly callbackUrl: string;
  readonly stepMs: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the `SANDBOX_` variables; empty ones count as absent.
 *
 * @throws Error that names every fault, one a line.
 */
export function parseSandboxConfig(environment: Environment): SandboxConfig {
  const wanted = { ...defaults, ...given(environment) };
  const values = {
    ...wanted,
    SANDBOX_CALLBACK_URL: wanted.SANDBOX_CALLBACK_URL || addressFor(wanted.SANDBOX_BUSINESS),
  };
  const faults = Object.entries(values).flatMap(([name, value]) => faultOf(name, value));
  if (faults.length > 0) throw new Error(faults.join('\n'));
  return {
    port: Number(values.SANDBOX_PORT),
    business: values.SANDBOX_BUSINESS,
    apiKey: values.SANDBOX_API_KEY,
    callbackUrl: values.SANDBOX_CALLBACK_URL,
    stepMs: Number(values.SANDBOX_STEP_MS),
  };
}

const defaults = {
  SANDBOX_PORT: '4010',
  SANDBOX_BUSINESS: 'sandbox',
  SANDBOX_API_KEY: 'sandbox-key',
  SANDBOX_CALLBACK_URL: '',
  SANDBOX_STEP_MS: '2000',
};

/** The callback address of a gateway on its defaults, but for a token that it is then to be given. */
function addressFor(business: string): string {
  return `http://127.0.0.1:4000/callbacks/pingup/${business}/token-of-a-sandbox-alone`;
}

interface Rule {
  readonly expected: string;
  readonly holds: (value: string) => boolean;
}

const rules: Readonly<Record<keyof typeof defaults, Rule>> = {
  SANDBOX_PORT: { expected: 'a port, 0 to 65535 (0: a free one)', holds: wholeNumber(65_535) },
  SANDBOX_BUSINESS: {
    expected: 'letters, digits, ".", "_" or "-"',
    holds: (value) => /^[\w.-]+$/.test(value) && !/^\.+$/.test(value),
  },
  SANDBOX_API_KEY: {
    expected: 'printable ASCII without blanks',
    holds: (value) => /^[\x21-\x7e]+$/.test(value),
  },
  SANDBOX_CALLBACK_URL: {
    expected: 'an http or https URL',
    holds: isHttpUrl,
  },
  SANDBOX_STEP_MS: { expected: 'milliseconds, 0 to 3600000', holds: wholeNumber(3_600_000) },
};

const ruleByName: ReadonlyMap<string, Rule> = new Map(Object.entries(rules));

function faultOf(name: string, value: string): string[] {
  const rule = ruleByName.get(name);
  if (!rule) return [`${name} is not known. The variables are ${[...ruleByName.keys()].join(', ')}.`];
  return rule.holds(value) ? [] : [`${name} must be ${rule.expected}.`];
}

function wholeNumber(max: number): (value: string) => boolean {
  return (value) => /^[0-9]{1,9}$/.test(value) && Number(value) <= max;
}

function given(environment: Environment): Record<string, string> {
  const entries = Object.entries(environment).flatMap(([name, value]) =>
    name.startsWith('SANDBOX_') && value ? [[name, value] as const] : [],
  );
  return Object.fromEntries(entries);
}
