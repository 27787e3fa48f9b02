import { Button, TextInput, Textarea } from '@mantine/core';
import { type ReactNode, useState } from 'react';

import { Dialog } from './Dialog.tsx';
import { Act } from './Act.tsx';
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
  const because =
    props.ready === false
      ? 'Something above is not right yet.'
      : wanted === 'required' && reason.trim() === ''
        ? 'Give a reason first.'
        : props.typed !== undefined && typed !== props.typed
          ? `Type ${props.typed} first.`
          : undefined;
  const confirm = () => {
    if (because === undefined && !props.busy) props.onConfirm(reason.trim());
  };
  return (
    <Dialog onClose={props.onClose} title={props.title}>
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
          <Act
            type="submit"
            variant="filled"
            color={props.dangerous ? 'red' : 'blue'}
            loading={props.busy}
            because={because}
          >
            {props.verb}
          </Act>
        </div>
      </form>
    </Dialog>
  );
}
