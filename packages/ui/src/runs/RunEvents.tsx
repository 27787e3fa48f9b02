import { listRunEvents } from '../api/generated/client.ts';
import { usePages } from '../api/use-api.ts';
import { More } from '../parts/More.tsx';
import { Card } from '../parts/Page.tsx';
import { Empty, Read } from '../parts/States.tsx';
import { Time } from '../parts/Time.tsx';

/** Everything that was recorded, as it is. */
export function RunEvents({ id }: { id: string }) {
  const events = usePages(listRunEvents, { id, limit: 200 });
  return (
    <Card flush title="Events">
      <Read of={events}>
        {() =>
          events.items.length === 0 ? (
            <Empty title="Nothing was recorded yet." />
          ) : (
            <div className="table-wrap">
              <table className="table">
                <thead>
                  <tr>
                    <th>Time</th>
                    <th>Event</th>
                    <th>Fields</th>
                  </tr>
                </thead>
                <tbody>
                  {events.items.map((event) => (
                    <tr key={event.id}>
                      <td className="nowrap small">
                        <Time at={event.at} />
                      </td>
                      <td className="mono nowrap">{event.type}</td>
                      <td className="mono" style={{ overflowWrap: 'anywhere' }}>
                        {JSON.stringify(event.fields)}
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )
        }
      </Read>
      <More of={events} />
    </Card>
  );
}
