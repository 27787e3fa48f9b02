/** Times and durations as words. Pure; the zone is the caller's. */

/** Whose zone times are shown in: `utc`, `local`, or the name of one, such as `Europe/Berlin`. */
export type Clock = string;

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string | undefined, withMs: boolean): Intl.DateTimeFormat {
  const key = `${zone ?? ''}|${withMs}`;
  let format = formats.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat('sv-SE', {
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      ...(withMs ? { fractionalSecondDigits: 3 as const } : {}),
      ...(zone === undefined ? {} : { timeZone: zone }),
    });
    formats.set(key, format);
  }
  return format;
}

/** `2026-11-24 19:34:46`, with `Z` for UTC. */
export function formatTime(at: string | number, clock: Clock, withMs = false): string {
  const text = formatOf(clock === 'utc' ? 'UTC' : clock === 'local' ? undefined : clock, withMs)
    .format(new Date(at))
    .replace(',', '.');
  return clock === 'utc' ? `${text}Z` : text;
}

/** `3 min ago`, `in 12 s`. */
export function formatRelative(at: string | number, now: number): string {
  const ms = new Date(at).getTime() - now;
  const text = formatDuration(Math.abs(ms), true);
  if (Math.abs(ms) < SECOND) return 'now';
  return ms < 0 ? `${text} ago` : `in ${text}`;
}

/** `850 ms`, `2.4 s`, `3 min 20 s`, `5 h 2 min`, `3 d 4 h`; `rough` gives the first unit only. */
export function formatDuration(ms: number, rough = false): string {
  if (ms < SECOND) return `${Math.round(ms)} ms`;
  if (ms < MINUTE) return rough ? `${Math.floor(ms / SECOND)} s` : `${Number((ms / SECOND).toFixed(1))} s`;
  if (ms < HOUR) return two(ms, MINUTE, 'min', SECOND, 's', rough);
  if (ms < DAY) return two(ms, HOUR, 'h', MINUTE, 'min', rough);
  return two(ms, DAY, 'd', HOUR, 'h', rough);
}

function two(ms: number, big: number, bigName: string, small: number, smallName: string, rough: boolean): string {
  const rest = Math.floor((ms % big) / small);
  return rough || rest === 0
    ? `${Math.floor(ms / big)} ${bigName}`
    : `${Math.floor(ms / big)} ${bigName} ${rest} ${smallName}`;
}
