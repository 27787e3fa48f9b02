/**
 * An answer, or the abort: for whoever does not end a wait with the signal, or not always. Work that has lost its lease
 * must not wait for an answer until another has taken over.
 * @throws the signal's reason, as soon as it is there; what comes of `answer` afterwards concerns nobody
 */
export async function orAborted<T>(answer: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  answer.catch(() => {});
  if (signal === undefined) return answer;
  signal.throwIfAborted();
  let stop = () => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    stop = () => reject(signal.reason as Error);
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([answer, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
