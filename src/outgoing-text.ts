import { hash } from 'node:crypto';
import { badUserInput, type InputFault } from './errors.ts';

/** A text that passed every check and may be sent. At least one of `client` and `clientPhone` is there. */
export interface OutgoingText {
  readonly client: string | null;
  /** 7 to 15 digits with the country prefix, nothing else. */
  readonly clientPhone: string | null;
  readonly clientName: string | null;
  /** 1 to 4096 Unicode characters (code points). */
  readonly textMessage: string;
  /** A positive whole number and a unit of w, d, h, m, s. */
  readonly delay: string | null;
}

/** The same as a caller gives it: nothing is checked yet, and what is absent may be null or left out. */
export interface TextInput {
  readonly client?: string | null | undefined;
  readonly clientPhone?: string | null | undefined;
  readonly clientName?: string | null | undefined;
  readonly textMessage: string;
  readonly delay?: string | null | undefined;
}

/** A text to send, and the key that makes its repeat safe: nothing is checked yet. */
export interface SendInput extends TextInput {
  readonly idempotencyKey?: string | null | undefined;
}

/** The same once every check has passed. */
export interface CheckedSend {
  readonly text: OutgoingText;
  /** 1 to 255 visible ASCII characters. */
  readonly idempotencyKey: string | null;
}

/** WhatsApp's own bound on a text. */
const maxTextCharacters = 4096;
/** Ours: Pingup documents none, and an identifier or a name longer than this is a mistake. */
const maxNameCharacters = 256;

const secondsByUnit: Readonly<Record<string, number>> = { w: 604_800, d: 86_400, h: 3_600, m: 60, s: 1 };
/** A delay that ends later than this is a typing error, and soon no valid date. */
const maxDelaySeconds = 10 * 365 * 86_400;

/**
 * Checks a send before anything leaves.
 *
 * @throws GatewayError BAD_USER_INPUT with one fault for each broken rule; paths start with `input`.
 */
export function parseSend(input: SendInput): CheckedSend {
  const client = input.client ?? null;
  const clientName = input.clientName ?? null;
  const delay = input.delay ?? null;
  const clientPhone = input.clientPhone == null ? null : stripPhone(input.clientPhone);
  const idempotencyKey = input.idempotencyKey ?? null;

  const faults = [
    ...recipientFaults(client, clientPhone),
    ...(client === null ? [] : nameFaults('client', client)),
    ...(clientName === null ? [] : nameFaults('clientName', clientName)),
    ...textFaults(input.textMessage),
    ...(delay === null || delayInSeconds(delay) !== undefined ? [] : [delayFault]),
    ...(idempotencyKey === null || /^[\x21-\x7e]{1,255}$/.test(idempotencyKey) ? [] : [keyFault]),
  ];
  if (faults.length > 0) throw badUserInput(faults);
  return { text: { client, clientPhone, clientName, textMessage: input.textMessage, delay }, idempotencyKey };
}

/** SHA-256 over a checked text, in hexadecimal: two ways to write the same phone number make the same send. */
export function fingerprintOf({ client, clientPhone, clientName, textMessage, delay }: OutgoingText): string {
  return hash('sha256', JSON.stringify([client, clientPhone, clientName, textMessage, delay]));
}

/** The length of a delay such as `2d` in seconds, or undefined where it is none. */
export function delayInSeconds(delay: string): number | undefined {
  const [, count, unit] = /^([1-9][0-9]*)([wdhms])$/.exec(delay) ?? [];
  if (count === undefined || unit === undefined) return undefined;
  const seconds = Number(count) * (secondsByUnit[unit] ?? Number.NaN);
  return seconds <= maxDelaySeconds ? seconds : undefined;
}

const delayFault: InputFault = {
  path: ['input', 'delay'],
  expected: 'a positive whole number with a unit of w, d, h, m or s, such as "2d", and at most ten years',
};

const keyFault: InputFault = {
  path: ['input', 'idempotencyKey'],
  expected: '1 to 255 visible ASCII characters, without blanks',
};

function recipientFaults(client: string | null, clientPhone: string | null): InputFault[] {
  if (client === null && clientPhone === null)
    return [{ path: ['input'], expected: 'client or clientPhone, to say whom the message is for' }];
  if (clientPhone === null || /^[0-9]{7,15}$/.test(clientPhone)) return [];
  const expected = '7 to 15 digits with the country prefix, such as "+39 312 123 4567"';
  return [{ path: ['input', 'clientPhone'], expected }];
}

function nameFaults(field: string, value: string): InputFault[] {
  if (value.trim() !== '' && characters(value) <= maxNameCharacters && value.isWellFormed()) return [];
  const expected = `1 to ${maxNameCharacters} characters of well-formed Unicode, not all of them blank`;
  return [{ path: ['input', field], expected }];
}

function textFaults(text: string): InputFault[] {
  const path = ['input', 'textMessage'];
  const length = characters(text);
  const faults: InputFault[] = [];
  if (length < 1 || length > maxTextCharacters)
    faults.push({ path, expected: `1 to ${maxTextCharacters} characters, not ${length}` });
  if (!text.isWellFormed())
    faults.push({ path, expected: 'well-formed Unicode, without half of a surrogate pair' });
  return faults;
}

/** Takes separators and a leading `+` or `00` away; changes no digit. */
function stripPhone(phone: string): string {
  return phone.replaceAll(/[\s().\-\u2010-\u2015/]/g, '').replace(/^(\+|00)/, '');
}

function characters(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}
