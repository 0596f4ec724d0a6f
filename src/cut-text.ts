/** Characters of an error's message, and of whatever else an error or the log quotes of what a caller sent. */
const maxQuotedCharacters = 256;

/** A text of at most `max` characters: what is longer ends in an ellipsis. */
export function cutText(text: string, max = maxQuotedCharacters): string {
  return text.length <= max ? text : `${text.slice(0, max - 1).toWellFormed()}…`;
}
