/** How long a connection may be silent before it is asked, and how long it may then stay silent. */
const beatMs = 300;
export const silenceMs = 1_200;

/**
 * Asks again and again whether somebody is there. A socket's own timeout would not do: it begins anew with all that is
 * written, whether or not anybody reads it. Any answer is a sign of life, since that to the question may be far behind.
 */
export function startWatchdog(ping: () => Promise<unknown>, lose: (error: Error) => void) {
  /** How many beats ago it was asked, or heard since: a beat counts once, however late this process was for it. */
  let beats: number | undefined;
  let timer: NodeJS.Timeout | undefined;

  function beat(): void {
    if (beats === undefined) ask();
    // What came while this process was busy is read first.
    else if (beats * beatMs >= silenceMs) setImmediate(loseIfSilent);
    else beats += 1;
  }

  function loseIfSilent(): void {
    if (beats !== undefined && beats * beatMs >= silenceMs)
      lose(new Error(`The server was silent for ${silenceMs} ms.`));
  }

  function ask(): void {
    beats = 0;
    ping().then(
      () => {
        beats = undefined;
      },
      () => undefined,
    );
  }

  return {
    heard: () => {
      if (beats !== undefined) beats = 0;
    },
    start: () => {
      timer = setInterval(beat, beatMs);
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
