import jsonpointer from 'jsonpointer';

/** Where in an object a value may stand, in order of precedence. */
export interface Places {
  readonly pointers: readonly { get(object: object): unknown }[];
  /** For the operator: `/message_id or /data/message_id`. */
  readonly described: string;
}

/** The place that `pointer` (RFC 6901) names, or else the usual ones, at the top and then under `data`. */
export function jsonPlaces(pointer: string | null, usual: readonly string[]): Places {
  const names = pointer === null ? [...usual, ...usual.map((name) => `/data${name}`)] : [pointer];
  return { pointers: names.map((name) => jsonpointer.compile(name)), described: names.join(' or ') };
}

/** What every place that holds a readable value agrees on; undefined where none does, or two contradict each other. */
export function agreedValue<T>(object: object, places: Places, parse: (value: unknown) => T | undefined) {
  let agreed: T | undefined;
  for (const pointer of places.pointers) {
    const value = parse(pointer.get(object));
    if (value === undefined) continue;
    if (agreed !== undefined && agreed !== value) return undefined;
    agreed = value;
  }
  return agreed;
}

/** The first readable value. */
export function firstValue<T>(object: object, places: Places, parse: (value: unknown) => T | undefined) {
  for (const pointer of places.pointers) {
    const value = parse(pointer.get(object));
    if (value !== undefined) return value;
  }
  return undefined;
}
