import { Button, type ButtonProps, Tooltip } from '@mantine/core';
import type { ReactNode } from 'react';

import { useAllowed } from '../app/access.ts';

export interface ActProps extends ButtonProps {
  readonly permission?: string;
  /** Why it cannot be done now; undefined when it can. */
  readonly because?: string | undefined;
  readonly onAct: () => void;
  readonly children: ReactNode;
}

/** A button that stays visible when it must not be used, and then says why on hover and focus. */
export function Act({ permission = 'read', because, onAct, children, ...rest }: ActProps) {
  const { allowed, reason } = useAllowed(permission);
  const why = allowed ? because : reason;
  // The button is the same one whether it may be used or not, so that it keeps the focus when that changes.
  return (
    <Tooltip label={why ?? ''} disabled={why === undefined}>
      <Button
        variant="default"
        {...rest}
        {...(why === undefined ? {} : { 'data-disabled': true })}
        aria-disabled={why !== undefined}
        onClick={() => {
          if (why === undefined) onAct();
        }}
      >
        {children}
      </Button>
    </Tooltip>
  );
}
