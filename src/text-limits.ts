/**
 * The most characters of every text that the gateway stores or shows. Whatever lets a text in checks it against these,
 * and the cost of an answer is computed from them (`src/graphql/field-cost.ts`).
 */
export const maxCharacters = {
  /** Of a business' name, ASCII. */
  business: 64,
  /** Of Pingup's id of a message, in UTF-16 code units. Ours: its samples are digit strings of less than 20. */
  messageId: 256,
  /** WhatsApp's own limit on a text, in code points. */
  text: 4096,
  /** Of a client's id and name, in code points. Ours: Pingup documents none, and a longer one is a mistake. */
  name: 256,
  /** Digits. */
  phone: 15,
  /** Of a delay of at most ten years, in ASCII: `315360000s`. */
  delay: 10,
  /** Of a status in the provider's words, in UTF-16 code units. */
  rawStatus: 64,
  /** Of a failure's code and reason, in UTF-16 code units: they are cut. */
  failureCode: 128,
  failureReason: 1024,
  /** Of what was not understood of a callback, in UTF-16 code units: it is cut. */
  quarantineReason: 1024,
} as const;
