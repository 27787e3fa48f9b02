import { Button } from '@mantine/core';
import { useMemo } from 'react';

import { DiffView } from '../editor/DiffView.tsx';
import { merge } from '../editor/diff.ts';
import { type Json, formatPath } from '../editor/json.ts';
import { Card } from '../parts/Page.tsx';
import type { Base } from './base.ts';

export interface CursorConflictProps {
  readonly base: Base;
  readonly mine: Json;
  readonly theirs: Base;
  /** Goes on editing with this cursor, on top of theirs. */
  readonly onUse: (cursor: Json) => void;
  readonly onDiscard: () => void;
}

/** Two wrote the same cursor: both changes side by side, and what to make of them. Nothing is lost until chosen. */
export function CursorConflict({ base, mine, theirs, onUse, onDiscard }: CursorConflictProps) {
  const { merged, conflicts } = useMemo(() => merge(base.cursor, mine, theirs.cursor), [base, mine, theirs]);
  return (
    <Card title={`Not saved: version ${theirs.version} was written meanwhile`}>
      <div className="stack">
        <div className="split">
          <div className="stack tight">
            <h3 className="small">What you changed since version {base.version}</h3>
            <DiffView before={base.cursor} after={mine} />
          </div>
          <div className="stack tight">
            <h3 className="small">What version {theirs.version} changed</h3>
            <DiffView before={base.cursor} after={theirs.cursor} />
          </div>
        </div>
        <p className="small">
          {conflicts.length === 0
            ? 'The changes touch different fields: merging keeps both.'
            : `Both changed ${conflicts.map(({ path }) => formatPath(path)).join(', ')}: merging keeps yours there, and theirs everywhere else.`}
        </p>
        <div className="row wrap">
          <Button onClick={() => onUse(merged)}>Merge, then look again</Button>
          <Button variant="default" onClick={() => onUse(mine)}>
            Overwrite with mine
          </Button>
          <Button variant="default" onClick={onDiscard}>
            Discard mine
          </Button>
        </div>
      </div>
    </Card>
  );
}
