import { autocompletion, closeBrackets, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, isolateHistory } from '@codemirror/commands';
import { json, jsonParseLinter } from '@codemirror/lang-json';
import { HighlightStyle, bracketMatching, foldGutter, indentOnInput, syntaxHighlighting } from '@codemirror/language';
import { type Diagnostic, lintGutter, linter } from '@codemirror/lint';
import { EditorState } from '@codemirror/state';
import { EditorView, drawSelection, highlightActiveLine, hoverTooltip, keymap, lineNumbers } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { useEffect, useRef } from 'react';

import { completeFromSchema, mistakesIn, schemaAt } from './json-language.ts';
import type { Schema } from './json-schema.ts';
import './editor.css';

export interface JsonEditorProps {
  readonly value: string;
  readonly onChange: (text: string) => void;
  readonly schema?: Schema | undefined;
  readonly label: string;
  readonly readOnly?: boolean;
}

/** JSON as text: what the schema refuses is marked where it stands, its fields are completed, its words are on hover. */
export function JsonEditor({ value, onChange, schema, label, readOnly = false }: JsonEditorProps) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(undefined);
  const latest = useRef({ onChange, schema });
  useEffect(() => {
    latest.current = { onChange, schema };
  });

  useEffect(() => {
    if (!host.current) return;
    const created = new EditorView({
      parent: host.current,
      state: EditorState.create({ doc: value, extensions: extensionsOf(latest, label, readOnly) }),
    });
    view.current = created;
    return () => created.destroy();
    // The editor owns its text after this; later values come by the effect below.
  }, [label, readOnly]);

  useEffect(() => {
    const current = view.current;
    if (!current || current.state.doc.toString() === value) return;
    // A step of its own to undo, however soon it comes after another.
    const annotations = isolateHistory.of('full');
    current.dispatch({ changes: { from: 0, to: current.state.doc.length, insert: value }, annotations });
  }, [value]);

  return <div className="json-editor" ref={host} />;
}

interface Latest {
  readonly current: { readonly onChange: (text: string) => void; readonly schema: Schema | undefined };
}

function extensionsOf(latest: Latest, label: string, readOnly: boolean) {
  const parse = jsonParseLinter();
  return [
    lineNumbers(),
    foldGutter(),
    history(),
    drawSelection(),
    indentOnInput(),
    bracketMatching(),
    closeBrackets(),
    highlightActiveLine(),
    json(),
    syntaxHighlighting(COLOURS),
    EditorView.lineWrapping,
    EditorState.readOnly.of(readOnly),
    EditorView.contentAttributes.of({ 'aria-label': label }),
    lintGutter(),
    linter((view): Diagnostic[] => {
      const broken = parse(view);
      return broken.length > 0 ? broken : mistakesIn(view.state, latest.current.schema);
    }),
    autocompletion({ override: [(context) => completeFromSchema(context, latest.current.schema)] }),
    hoverTooltip((view, at) => {
      const found = schemaAt(view.state, at, latest.current.schema);
      if (!found?.schema.description) return null;
      const { description } = found.schema;
      return {
        pos: found.from,
        create: () => {
          const dom = document.createElement('div');
          dom.style.padding = '4px 8px';
          dom.textContent = description;
          return { dom };
        },
      };
    }),
    // Tab leaves the editor: who works by keyboard must not be caught in it.
    keymap.of([...defaultKeymap, ...historyKeymap, ...completionKeymap]),
    EditorView.updateListener.of((update) => {
      if (update.docChanged) latest.current.onChange(update.state.doc.toString());
    }),
  ];
}

const COLOURS = HighlightStyle.define([
  { tag: tags.propertyName, color: 'var(--accent)' },
  { tag: tags.string, color: 'var(--good)' },
  { tag: tags.number, color: 'var(--wait)' },
  { tag: [tags.bool, tags.null], color: 'var(--warn)' },
]);
