/**
 * Every value that a request gives a header, in their order. Of some headers, `Authorization` among them, Node's
 * `headers` holds the first value and hides the others.
 *
 * @param rawHeaders names and values in turn, as they came.
 * @param name in lower case.
 */
export function headerValues(rawHeaders: readonly string[], name: string): string[] {
  return rawHeaders.filter((_value, at) => {
    const named = at % 2 === 1 ? rawHeaders[at - 1] : undefined;
    return named?.length === name.length && named.toLowerCase() === name;
  });
}
