/**
 * The places of the keys that an object of a JSON text has twice, of which JSON.parse keeps the last without a word:
 * `acme.apiKey`. The text must be JSON.
 */
export function duplicateKeys(text: string): string[] {
  const duplicates: string[] = [];
  const open: OpenValue[] = [];
  for (const [token, key] of text.matchAll(tokens)) {
    if (token === '{' || token === '[') open.push({ keys: new Set(), key: undefined });
    else if (token === '}' || token === ']') open.pop();
    else if (key !== undefined) enter(JSON.parse(key));
  }

  function enter(name: string): void {
    const object = open.at(-1);
    if (!object) return;
    object.key = name;
    if (object.keys.has(name)) duplicates.push(open.flatMap(({ key }) => key ?? []).join('.'));
    object.keys.add(name);
  }

  return duplicates;
}

/** An object that has not ended yet, or an array, which has no keys. */
interface OpenValue {
  readonly keys: Set<string>;
  /** The last one, in whose value the text is. */
  key: string | undefined;
}

/** Brackets, keys with their colon, and other strings, which are to be stepped over. */
const tokens = /[{}[\]]|("(?:[^"\\]|\\.)*")\s*:|"(?:[^"\\]|\\.)*"/g;
