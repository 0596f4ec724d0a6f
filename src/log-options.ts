import type { LoggerOptions } from 'pino';

export interface LogOptions {
  readonly level: string;
  /** What no line may hold wherever it came from: callback tokens, API keys. Asked for each line. */
  readonly secrets: () => readonly string[];
}

/**
 * How the gateway logs: JSON lines that hold no secret, no text and no phone number, by three means.
 *
 * - Of an error: its type, code, message, stack and causes. Its other properties can hold a request's bytes, and so can
 *   the message of an error that quotes what it could not read.
 * - Fields that are named like something private are left out, at the top of a line and one level down.
 * - The secrets themselves are struck out of each finished line.
 */
export function logOptions({ level, secrets }: LogOptions): LoggerOptions {
  const strikeOut = createStriker();
  return {
    level,
    serializers: { err: describeError },
    redact: { paths: privateFields.flatMap((name) => [name, `*.${name}`]), remove: true },
    hooks: { streamWrite: (line) => strikeOut(line, secrets()) },
  };
}

const privateFields = [
  'apiKey',
  'authorization',
  'body',
  'clientName',
  'clientPhone',
  'cookie',
  'details',
  'headers',
  'password',
  'raw',
  'secret',
  'textMessage',
  'token',
  'variables',
];

interface LoggedError {
  readonly type: string;
  readonly code?: string | number;
  readonly message: string;
  readonly stack: string;
  readonly cause?: LoggedError;
}

/** Errors of a parser, whose message repeats what it could not read. */
const quoting: ReadonlySet<string> = new Set(['SyntaxError', 'GraphQLError', 'HTTPParserError', 'URIError']);
const maxCauses = 5;

function describeError(error: unknown, depth = 0): LoggedError {
  if (!(error instanceof Error)) return { type: typeof error, message: 'no Error was thrown', stack: '' };
  return {
    type: error.name,
    ...codeOf(error),
    message: quoting.has(error.name) ? 'not shown: it would quote what was read' : error.message,
    stack: framesOf(error),
    ...(error.cause !== undefined && depth < maxCauses && { cause: describeError(error.cause, depth + 1) }),
  };
}

function codeOf(error: Error): { readonly code?: string | number } {
  const code = 'code' in error ? error.code : undefined;
  return typeof code === 'string' || typeof code === 'number' ? { code } : {};
}

/** Where it happened, without the message that stands above it. */
function framesOf({ stack = '' }: Error): string {
  const frames = stack.split('\n').filter((line) => /^ {4}at /.test(line));
  return frames.map((line) => line.trim()).join('\n');
}

/** A shorter one would strike out half of the log. */
const minSecretCharacters = 8;

/** Strikes secrets out of lines. How they may be spelt is worked out once for each list of them. */
function createStriker(): (line: string, secrets: readonly string[]) => string {
  let known: readonly string[] = [];
  let spellings: readonly string[] = [];
  return (line, secrets) => {
    if (!isSame(secrets, known)) spellings = spellingsOf(secrets);
    known = secrets;
    return spellings.reduce((rest, spelling) => rest.replaceAll(spelling, '[secret]'), line);
  };
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((secret, index) => secret === b[index]);
}

/** The longest first: one secret may begin with another. */
function spellingsOf(secrets: readonly string[]): readonly string[] {
  const spellings = secrets
    .filter((secret) => secret.length >= minSecretCharacters)
    .flatMap((secret) => [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)]);
  return [...new Set(spellings)].sort((a, b) => b.length - a.length);
}
