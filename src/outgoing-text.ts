import { hash } from 'node:crypto';
import { badUserInput, type InputFault } from './errors.ts';
import { maxCharacters } from './text-limits.ts';

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

/** What is kept of a text. `textMessage` is null where texts are not kept; all of it is, once its client was forgotten. */
export type KeptText = Omit<OutgoingText, 'textMessage'> & { readonly textMessage: string | null };

/** Whom a text is for, as a caller gives it: nothing is checked yet, and what is absent may be null or left out. */
export interface RecipientInput {
  readonly client?: string | null | undefined;
  readonly clientPhone?: string | null | undefined;
}

/** A text as a caller gives it. */
export interface TextInput extends RecipientInput {
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

const secondsByUnit: Readonly<Record<string, number>> = { w: 604_800, d: 86_400, h: 3_600, m: 60, s: 1 };
/** A delay that ends later than this is a typing error, and soon no valid date. */
const maxDelaySeconds = 10 * 365 * 86_400;

/**
 * Checks a send before anything leaves.
 *
 * @throws GatewayError BAD_USER_INPUT with one fault for each broken rule; paths start with `input`.
 */
export function parseSend(input: SendInput): CheckedSend {
  const { client, clientPhone, faults: recipientFaults } = parseRecipient(input);
  const clientName = input.clientName ?? null;
  const delay = input.delay ?? null;
  const idempotencyKey = input.idempotencyKey ?? null;

  const faults = [
    ...recipientFaults,
    ...(clientName === null ? [] : nameFaults('clientName', clientName)),
    ...textFaults(input.textMessage),
    ...(delay === null || delayInSeconds(delay) !== undefined ? [] : [delayFault]),
    ...(idempotencyKey === null || /^[\x21-\x7e]{1,255}$/.test(idempotencyKey) ? [] : [keyFault]),
  ];
  if (faults.length > 0) throw badUserInput(faults);
  return { text: { client, clientPhone, clientName, textMessage: input.textMessage, delay }, idempotencyKey };
}

/** At least one of the two is there where there are no faults. */
export interface Recipient extends Pick<OutgoingText, 'client' | 'clientPhone'> {
  /** One for each broken rule; paths start with `input`. */
  readonly faults: readonly InputFault[];
}

export function parseRecipient(input: RecipientInput): Recipient {
  const client = input.client ?? null;
  const clientPhone = input.clientPhone == null ? null : stripPhone(input.clientPhone);
  const faults = [
    ...(client === null && clientPhone === null ? [recipientFault] : []),
    ...(clientPhone === null || /^[0-9]{7,15}$/.test(clientPhone) ? [] : [phoneFault]),
    ...(client === null ? [] : nameFaults('client', client)),
  ];
  return { client, clientPhone, faults };
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

const recipientFault: InputFault = {
  path: ['input'],
  expected: 'client or clientPhone, to say whom it is about',
};

const phoneFault: InputFault = {
  path: ['input', 'clientPhone'],
  expected: '7 to 15 digits with the country prefix, such as "+39 312 123 4567"',
};

function nameFaults(field: string, value: string): InputFault[] {
  if (value.trim() !== '' && characters(value) <= maxCharacters.name && value.isWellFormed()) return [];
  const expected = `1 to ${maxCharacters.name} characters of well-formed Unicode, not all of them blank`;
  return [{ path: ['input', field], expected }];
}

function textFaults(text: string): InputFault[] {
  const path = ['input', 'textMessage'];
  const length = characters(text);
  const faults: InputFault[] = [];
  if (length < 1 || length > maxCharacters.text)
    faults.push({ path, expected: `1 to ${maxCharacters.text} characters, not ${length}` });
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
