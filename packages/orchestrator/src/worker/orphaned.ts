/** Of a child process with a channel to its parent: resolves when the parent is gone, also when it went before anybody listened. */
export function untilOrphaned(): Promise<void> {
  return new Promise((resolve) => {
    process.once('disconnect', resolve);
    if (!process.connected) resolve();
  });
}
