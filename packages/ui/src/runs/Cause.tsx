import { Link } from '@tanstack/react-router';

/** Who or what asked for a run, with the way there. */
export function Cause({ of }: { of: string }) {
  const [kind = '', name = '', ...tick] = of.split(':');
  switch (kind) {
    case 'sensor':
      return (
        <Link to="/sensors/$name" params={{ name }} search={tick.length > 0 ? { tick: tick.join(':') } : {}}>
          {name}
        </Link>
      );
    case 'schedule':
      return (
        <Link to="/schedules" search={{ name }}>
          {name}
        </Link>
      );
    case 'backfill':
      return (
        <Link to="/backfills/$id" params={{ id: name }}>
          backfill {name.slice(-8)}
        </Link>
      );
    case 'retry':
      return (
        <Link to="/runs/$id" params={{ id: name }}>
          retry of {name.slice(-8)}
        </Link>
      );
    default:
      return <span>{of}</span>;
  }
}
