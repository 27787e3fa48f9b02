import { useComputedColorScheme } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { useEffect, useRef } from 'react';
import UPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

import type { Overview } from '../api/generated/client.ts';
import { useClock } from '../app/preferences.ts';
import { formatTime } from '../parts/time.ts';

const HEIGHT_PX = 176;
const SERIES = [
  ['canceled', '--calm-fill'],
  ['failure', '--bad-fill'],
  ['success', '--good-fill'],
] as const;

/** Stacked bars, an hour each; a table beside it says the same to those who do not see it. */
export function HourBars({ hours }: { hours: Overview['hours'] }) {
  const { ref, width } = useElementSize();
  const host = useRef<HTMLDivElement>(null);
  const scheme = useComputedColorScheme('light');
  const clock = useClock();

  useEffect(() => {
    if (!host.current || width === 0) return;
    const style = getComputedStyle(document.documentElement);
    const of = (name: string) => style.getPropertyValue(name).trim();
    const axis = {
      stroke: of('--dim'),
      grid: { stroke: of('--line-soft'), width: 1 },
      ticks: { show: false },
      font: '11px system-ui, sans-serif',
    };
    const stacked = SERIES.map((_, i) => hours.map((hour) => SERIES.slice(i).reduce((n, [name]) => n + hour[name], 0)));
    const plot = new UPlot(
      {
        width,
        height: HEIGHT_PX,
        legend: { show: false },
        cursor: { show: false },
        tzDate: (seconds) => {
          const at = new Date(seconds * 1_000);
          return clock === 'local' ? at : UPlot.tzDate(at, clock === 'utc' ? 'Etc/UTC' : clock);
        },
        axes: [
          { ...axis, size: 26, values: (_, splits) => splits.map((at) => formatTime(at * 1_000, clock).slice(11, 16)) },
          { ...axis, size: 44 },
        ],
        scales: { x: { time: true }, y: { range: (_, __, max) => [0, Math.max(max, 4)] } },
        series: [
          {},
          ...SERIES.map(([name, colour]) => ({
            label: name,
            fill: of(colour),
            stroke: of(colour),
            width: 0,
            points: { show: false },
            paths: UPlot.paths.bars?.({ size: [0.72, 40], radius: 0.12 }) ?? null,
          })),
        ] as UPlot.Series[],
      },
      [hours.map((hour) => Date.parse(hour.at) / 1_000), ...stacked] as UPlot.AlignedData,
      host.current,
    );
    return () => plot.destroy();
  }, [hours, width, scheme, clock]);

  return (
    <div ref={ref}>
      <div ref={host} aria-hidden style={{ minHeight: HEIGHT_PX }} />
      <table className="visually-hidden">
        <caption>Runs that ended, by the hour</caption>
        <tbody>
          {hours
            .filter((hour) => hour.success + hour.failure + hour.canceled > 0)
            .map((hour) => (
              <tr key={hour.at}>
                <th scope="row">{hour.at}</th>
                <td>
                  {hour.success} succeeded, {hour.failure} failed, {hour.canceled} cancelled
                </td>
              </tr>
            ))}
        </tbody>
      </table>
    </div>
  );
}
