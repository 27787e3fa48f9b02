import { Button, TextInput, Textarea } from '@mantine/core';
import { Plus, X } from 'lucide-react';
import { useState } from 'react';

import { type Json, type Path, formatPath, isObject, parseJson, valueAt, withValue } from './json.ts';
import { type Mistake, type Schema, unwrap } from './json-schema.ts';
import './editor.css';
import { Checkbox, NumberInput, Select } from '../parts/fields.ts';

export interface SchemaFormProps {
  readonly schema: Schema;
  readonly value: Json;
  readonly mistakes: readonly Mistake[];
  readonly onChange: (value: Json) => void;
}

/** A form for the simple part of a schema. Fields that it does not know stay in the document untouched. */
export function SchemaForm(props: SchemaFormProps) {
  return (
    <div className="form-fields">
      <Fields {...props} path={[]} />
    </div>
  );
}

interface FieldProps extends SchemaFormProps {
  readonly path: Path;
}

function Fields(props: FieldProps) {
  const { schema } = unwrap(props.schema);
  const names = Object.keys(schema.properties ?? {});
  if (names.length === 0) return <Field {...props} />;
  return (
    <>
      {names.map((name) => (
        <Field key={name} {...props} schema={schema.properties?.[name] ?? {}} path={[...props.path, name]} />
      ))}
    </>
  );
}

function Field(props: FieldProps) {
  const { schema: own, nullable } = unwrap(props.schema);
  const { path, onChange, value: document } = props;
  const value = valueAt(document, path);
  const set = (next: Json | undefined) => onChange(withValue(document, path, next));
  const label = String(path.at(-1) ?? 'value');
  const shown = {
    label,
    description: own.description ?? props.schema.description,
    error: props.mistakes.find((one) => formatPath(one.path) === formatPath(path))?.message,
  };
  const empty = nullable ? null : undefined;

  if (own.enum?.every((one) => typeof one === 'string')) {
    return (
      <Select
        {...shown}
        data={own.enum.map(String)}
        value={typeof value === 'string' ? value : null}
        clearable={nullable}
        placeholder={placeholderOf(own)}
        onChange={(next) => set(next ?? empty)}
      />
    );
  }
  switch (own.type) {
    case 'boolean':
      return (
        <Checkbox
          {...shown}
          checked={(value ?? own.default) === true}
          onChange={(event) => set(event.currentTarget.checked)}
        />
      );
    case 'integer':
    case 'number':
      return (
        <NumberInput
          {...shown}
          hideControls
          allowDecimal={own.type === 'number'}
          value={typeof value === 'number' ? value : ''}
          placeholder={placeholderOf(own)}
          onChange={(next) => set(typeof next === 'number' ? next : empty)}
        />
      );
    case 'string':
      return (
        <TextInput
          {...shown}
          value={typeof value === 'string' ? value : ''}
          placeholder={placeholderOf(own)}
          onChange={(event) =>
            set(event.currentTarget.value === '' && own.default !== '' ? empty : event.currentTarget.value)
          }
        />
      );
    case 'object':
      if (own.properties) return <Group {...props} schema={own} label={label} />;
      if (isObject(own.additionalProperties)) return <RecordField {...props} schema={own} label={label} />;
      return <JsonField {...shown} value={value} onChange={set} />;
    default:
      return <JsonField {...shown} value={value} onChange={set} />;
  }
}

function Group({ label, ...props }: FieldProps & { label: string }) {
  return (
    <fieldset>
      <legend>{label}</legend>
      {props.schema.description && <span className="dim small">{props.schema.description}</span>}
      <Fields {...props} />
    </fieldset>
  );
}

const RECORD_SHOWN = 30;

/** A map from names to values: a row each. */
function RecordField({ label, ...props }: FieldProps & { label: string }) {
  const { path, onChange, value: document, schema } = props;
  const [name, setName] = useState('');
  const current = valueAt(document, path);
  const names = isObject(current) ? Object.keys(current) : [];
  const inner = typeof schema.additionalProperties === 'object' ? schema.additionalProperties : {};
  const add = () => {
    if (name === '' || names.includes(name)) return;
    onChange(
      withValue(document, [...path, name], inner.default ?? (unwrap(inner).schema.type === 'object' ? {} : null)),
    );
    setName('');
  };
  return (
    <fieldset>
      <legend>{label}</legend>
      {schema.description && <span className="dim small">{schema.description}</span>}
      {names.slice(0, RECORD_SHOWN).map((one) => (
        <div className="form-record" key={one}>
          <bdi className="mono" style={{ paddingTop: 6 }}>
            {one}
          </bdi>
          <JsonField
            label={`${label} of ${one}`}
            hideLabel
            value={valueAt(document, [...path, one])}
            error={
              props.mistakes.find(({ path: at }) => formatPath(at).startsWith(formatPath([...path, one])))?.message
            }
            onChange={(next) => onChange(withValue(document, [...path, one], next))}
          />
          <Button
            variant="subtle"
            color="gray"
            size="compact-sm"
            aria-label={`Remove ${one}`}
            onClick={() => onChange(withValue(document, [...path, one], undefined))}
          >
            <X size={14} />
          </Button>
        </div>
      ))}
      {names.length > RECORD_SHOWN && (
        <span className="dim small">{names.length - RECORD_SHOWN} more are in the JSON.</span>
      )}
      <div className="row">
        <TextInput
          aria-label={`New name in ${label}`}
          placeholder="new name"
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== 'Enter') return;
            event.preventDefault();
            add();
          }}
        />
        <Button
          variant="default"
          size="compact-sm"
          leftSection={<Plus size={12} />}
          onClick={add}
          disabled={name === '' || names.includes(name)}
        >
          Add
        </Button>
      </div>
    </fieldset>
  );
}

interface JsonFieldProps {
  readonly label: string;
  readonly hideLabel?: boolean;
  readonly description?: string | undefined;
  readonly error?: string | undefined;
  readonly value: Json | undefined;
  readonly onChange: (value: Json | undefined) => void;
}

/** What has no field of its own, as JSON. Text that is not JSON yet stays here until it is. */
function JsonField({ label, hideLabel, description, error, value, onChange }: JsonFieldProps) {
  const [draft, setDraft] = useState<string>();
  const text = draft ?? (value === undefined ? '' : JSON.stringify(value));
  const parsed = draft === undefined || draft === '' ? undefined : parseJson(draft);
  return (
    <Textarea
      {...(hideLabel ? { 'aria-label': label } : { label })}
      description={description}
      error={parsed?.ok === false ? 'is not JSON yet' : error}
      value={text}
      rows={text.length > 70 ? 3 : 1}
      spellCheck={false}
      styles={{ input: { fontFamily: 'var(--mono)', fontSize: 12 } }}
      onChange={(event) => {
        const next = event.currentTarget.value;
        setDraft(next);
        const now = parseJson(next);
        if (next.trim() === '') onChange(undefined);
        else if (now.ok) onChange(now.value);
      }}
      onBlur={() => {
        if (parsed?.ok !== false) setDraft(undefined);
      }}
    />
  );
}

const placeholderOf = (schema: Schema) =>
  schema.default === undefined || schema.default === null || schema.default === ''
    ? (schema.format ?? '')
    : `${String(schema.default)} (default)`;
