/**
 * Calls made in one turn of the event loop, done as one: what costs a script its start and both sides their system
 * calls is paid once. Measured: a third of Redis's time for a stream of empty runs.
 */

/**
 * @param work does all items of a batch and gives one result each, in order; when it throws, every call of the batch does
 * @param keyOf items with different keys never share a batch
 */
export function coalesce<I, O>(
  maxBatch: number,
  work: (items: readonly I[]) => Promise<readonly O[]>,
  keyOf: (item: I) => string = () => '',
): (item: I) => Promise<O> {
  interface Call {
    readonly item: I;
    readonly resolve: (value: O) => void;
    readonly reject: (error: unknown) => void;
  }
  let waiting = new Map<string, Call[]>();

  const flush = () => {
    const batches = [...waiting.values()];
    waiting = new Map();
    for (const calls of batches)
      for (let i = 0; i < calls.length; i += maxBatch) void send(calls.slice(i, i + maxBatch));
  };
  const send = async (calls: readonly Call[]) => {
    try {
      const results = await work(calls.map((call) => call.item));
      calls.forEach((call, i) => call.resolve(results[i] as O));
    } catch (error) {
      for (const call of calls) call.reject(error);
    }
  };

  return (item) =>
    new Promise<O>((resolve, reject) => {
      if (waiting.size === 0) setImmediate(flush);
      const key = keyOf(item);
      const calls = waiting.get(key);
      if (calls) calls.push({ item, resolve, reject });
      else waiting.set(key, [{ item, resolve, reject }]);
    });
}
