/** Moves this process's wall clock, as a wrong NTP server or a suspended machine does. The monotonic clock stays. */

const RealDate = Date;

export function skewClock(byMs: number): void {
  if (byMs === 0) {
    globalThis.Date = RealDate;
    return;
  }
  globalThis.Date = class extends RealDate {
    constructor(...args: [] | [number | string | Date]) {
      if (args.length === 0) super(RealDate.now() + byMs);
      else super(...(args as [number]));
    }
    static override now(): number {
      return RealDate.now() + byMs;
    }
  } as DateConstructor;
}
