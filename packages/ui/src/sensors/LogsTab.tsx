import { getRouteApi } from '@tanstack/react-router';

import { listTicks } from '../api/generated/client.ts';
import { usePages } from '../api/use-api.ts';
import { given } from '../app/search.ts';
import { More } from '../parts/More.tsx';
import { Card } from '../parts/Page.tsx';
import { Read } from '../parts/States.tsx';
import { TickLines } from './TickLines.tsx';

const route = getRouteApi('/sensors/$name');
const LEVELS = ['info', 'warn', 'error'] as const;

/** What the sensor's code logged, tick by tick, newest first. */
export function LogsTab({ name }: { name: string }) {
  const { level } = route.useSearch();
  const navigate = route.useNavigate();
  const ticks = usePages(listTicks, { name, limit: 50 });
  const least = LEVELS.findIndex((one) => one === level);
  const shown = ticks.items.map((tick) => ({
    ...tick,
    log: tick.log.filter((line) => least < 0 || LEVELS.findIndex((one) => one === line.level) >= least),
  }));
  return (
    <Card
      title="What its code logged"
      aside={LEVELS.map((one) => (
        <button
          key={one}
          type="button"
          className="chip"
          aria-pressed={level === one}
          onClick={() =>
            void navigate({
              search: given({ tab: 'logs' as const, level: level === one ? undefined : one }),
              replace: true,
            })
          }
        >
          {one} and worse
        </button>
      ))}
    >
      <Read of={ticks}>
        {() => (
          <TickLines
            ticks={shown}
            none={
              level
                ? `No line at ${level} or worse in the ticks read so far.`
                : 'None of the ticks read so far logged anything.'
            }
          />
        )}
      </Read>
      <More of={ticks} />
    </Card>
  );
}
