/** Takes a place for a key, and returns how to give it back; undefined when the key has as many as it may. */
export type TakePlace = (key: string) => (() => void) | undefined;

/** Counts places by key. Only keys that have some cost memory. */
export function createPlaces(perKey: number): TakePlace {
  const taken = new Map<string, number>();

  function giveBack(key: string): void {
    const count = (taken.get(key) ?? 0) - 1;
    if (count > 0) taken.set(key, count);
    else taken.delete(key);
  }

  return (key) => {
    const count = taken.get(key) ?? 0;
    if (count >= perKey) return undefined;
    taken.set(key, count + 1);
    return () => giveBack(key);
  };
}
