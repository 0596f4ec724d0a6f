/** Clients come back from it after a pause, as they do not from 1008 or 4429. */
export const tryAgainLater = 1013;
/** Clients come back from it too, with a fresh token where they have one, as they do not from 4401. */
export const forbidden = 4403;
/** Clients do not come back from it: what they sent breaks the protocol. */
export const badRequest = 4400;
