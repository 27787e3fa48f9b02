import { TextInput } from '@mantine/core';
import { BookmarkPlus, X } from 'lucide-react';
import { useState } from 'react';

import { type RunView, deleteView, listViews, saveView } from '../api/generated/client.ts';
import { conflictOf, etag } from '../api/conflict.ts';
import { tellProblem, useAct, useApi } from '../api/use-api.ts';
import { Act } from '../parts/Act.tsx';
import { Confirm } from '../parts/Confirm.tsx';
import { Notice } from '../parts/States.tsx';
import './runs.css';

const READY: readonly (readonly [string, string])[] = [
  ['All', ''],
  ['Running', 'status:running'],
  ['Queued', 'status:queued'],
  ['Failed', 'status:failed'],
  ['Failed, last day', 'status:failed after:-24h'],
  ['By people', 'cause:api'],
  ['By sensors', 'cause:sensor'],
];

/** Queries with a name: ready-made ones, and those that people saved on the server for everyone. */
export function Views({ q, onOpen }: { q: string; onOpen: (q: string) => void }) {
  const views = useApi(listViews, {});
  const [dialog, setDialog] = useState(false);
  const saved = views.data?.items ?? [];
  const isKnown = q === '' || READY.some(([, one]) => one === q) || saved.some((one) => one.q === q);
  return (
    <div className="views" role="group" aria-label="Views">
      {READY.map(([name, one]) => (
        <Chip key={name} name={name} isOn={q === one} onOpen={() => onOpen(one)} />
      ))}
      {saved.map((view) => (
        <SavedView key={view.name} view={view} isOn={q === view.q} onOpen={() => onOpen(view.q)} />
      ))}
      {!isKnown && (
        <Act
          permission="save_view"
          variant="subtle"
          size="compact-sm"
          leftSection={<BookmarkPlus size={14} />}
          onAct={() => setDialog(true)}
        >
          Save this view…
        </Act>
      )}
      {dialog && <SaveDialog q={q} taken={saved} onClose={() => setDialog(false)} />}
    </div>
  );
}

function Chip({ name, isOn, onOpen, title }: { name: string; isOn: boolean; onOpen: () => void; title?: string }) {
  return (
    <button type="button" className="chip" aria-pressed={isOn} title={title} onClick={onOpen}>
      <bdi>{name}</bdi>
    </button>
  );
}

function SavedView({ view, isOn, onOpen }: { view: RunView; isOn: boolean; onOpen: () => void }) {
  const [isAsking, setAsking] = useState(false);
  const remove = useAct(deleteView, () => `The view “${view.name}” is removed.`);
  return (
    <span className="view">
      <Chip name={view.name} isOn={isOn} onOpen={onOpen} title={`${view.q || 'all runs'}; saved by ${view.by}`} />
      {isOn && (
        <button
          type="button"
          className="chip"
          aria-label={`Remove the view ${view.name}`}
          onClick={() => setAsking(true)}
        >
          <X size={12} />
        </button>
      )}
      {isAsking && (
        <Confirm
          title={`Remove the view “${view.name}”`}
          verb="Remove it for everyone"
          reason="none"
          busy={remove.isPending}
          error={remove.error}
          onClose={() => setAsking(false)}
          onConfirm={() => remove.mutate({ name: view.name, ifMatch: etag(view.version) }, { onError: tellProblem })}
        >
          <p>It was saved by {view.by} and is shown to everyone. The runs stay; links with the query go on working.</p>
        </Confirm>
      )}
    </span>
  );
}

function SaveDialog({ q, taken, onClose }: { q: string; taken: readonly RunView[]; onClose: () => void }) {
  const [name, setName] = useState('');
  const save = useAct(saveView, (view) => `Saved as “${view.name}” for everyone.`);
  const newer = conflictOf<RunView | null>(save.error);
  const before = newer === undefined ? taken.find((one) => one.name === name.trim()) : (newer.current ?? undefined);
  const ifMatch = etag(newer?.version ?? before?.version ?? 0);
  return (
    <Confirm
      title="Save this view"
      verb={before ? 'Replace it' : 'Save'}
      reason="none"
      ready={name.trim() !== ''}
      busy={save.isPending}
      error={newer === undefined ? save.error : undefined}
      onClose={onClose}
      onConfirm={() => save.mutate({ name: name.trim(), body: { q }, ifMatch }, { onSuccess: onClose })}
    >
      <p>
        <code className="mono">{q}</code>
      </p>
      <TextInput
        label="Name"
        data-autofocus
        maxLength={80}
        value={name}
        onChange={(event) => {
          save.reset();
          setName(event.currentTarget.value);
        }}
      />
      {newer && <Notice tone="warn">Not saved: somebody else changed this view meanwhile.</Notice>}
      {before && (
        <p className="small">
          There is one of this name, by {before.by}: <code className="mono">{before.q}</code>
        </p>
      )}
      <p className="dim small">Everyone sees it above their runs.</p>
    </Confirm>
  );
}
