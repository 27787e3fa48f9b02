import { Link } from '@tanstack/react-router';
import { AndMore } from '../parts/AndMore.tsx';

const SHOWN = 20;

/** Runs by the ends of their ids. */
export function RunLinks({ ids }: { ids: readonly string[] }) {
  if (ids.length === 0) return <span className="dim">nothing</span>;
  return (
    <span className="row wrap">
      {ids.slice(0, SHOWN).map((id) => (
        <Link key={id} to="/runs/$id" params={{ id }} className="mono" title={id}>
          {id.slice(-8)}
        </Link>
      ))}
      <AndMore of={ids.length} shown={SHOWN} />
    </span>
  );
}
