import { Tooltip } from '@mantine/core';

import { useClock, usePageZone } from '../app/preferences.ts';
import { formatDuration, formatRelative, formatTime } from './time.ts';
import { useNow } from './use-now.ts';

/** A time: exact in the zone of the header's switch; all forms in its tooltip. */
export function Time({ at, relative = false }: { at: string | null | undefined; relative?: boolean }) {
  const clock = useClock();
  const zone = usePageZone();
  const now = useNow(relative && at ? 1_000 : 0);
  if (!at) return <span className="dim">–</span>;
  const shown = relative ? formatRelative(at, now) : formatTime(at, clock);
  const all = [
    formatTime(at, 'utc', true),
    `${formatTime(at, 'local')} local`,
    ...(zone === 'UTC' ? [] : [`${formatTime(at, zone)} ${zone}`]),
    formatRelative(at, now || Date.now()),
  ];
  return (
    <Tooltip label={all.join(' · ')}>
      <time dateTime={at} className="num">
        {shown}
      </time>
    </Tooltip>
  );
}

/** From a start to an end, or to now while it goes on. */
export function Duration({ from, to }: { from: string | null; to: string | null }) {
  const now = useNow(from !== null && to === null ? 1_000 : 0);
  if (from === null) return <span className="dim">–</span>;
  const ms = (to === null ? now : Date.parse(to)) - Date.parse(from);
  return <span className="num">{formatDuration(Math.max(0, ms))}</span>;
}
