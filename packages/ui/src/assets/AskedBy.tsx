import { Link } from '@tanstack/react-router';

/** Of a list of facts: what asks for an asset by itself. */
export function AskedBy({
  of,
}: {
  of: { readonly sensors: readonly string[]; readonly schedules: readonly string[] };
}) {
  return (
    <>
      <dt>Sensors</dt>
      <dd>
        {of.sensors.length === 0 && 'none'}
        {of.sensors.map((name) => (
          <div key={name}>
            <Link to="/sensors/$name" params={{ name }}>
              {name}
            </Link>
          </div>
        ))}
      </dd>
      <dt>Schedules</dt>
      <dd>{of.schedules.join(', ') || 'none'}</dd>
    </>
  );
}
