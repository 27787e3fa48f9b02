import { Button, type ButtonProps, Loader, Tooltip } from '@mantine/core';
import type { ReactNode } from 'react';

import { useAllowed } from '../app/access.ts';

export interface ActProps extends ButtonProps {
  readonly permission?: string;
  /** Why it cannot be done now; undefined when it can. */
  readonly because?: string | undefined;
  /** Nothing for a `submit`: its form acts. */
  readonly onAct?: () => void;
  readonly type?: 'button' | 'submit';
  readonly children: ReactNode;
}

/** A button that stays visible when it must not be used, and then says why on hover and focus. */
export function Act({ permission = 'read', because, onAct, loading, leftSection, children, ...rest }: ActProps) {
  const { allowed, reason } = useAllowed(permission);
  const why = allowed ? because : reason;
  // The same button whether it may be used, may not, or is at work, never one that is `disabled`: a browser takes the
  // focus from that, and who works by keyboard would begin again at the top of the page.
  return (
    <Tooltip label={why ?? ''} disabled={why === undefined}>
      <Button
        variant="default"
        {...rest}
        {...(why === undefined ? {} : { 'data-disabled': true })}
        aria-disabled={why !== undefined}
        aria-busy={loading === true}
        leftSection={loading ? <Loader size={12} color="currentColor" /> : leftSection}
        onClick={() => {
          if (why === undefined && !loading) onAct?.();
        }}
      >
        {children}
      </Button>
    </Tooltip>
  );
}
