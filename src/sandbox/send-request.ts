import { delayInSeconds } from '../outgoing-text.ts';

/** The body of a `POST /messages` that Pingup would accept. At least one of `client` and the phone was given. */
export interface SendRequest {
  readonly client: string | null;
  /** 0 without a delay. */
  readonly delaySeconds: number;
  /** Where this message's callbacks go; null: where the sandbox sends them all. */
  readonly callbackUrl: string | null;
}

/** What is wrong with a request, with the HTTP status to refuse it with. Its message is for the caller. */
export type Refusal = Error & { readonly statusCode: number };

export function refusal(statusCode: number, message: string): Refusal {
  return Object.assign(new Error(message), { statusCode });
}

/**
 * Checks a parsed body by Pingup's page on the call, and by WhatsApp's bound on a text.
 *
 * @throws Refusal 400 with the first rule that it breaks.
 */
export function parseSendRequest(json: unknown): SendRequest {
  if (!isSendBody(json)) throw refusal(400, 'the body must be a JSON object');
  const broken = Object.entries(rules).find(([, holds]) => !holds(json));
  if (broken) throw refusal(400, broken[0]);
  return {
    client: textOrNull(json.client),
    delaySeconds: delayInSeconds(textOrNull(json.delay) ?? '') ?? 0,
    callbackUrl: textOrNull(json.callback_url),
  };
}

type Field =
  | 'message_type'
  | 'client'
  | 'client_phone'
  | 'client_name'
  | 'text_message'
  | 'delay'
  | 'callback_url';
type Body = { readonly [field in Field]?: unknown };

/** What must be, and whether it is. The delay's bound of ten years is ours: Pingup documents none. */
const rules: Readonly<Record<string, (body: Body) => boolean>> = {
  'message_type must be "text": the sandbox sends nothing else': (body) => body.message_type === 'text',
  'client or client_phone is required': (body) =>
    body.client !== undefined || body.client_phone !== undefined,
  'client must be a text of at least one character': (body) => optional(body.client, /./su),
  'client_phone must be digits with the country prefix': (body) => optional(body.client_phone, /^[0-9 ]+$/),
  'client_name must be a text': (body) => optional(body.client_name, /^/),
  'text_message must be a text of 1 to 4096 characters': (body) =>
    body.text_message !== undefined && optional(body.text_message, /^.{1,4096}$/su),
  'delay must be a positive whole number with a unit of w, d, h, m or s': (body) =>
    body.delay === undefined || delayInSeconds(textOrNull(body.delay) ?? '') !== undefined,
  'callback_url must be an http or https URL': (body) =>
    body.callback_url === undefined || isHttpUrl(body.callback_url),
};

export function isHttpUrl(value: unknown): value is string {
  return typeof value === 'string' && /^https?:$/.test(URL.parse(value)?.protocol ?? '');
}

function optional(value: unknown, pattern: RegExp): boolean {
  return value === undefined || (typeof value === 'string' && pattern.test(value));
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

/** Whether it is a JSON object, whose fields may still be anything. */
export function isSendBody(value: unknown): value is Body {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
