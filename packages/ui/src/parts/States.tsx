import { Button, Skeleton } from '@mantine/core';
import { CircleAlert, Info, RotateCw } from 'lucide-react';
import type { ReactNode } from 'react';

import { ApiError } from '../api/operation.ts';
import { notify } from '../app/notify.ts';
import type { Tone } from './status.ts';

/** What went wrong, in the server's words, with the request's id; never only a colour or a code. */
export function ProblemNotice({ error, onRetry }: { error: unknown; onRetry?: () => unknown }) {
  const problem = error instanceof ApiError ? error.problem : undefined;
  const details = problem ? JSON.stringify(problem, null, 2) : String(error);
  return (
    <div className="notice" data-tone="bad" role="alert">
      <CircleAlert size={16} aria-hidden />
      <div className="grow stack tight">
        <strong>{problem?.title ?? 'Something went wrong in this page.'}</strong>
        <span>{problem?.detail ?? details}</span>
        {problem && problem.errors && problem.errors.length > 0 && (
          <ul style={{ margin: 0, paddingLeft: 18 }}>
            {problem.errors.map((one) => (
              <li key={`${one.path}${one.message}`}>
                <code className="mono">{one.path}</code> {one.message}
              </li>
            ))}
          </ul>
        )}
        <div className="row wrap small">
          {problem && <code className="mono dim">{problem.code}</code>}
          {problem?.request_id && <span className="dim">request {problem.request_id}</span>}
          <Button
            variant="default"
            size="compact-xs"
            onClick={() => void navigator.clipboard?.writeText(details).then(() => notify('good', 'Details copied.'))}
          >
            Copy details
          </Button>
          {onRetry && (
            <Button variant="default" size="compact-xs" leftSection={<RotateCw size={12} />} onClick={() => onRetry()}>
              Try again
            </Button>
          )}
        </div>
      </div>
    </div>
  );
}

export function Notice({ tone = 'busy', children }: { tone?: Tone; children: ReactNode }) {
  return (
    <div className="notice" data-tone={tone}>
      <Info size={16} aria-hidden />
      <div className="grow">{children}</div>
    </div>
  );
}

/** Says why there is nothing, and what to do about it. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <strong>{title}</strong>
      {children}
    </div>
  );
}

export function Loading({ lines = 6 }: { lines?: number }) {
  return (
    <div className="stack tight" style={{ padding: 12 }} role="status" aria-label="Loading">
      {Array.from({ length: lines }, (_, i) => (
        <Skeleton key={i} height={22} radius="sm" />
      ))}
    </div>
  );
}

interface Answer<T> {
  readonly data: T | undefined;
  readonly error: unknown;
  refetch(): unknown;
}

/** The three states of a read: what it gave, what went wrong, or the shape of what is coming. */
export function Read<T>({ of, lines, children }: { of: Answer<T>; lines?: number; children: (value: T) => ReactNode }) {
  if (of.data !== undefined) return <>{children(of.data)}</>;
  if (of.error) return <ProblemNotice error={of.error} onRetry={() => of.refetch()} />;
  return <Loading {...(lines === undefined ? {} : { lines })} />;
}
