import { TextInput } from '@mantine/core';
import { BookmarkPlus, Trash2 } from 'lucide-react';
import { useState } from 'react';

import { type Preset, deletePreset, savePreset } from '../api/generated/client.ts';
import { conflictOf, etag } from '../api/conflict.ts';
import { useAct } from '../api/use-api.ts';
import { DiffView } from '../editor/DiffView.tsx';
import type { Json, JsonObject } from '../editor/json.ts';
import { Act } from '../parts/Act.tsx';
import { Confirm } from '../parts/Confirm.tsx';
import { Notice } from '../parts/States.tsx';
import { Select } from '../parts/fields.ts';

export interface PresetsProps {
  readonly job: string;
  readonly presets: readonly Preset[];
  readonly chosen: Preset | undefined;
  /** What would be saved; undefined while it is no object. */
  readonly config: JsonObject | undefined;
  readonly onChoose: (preset: Preset | undefined) => void;
}

/** Configs with a name, kept on the server for everyone who launches this job. */
export function Presets({ job, presets, chosen, config, onChoose }: PresetsProps) {
  const [dialog, setDialog] = useState<'save' | 'remove'>();
  const close = () => setDialog(undefined);
  return (
    <div className="row wrap">
      <Select
        aria-label="Preset"
        placeholder={presets.length === 0 ? 'No preset yet' : 'Start from a preset…'}
        w={230}
        clearable
        disabled={presets.length === 0}
        data={presets.map(({ name }) => name)}
        value={chosen?.name ?? null}
        onChange={(name) => onChoose(presets.find((one) => one.name === name))}
      />
      <Act
        permission="save_preset"
        variant="subtle"
        leftSection={<BookmarkPlus size={14} />}
        because={config === undefined ? 'The config is not a JSON object yet.' : undefined}
        onAct={() => setDialog('save')}
      >
        Save as preset…
      </Act>
      {chosen && (
        <Act
          permission="save_preset"
          variant="subtle"
          color="gray"
          leftSection={<Trash2 size={14} />}
          onAct={() => setDialog('remove')}
        >
          Remove…
        </Act>
      )}
      {chosen && (
        <span className="dim small">
          {chosen.description || 'No description.'} Saved by {chosen.by}.
        </span>
      )}
      {dialog === 'save' && config !== undefined && (
        <SaveDialog job={job} presets={presets} chosen={chosen} config={config} onClose={close} onSaved={onChoose} />
      )}
      {dialog === 'remove' && chosen && (
        <RemoveDialog preset={chosen} onClose={close} onRemoved={() => onChoose(undefined)} />
      )}
    </div>
  );
}

interface SaveProps {
  readonly job: string;
  readonly presets: readonly Preset[];
  readonly chosen: Preset | undefined;
  readonly config: JsonObject;
  readonly onClose: () => void;
  readonly onSaved: (preset: Preset) => void;
}

function SaveDialog({ job, presets, chosen, config, onClose, onSaved }: SaveProps) {
  const [name, setName] = useState(chosen?.name ?? '');
  const [description, setDescription] = useState(chosen?.description ?? '');
  const save = useAct(savePreset, (preset) => `Saved as “${preset.name}”.`);
  const newer = conflictOf<Preset | null>(save.error);
  const before = newer === undefined ? presets.find((one) => one.name === name.trim()) : (newer.current ?? undefined);
  const ifMatch = etag(newer?.version ?? before?.version ?? 0);
  return (
    <Confirm
      title={`Save a preset of ${job}`}
      verb={before ? 'Replace it' : 'Save'}
      reason="none"
      ready={name.trim() !== ''}
      busy={save.isPending}
      error={newer === undefined ? save.error : undefined}
      onClose={onClose}
      onConfirm={() =>
        save.mutate(
          { name: job, preset: name.trim(), body: { config, description }, ifMatch },
          {
            onSuccess: (preset) => {
              onSaved(preset);
              onClose();
            },
          },
        )
      }
    >
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
      <TextInput
        label="What it is for"
        maxLength={300}
        value={description}
        onChange={(event) => setDescription(event.currentTarget.value)}
      />
      {newer && (
        <Notice tone="warn">
          Not saved: {before ? `${before.by} saved “${before.name}”` : 'somebody removed it'} meanwhile. This is yours
          against what is there now.
        </Notice>
      )}
      <DiffView before={(before?.config ?? {}) as Json} after={config} same="The same as it is now." />
      <p className="dim small">Everyone who launches this job sees it: no secrets, only references to them.</p>
    </Confirm>
  );
}

function RemoveDialog({ preset, onClose, onRemoved }: { preset: Preset; onClose: () => void; onRemoved: () => void }) {
  const remove = useAct(deletePreset, () => `The preset “${preset.name}” is removed.`);
  return (
    <Confirm
      title={`Remove the preset “${preset.name}”`}
      verb="Remove it for everyone"
      dangerous
      reason="none"
      busy={remove.isPending}
      error={remove.error}
      onClose={onClose}
      onConfirm={() =>
        remove.mutate(
          { name: preset.job, preset: preset.name, ifMatch: etag(preset.version) },
          {
            onSuccess: () => {
              onRemoved();
              onClose();
            },
          },
        )
      }
    >
      <p>Runs that were launched with it stay as they are. Your edits stay on the page.</p>
    </Confirm>
  );
}
