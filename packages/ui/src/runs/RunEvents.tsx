import { listRunEvents } from '../api/generated/client.ts';
import { usePages } from '../api/use-api.ts';
import { PagedTable } from '../parts/DataTable.tsx';
import { Card } from '../parts/Page.tsx';
import { Empty } from '../parts/States.tsx';
import { Time } from '../parts/Time.tsx';

/** Everything that was recorded, as it is. */
export function RunEvents({ id }: { id: string }) {
  const events = usePages(listRunEvents, { id, limit: 200 });
  return (
    <Card flush title="Events">
      <PagedTable
        pages={events}
        none={<Empty title="Nothing was recorded yet." />}
        keyOf={(event) => event.id}
        columns={[
          { name: 'Time', isNowrap: true, className: 'small', cell: ({ at }) => <Time at={at} /> },
          { name: 'Event', isNowrap: true, className: 'mono', cell: ({ type }) => type },
          { name: 'Fields', className: 'mono anywhere', cell: ({ fields }) => JSON.stringify(fields) },
        ]}
      />
    </Card>
  );
}
