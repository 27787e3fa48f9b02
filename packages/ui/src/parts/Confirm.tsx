import { Button, Modal, TextInput, Textarea } from '@mantine/core';
import { type ReactNode, useState } from 'react';

import { ProblemNotice } from './States.tsx';

export interface ConfirmProps {
  readonly title: string;
  /** What will come of it. */
  readonly children: ReactNode;
  readonly verb: string;
  readonly dangerous?: boolean;
  readonly reason?: 'required' | 'optional' | 'none';
  /** A word to be typed first, for what cannot be undone. */
  readonly typed?: string | undefined;
  /** False while something in the dialog is not right yet. */
  readonly ready?: boolean;
  readonly busy: boolean;
  readonly error: unknown;
  readonly onConfirm: (reason: string) => void;
  readonly onClose: () => void;
}

/** A dangerous act shows its effect, asks for a reason, and is confirmed by mod+enter. */
export function Confirm(props: ConfirmProps) {
  const { reason: wanted = 'optional' } = props;
  const [reason, setReason] = useState('');
  const [typed, setTyped] = useState('');
  const ready =
    (props.ready ?? true) &&
    (wanted !== 'required' || reason.trim() !== '') &&
    (props.typed === undefined || typed === props.typed);
  const confirm = () => {
    if (ready && !props.busy) props.onConfirm(reason.trim());
  };
  return (
    <Modal opened onClose={props.onClose} title={props.title} centered size="lg" transitionProps={{ duration: 0 }}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          confirm();
        }}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && (event.metaKey || event.ctrlKey)) {
            event.preventDefault();
            confirm();
          }
        }}
      >
        <div className="stack tight">{props.children}</div>
        {props.typed !== undefined && (
          <TextInput
            label={`Type ${props.typed} to go on`}
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
            autoComplete="off"
          />
        )}
        {wanted !== 'none' && (
          <Textarea
            label="Reason"
            description="Kept in the audit log."
            required={wanted === 'required'}
            data-autofocus
            rows={2}
            maxLength={1_000}
            value={reason}
            onChange={(event) => setReason(event.currentTarget.value)}
          />
        )}
        {props.error ? <ProblemNotice error={props.error} /> : null}
        <div className="row" style={{ justifyContent: 'flex-end' }}>
          <Button variant="default" onClick={props.onClose}>
            Keep as it is
          </Button>
          <Button type="submit" color={props.dangerous ? 'red' : 'blue'} loading={props.busy} disabled={!ready}>
            {props.verb}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
