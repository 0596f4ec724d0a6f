/** A pause of a loop that can be cut short. */
export interface Pause {
  wait(milliseconds: number): Promise<void>;
  /** Ends the pause there is, or the next one. */
  end(): void;
}

export function createPause(): Pause {
  let ended = Promise.withResolvers<void>();
  return {
    wait: async (milliseconds) => {
      const timer = setTimeout(ended.resolve, milliseconds);
      await ended.promise;
      clearTimeout(timer);
      ended = Promise.withResolvers();
    },
    end: () => ended.resolve(),
  };
}
