import type { preParsingHookHandler } from 'fastify';

/** Of a header that libraries parse in time quadratic in its length. What a browser sends has less than 200. */
const maxHeaderCharacters = 1_024;

/** A hook for before a request's header is parsed: `statusCode` for one that is too long. */
export function limitHeader(name: 'accept' | 'content-type', statusCode: number): preParsingHookHandler {
  const message = `The header ${name} may have at most ${maxHeaderCharacters} characters.`;
  return ({ headers }, _reply, payload, done) => {
    const isTooLong = (headers[name]?.length ?? 0) > maxHeaderCharacters;
    done(isTooLong ? Object.assign(new Error(message), { statusCode }) : null, payload);
  };
}
