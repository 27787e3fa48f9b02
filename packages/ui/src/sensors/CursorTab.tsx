import { Button } from '@mantine/core';
import { getRouteApi } from '@tanstack/react-router';
import { RotateCcw, Save, Zap } from 'lucide-react';
import { useState } from 'react';

import { type SensorDetail, applyCursor, setCursor } from '../api/generated/client.ts';
import { conflictOf, etag } from '../api/conflict.ts';
import { useAct } from '../api/use-api.ts';
import { DiffView } from '../editor/DiffView.tsx';
import { DocumentEditor, useMistakes } from '../editor/DocumentEditor.tsx';
import { type Json, formatJson, parseJson, same } from '../editor/json.ts';
import type { Schema } from '../editor/json-schema.ts';
import { Act } from '../parts/Act.tsx';
import { Card } from '../parts/Page.tsx';
import { Notice } from '../parts/States.tsx';
import type { Base } from './base.ts';
import { CursorConflict } from './CursorConflict.tsx';
import { CursorHistory } from './CursorHistory.tsx';
import { CursorPreview } from './CursorPreview.tsx';
import { CursorSave } from './CursorSave.tsx';
import { CursorReset } from './CursorReset.tsx';
import { Checkbox } from '../parts/fields.ts';
import { useDraft } from '../parts/use-draft.ts';
import { type Pause, usePause } from './use-pause.ts';

const route = getRouteApi('/sensors/$name');
const MAX_BYTES = 262_144;

/** The cursor as a document: edited, compared with what is stored, tried out, saved on top of the version it builds on. */
export function CursorTab({ sensor }: { sensor: SensorDetail }) {
  const { edit = 'form' } = route.useSearch();
  const navigate = route.useNavigate();
  const stored: Base = { version: sensor.cursor_version, cursor: sensor.cursor as Json };
  const [draft, setDraft, dropDraft] = useDraft(`cursor.${sensor.name}`);
  const [base, setBase] = useState<Base>(stored);
  const [dialog, setDialog] = useState<'save' | 'apply' | 'reset'>();
  const [conflict, setConflict] = useState<Base>();
  const pause = usePause(sensor, draft !== undefined);
  const save = useAct(setCursor, (cursor) => `The cursor is saved as version ${cursor.version}.`);

  // Without edits of one's own, what the sensor writes is simply shown.
  if (draft === undefined && base.version !== stored.version) setBase(stored);
  const text = draft?.text ?? formatJson(base.cursor);
  const schema = sensor.cursor_schema as Schema | undefined;
  const mistakes = useMistakes(text, schema);
  const parsed = parseJson(text);
  const edited = parsed.ok ? parsed.value : undefined;
  const isChanged = draft !== undefined && !same(edited, stored.cursor);
  const buildsOn = draft?.version ?? stored.version;
  const tooLarge = new Blob([text]).size > MAX_BYTES;
  const because = !parsed.ok
    ? 'The text is not JSON yet.'
    : tooLarge
      ? 'A cursor may have 256 KB at most.'
      : mistakes.length > 0
        ? 'The schema refuses it; see below the editor.'
        : !isChanged
          ? 'Nothing is changed.'
          : undefined;

  const apply = useAct(
    applyCursor,
    ({ version, tick }) =>
      `The cursor is saved and applied, as version ${version}: ${tick.requested === 1 ? '1 run is' : `${tick.requested} runs are`} launched.`,
  );
  const drop = () => {
    dropDraft();
    pause.end();
  };
  const write = (cursor: Json, reason: string, version: number) => {
    const outcome = {
      onSuccess: () => {
        setDialog(undefined);
        setConflict(undefined);
        drop();
      },
      onError: (error: unknown) => {
        const newer = conflictOf<Json>(error);
        if (!newer) return;
        setDialog(undefined);
        setConflict({ version: newer.version, cursor: newer.current });
      },
    };
    if (dialog === 'apply') apply.mutate({ name: sensor.name, body: { cursor, reason, if_version: version } }, outcome);
    else save.mutate({ name: sensor.name, body: { cursor, reason }, ifMatch: etag(version) }, outcome);
  };
  const writing = dialog === 'apply' ? apply : save;

  return (
    <div className="stack">
      <PauseNotice sensor={sensor} pause={pause} isEditing={draft !== undefined} />
      {draft !== undefined && buildsOn !== stored.version && !conflict && (
        <Notice tone="warn">
          <div className="row wrap">
            <span className="grow">
              Version {stored.version} was written since you began with version {buildsOn}. Your text is kept.
            </span>
            <Button size="compact-xs" variant="default" onClick={() => setConflict(stored)}>
              See both
            </Button>
          </div>
        </Notice>
      )}
      {conflict && edited !== undefined && (
        <CursorConflict
          base={base}
          mine={edited}
          theirs={conflict}
          onUse={(cursor) => {
            setBase(conflict);
            setDraft(formatJson(cursor), conflict.version);
            setConflict(undefined);
          }}
          onDiscard={() => {
            setBase(conflict);
            setConflict(undefined);
            drop();
          }}
        />
      )}
      <div className="split side">
        <div className="stack">
          <Card
            title={`Cursor, version ${stored.version}`}
            aside={
              <div className="row">
                {draft !== undefined && (
                  <Button variant="subtle" color="gray" onClick={drop}>
                    Discard edits
                  </Button>
                )}
                <Act permission="set_cursor" leftSection={<RotateCcw size={14} />} onAct={() => setDialog('reset')}>
                  Reset…
                </Act>
                <Act
                  permission="set_cursor"
                  leftSection={<Zap size={14} />}
                  because={because ?? (sensor.running_tick ? 'A tick is running: wait for it to end.' : undefined)}
                  onAct={() => setDialog('apply')}
                >
                  Save and apply…
                </Act>
                <Act
                  permission="set_cursor"
                  variant="filled"
                  leftSection={<Save size={14} />}
                  because={because}
                  onAct={() => setDialog('save')}
                >
                  Save…
                </Act>
              </div>
            }
          >
            <DocumentEditor
              text={text}
              onChange={(next) => {
                if (next === text) return;
                if (draft === undefined && pause.isWanted) pause.begin();
                setDraft(next, buildsOn);
              }}
              schema={schema}
              mode={edit}
              onMode={(mode) =>
                void navigate({ search: { tab: 'cursor', edit: mode }, replace: true, resetScroll: false })
              }
              label="cursor"
            />
          </Card>
          <CursorHistory sensor={sensor} onRestored={drop} />
        </div>
        <div className="stack">
          <Card title="Against what is stored">
            {edited === undefined ? (
              <p className="dim">Shown as soon as the text is JSON.</p>
            ) : (
              <DiffView before={stored.cursor} after={edited} />
            )}
          </Card>
          <CursorPreview name={sensor.name} cursor={edited} isValid={parsed.ok && mistakes.length === 0} />
        </div>
      </div>
      {(dialog === 'save' || dialog === 'apply') && edited !== undefined && (
        <CursorSave
          sensor={sensor}
          cursor={edited}
          buildsOn={buildsOn}
          isApplied={dialog === 'apply'}
          busy={writing.isPending}
          error={conflictOf(writing.error) ? undefined : writing.error}
          onClose={() => {
            writing.reset();
            setDialog(undefined);
          }}
          onSave={(reason) => write(edited, reason, buildsOn)}
        />
      )}
      {dialog === 'reset' && <CursorReset sensor={sensor} onClose={() => setDialog(undefined)} onDone={drop} />}
    </div>
  );
}

/** Whether the sensor may move the cursor meanwhile: by default it does not. */
function PauseNotice({ sensor, pause, isEditing }: { sensor: SensorDetail; pause: Pause; isEditing: boolean }) {
  if (sensor.status !== 'RUNNING' && !pause.isPaused) return null;
  return (
    <Notice tone={isEditing && !pause.isPaused ? 'warn' : 'busy'}>
      <div className="row wrap">
        <Checkbox
          label="Pause the sensor while editing"
          checked={pause.isWanted}
          onChange={(event) => pause.want(event.currentTarget.checked)}
        />
        <span className="dim small grow">
          {pause.isPaused
            ? 'Paused. It runs again when you save or discard your edits.'
            : isEditing
              ? 'It is running and may move the cursor while you edit.'
              : 'It is stopped with your first edit, and runs again when you save or discard.'}
        </span>
        {isEditing && !pause.isPaused && pause.isWanted && (
          <Button size="compact-xs" variant="default" onClick={() => pause.begin()}>
            Pause it now
          </Button>
        )}
        {pause.isPaused && !isEditing && (
          <Button size="compact-xs" variant="default" onClick={() => pause.end()}>
            Run it again
          </Button>
        )}
      </div>
    </Notice>
  );
}
