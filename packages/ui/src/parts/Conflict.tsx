import { Button } from '@mantine/core';

import { Notice } from './States.tsx';

export interface ConflictProps {
  /** Of each field: what was typed here, and what is there by now. */
  readonly fields: readonly { readonly name: string; readonly mine: string; readonly theirs: string }[];
  readonly busy: boolean;
  readonly onOverwrite: () => void;
  readonly onDiscard: () => void;
}

/** Two changed the same thing: what each wants. Nothing is lost until one of them is chosen. */
export function Conflict({ fields, busy, onOverwrite, onDiscard }: ConflictProps) {
  return (
    <Notice tone="warn">
      <div className="stack tight" role="group" aria-label="Two changes at once">
        <span className="small">Not changed: somebody else changed it while you did.</span>
        <table className="table small">
          <thead>
            <tr>
              <th />
              <th className="end">Yours</th>
              <th className="end">By now</th>
            </tr>
          </thead>
          <tbody>
            {fields.map(({ name, mine, theirs }) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td className="end">{mine}</td>
                <td className="end">{theirs}</td>
              </tr>
            ))}
          </tbody>
        </table>
        <div className="row wrap">
          <Button size="compact-xs" variant="default" loading={busy} onClick={onOverwrite}>
            Overwrite with mine
          </Button>
          <Button size="compact-xs" variant="default" onClick={onDiscard}>
            Discard mine
          </Button>
        </div>
      </div>
    </Notice>
  );
}
