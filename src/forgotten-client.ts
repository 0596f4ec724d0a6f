import { badUserInput } from './errors.ts';
import { parseRecipient, type RecipientInput } from './outgoing-text.ts';

/** Whose data it is: matches whatever has this client or this phone number. At least one of them is there. */
export interface ForgottenClient {
  readonly business: string;
  readonly client: string | null;
  /** Digits with the country prefix, as in `OutgoingText`. */
  readonly clientPhone: string | null;
}

/**
 * Checks whose data is to be erased.
 *
 * @throws GatewayError BAD_USER_INPUT with one fault for each broken rule; paths start with `input`.
 */
export function parseForgottenClient(business: string, input: RecipientInput): ForgottenClient {
  const { client, clientPhone, faults } = parseRecipient(input);
  if (faults.length > 0) throw badUserInput(faults);
  return { business, client, clientPhone };
}
