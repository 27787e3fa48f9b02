import { Button, Popover } from '@mantine/core';
import { Columns3 } from 'lucide-react';

import { Checkbox } from '../parts/fields.ts';
import { COLUMNS, type ColumnName, USUAL, columnOf } from './columns.tsx';

interface ColumnChooserProps {
  readonly shown: readonly ColumnName[];
  /** Undefined for the usual ones. */
  readonly onChange: (shown: readonly ColumnName[] | undefined) => void;
}

/** Which columns the table has; the run itself always stays. */
export function ColumnChooser({ shown, onChange }: ColumnChooserProps) {
  const toggle = (name: ColumnName) => {
    const next = COLUMNS.filter((one) => (one === name ? !shown.includes(one) : shown.includes(one)));
    onChange(next.join() === USUAL.join() ? undefined : next);
  };
  return (
    <Popover position="bottom-end" trapFocus returnFocus transitionProps={{ duration: 0 }}>
      <Popover.Target>
        <Button variant="default" leftSection={<Columns3 size={14} />}>
          Columns
        </Button>
      </Popover.Target>
      <Popover.Dropdown aria-label="Columns">
        <div className="stack tight">
          {COLUMNS.map((name) => (
            <Checkbox
              key={name}
              label={columnOf(name, false).name}
              checked={shown.includes(name)}
              disabled={name === 'run'}
              onChange={() => toggle(name)}
            />
          ))}
          <Button variant="subtle" size="compact-xs" onClick={() => onChange(undefined)}>
            As usual
          </Button>
        </div>
      </Popover.Dropdown>
    </Popover>
  );
}

/** Out of an address; undefined when it names none. */
export function columnsOf(text: string | undefined): readonly ColumnName[] | undefined {
  const names = text?.split(',') ?? [];
  const known = COLUMNS.filter((name) => name === 'run' || names.includes(name));
  return known.length > 1 ? known : undefined;
}
