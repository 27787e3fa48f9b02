import type { Json } from './json.ts';
import { differences, noteOf } from './diff.ts';
import { formatPath } from './json.ts';
import './editor.css';

const SHOWN = 200;

/** What changes from one document to another, a line a field. */
export function DiffView({
  before,
  after,
  same = 'Nothing differs.',
}: {
  before: Json | undefined;
  after: Json | undefined;
  same?: string;
}) {
  const all = differences(before, after);
  if (all.length === 0) return <p className="dim small">{same}</p>;
  return (
    <div className="diff" role="list" aria-label="Changes">
      {all.slice(0, SHOWN).map((one) => (
        <div role="listitem" className="diff-line" key={formatPath(one.path)}>
          <bdi className="diff-path">{formatPath(one.path)}</bdi>
          {one.before !== undefined && <del>{short(one.before)}</del>}
          {one.after !== undefined && <ins>{short(one.after)}</ins>}
          {noteOf(one) && <span className="diff-note">{noteOf(one)}</span>}
        </div>
      ))}
      {all.length > SHOWN && <p className="dim small">and {all.length - SHOWN} more</p>}
    </div>
  );
}

const MAX_SHOWN = 160;

function short(value: Json): string {
  const text = JSON.stringify(value);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}
