/** Ties a JSON text to its schema: where a path stands in the text, and what may be written at a place. */

import type { CompletionContext, CompletionResult } from '@codemirror/autocomplete';
import { syntaxTree } from '@codemirror/language';
import type { Diagnostic } from '@codemirror/lint';
import type { EditorState } from '@codemirror/state';

import { type Path, parseJson } from './json.ts';
import { type Schema, schemaOf, unwrap, validate } from './json-schema.ts';

type SyntaxNode = ReturnType<typeof syntaxTree>['topNode'];

export function mistakesIn(state: EditorState, schema: Schema | undefined): Diagnostic[] {
  const parsed = parseJson(state.doc.toString());
  if (!schema || !parsed.ok) return [];
  return validate(schema, parsed.value).map(({ path, message }) => {
    const node = nodeAt(state, path) ?? syntaxTree(state).topNode;
    return {
      from: node.from,
      to: Math.max(node.to, node.from + 1),
      severity: 'error',
      message: `${path.join('.') || 'the document'} ${message}`,
    };
  });
}

/** The schema of the property under a place. */
export function schemaAt(
  state: EditorState,
  at: number,
  schema: Schema | undefined,
): { schema: Schema; from: number } | undefined {
  const node = syntaxTree(state).resolveInner(at, 1);
  if (!schema || node.name !== 'PropertyName') return undefined;
  const found = schemaOf(schema, pathOf(state, node));
  return found === undefined ? undefined : { schema: found, from: node.from };
}

export function completeFromSchema(context: CompletionContext, schema: Schema | undefined): CompletionResult | null {
  if (!schema) return null;
  const { state, pos } = context;
  const node = syntaxTree(state).resolveInner(pos, -1);
  const inName = node.name === 'PropertyName';
  const object = inName ? node.parent?.parent : node.name === 'Object' ? node : undefined;
  if (object) {
    const properties = unwrap(schemaOf(schema, pathOf(state, object)) ?? {}).schema.properties ?? {};
    return {
      from: inName ? node.from : pos,
      ...(inName ? { to: node.to } : {}),
      options: Object.entries(properties).map(([name, one]) => ({
        label: JSON.stringify(name),
        type: 'property',
        ...(one.description ? { info: one.description } : {}),
        apply: inName ? JSON.stringify(name) : `${JSON.stringify(name)}: ${JSON.stringify(one.default ?? null)}`,
      })),
    };
  }
  const own = unwrap(schemaOf(schema, pathOf(state, node)) ?? {}).schema;
  const values = own.enum ?? (own.type === 'boolean' ? [true, false] : []);
  if (values.length === 0) return null;
  const isValue = ['String', 'True', 'False', 'Null', 'Number'].includes(node.name);
  return {
    from: isValue ? node.from : pos,
    options: values.map((one) => ({ label: JSON.stringify(one), type: 'enum' })),
  };
}

const textOf = (state: EditorState, node: SyntaxNode) => state.sliceDoc(node.from, node.to);
const isValueNode = (node: SyntaxNode) => /^(Object|Array|String|Number|True|False|Null)$/.test(node.name);

/** Of a value or a property's name. */
function pathOf(state: EditorState, node: SyntaxNode): Path {
  const path: (string | number)[] = [];
  for (let at: SyntaxNode | null = node; at; at = at.parent) {
    if (at.name === 'Property') {
      const name = at.getChild('PropertyName');
      const parsed = name ? parseJson(textOf(state, name)) : undefined;
      path.unshift(parsed?.ok ? String(parsed.value) : '');
    } else if (at.parent?.name === 'Array' && isValueNode(at)) {
      let index = 0;
      for (let before = at.prevSibling; before; before = before.prevSibling) if (isValueNode(before)) index++;
      path.unshift(index);
    }
  }
  return path;
}

function nodeAt(state: EditorState, path: Path): SyntaxNode | undefined {
  let at: SyntaxNode | null | undefined = syntaxTree(state).topNode.firstChild;
  let best = at ?? undefined;
  for (const step of path) {
    if (!at) return best;
    at = typeof step === 'number' ? children(at).filter(isValueNode)[step] : valueOf(state, at, step);
    if (at) best = at;
  }
  return best;
}

function valueOf(state: EditorState, object: SyntaxNode, name: string): SyntaxNode | undefined {
  const property = object.getChildren('Property').find((one) => {
    const node = one.getChild('PropertyName');
    return node !== null && textOf(state, node) === JSON.stringify(name);
  });
  return property?.lastChild ?? undefined;
}

function children(node: SyntaxNode): SyntaxNode[] {
  const all: SyntaxNode[] = [];
  for (let child = node.firstChild; child; child = child.nextSibling) all.push(child);
  return all;
}
