import { Button, SegmentedControl } from '@mantine/core';
import { Suspense, lazy, useMemo } from 'react';

import { Loading, Notice } from '../parts/States.tsx';
import { fixesOf } from './fixes.ts';
import { type Mistake, type Schema, validate } from './json-schema.ts';
import { type Parsed, formatJson, parseJson } from './json.ts';
import { SchemaForm } from './SchemaForm.tsx';

const JsonEditor = lazy(() => import('./JsonEditor.tsx').then((module) => ({ default: module.JsonEditor })));

type EditMode = 'form' | 'json';

export interface DocumentEditorProps {
  readonly text: string;
  readonly onChange: (text: string) => void;
  readonly schema: Schema | undefined;
  readonly mode: EditMode;
  readonly onMode: (mode: EditMode) => void;
  readonly label: string;
}

/** One document, edited as a form or as JSON; switching loses nothing. */
export function DocumentEditor({ text, onChange, schema, mode, onMode, label }: DocumentEditorProps) {
  const parsed = useMemo(() => parseJson(text), [text]);
  const mistakes = useMistakes(text, schema);
  const hasForm = schema !== undefined && Object.keys(schema.properties ?? {}).length > 0;
  const shown = hasForm ? mode : 'json';
  return (
    <div className="stack tight">
      <div className="row">
        {hasForm && (
          <SegmentedControl
            aria-label={`Edit ${label} as`}
            value={shown}
            onChange={(value) => onMode(value as EditMode)}
            data={[
              { value: 'form', label: 'Form' },
              { value: 'json', label: 'JSON' },
            ]}
          />
        )}
        <span className="dim small num">{new Blob([text]).size.toLocaleString('en')} bytes</span>
        {!hasForm && <span className="dim small">No schema: any JSON.</span>}
      </div>
      {shown === 'form' && !parsed.ok && (
        <Notice tone="warn">The JSON has a mistake ({parsed.message}). Correct it there first.</Notice>
      )}
      {shown === 'form' && parsed.ok && schema && (
        <SchemaForm
          schema={schema}
          value={parsed.value}
          mistakes={mistakes}
          onChange={(value) => onChange(formatJson(value))}
        />
      )}
      {shown === 'json' && (
        <Suspense fallback={<Loading lines={4} />}>
          <JsonEditor value={text} onChange={onChange} schema={schema} label={label} />
        </Suspense>
      )}
      <Mistakes parsed={parsed} mistakes={mistakes} schema={schema} onChange={onChange} />
    </div>
  );
}

export function useMistakes(text: string, schema: Schema | undefined): readonly Mistake[] {
  return useMemo(() => {
    const parsed = parseJson(text);
    return parsed.ok && schema ? validate(schema, parsed.value) : [];
  }, [text, schema]);
}

interface MistakesProps {
  readonly parsed: Parsed;
  readonly mistakes: readonly Mistake[];
  readonly schema: Schema | undefined;
  readonly onChange: (text: string) => void;
}

const SHOWN = 6;

/** What the schema refuses, each with what would put it right. */
function Mistakes({ parsed, mistakes, schema, onChange }: MistakesProps) {
  if (!parsed.ok)
    return (
      <p role="status" className="small bad">
        Not JSON yet: {parsed.message}
      </p>
    );
  if (mistakes.length === 0) return null;
  return (
    <ul role="status" className="small plain mistakes" aria-label="Mistakes">
      {mistakes.slice(0, SHOWN).map((one, i) => (
        <li key={i}>
          <span className="bad">
            <code className="mono">{one.path.join('.') || 'document'}</code> {one.message}
          </span>
          {schema &&
            fixesOf(schema, parsed.value, one).map((fix) => (
              <Button
                key={fix.label}
                size="compact-xs"
                variant="default"
                onClick={() => onChange(formatJson(fix.apply(parsed.value)))}
              >
                {fix.label}
              </Button>
            ))}
        </li>
      ))}
      {mistakes.length > SHOWN && <li className="bad">and {mistakes.length - SHOWN} more</li>}
    </ul>
  );
}
