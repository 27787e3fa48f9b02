/**
 * Finds what is put into SQL text: every `${…}` of a template, and every `+`, whose text is SQL. What cannot carry a value
 * from outside is known by its form; the rest is for people to look at. Pure.
 */

import ts from 'typescript';

export interface Insertion {
  /** As it is written, blanks as one. */
  readonly code: string;
  readonly line: number;
}

const SQL = new RegExp(
  [
    String.raw`\bSELECT\s`,
    String.raw`\b(INSERT\s+INTO|DELETE\s+(FROM|WHERE)|TRUNCATE|ATTACH|EXPLAIN|DESCRIBE)\b`,
    String.raw`\bUPDATE\s+\S+\s+SET\b`,
    String.raw`\b(CREATE|ALTER|DROP)\s+(OR\s+REPLACE\s+)?(TEMP(ORARY)?\s+)?(TABLE|VIEW|SECRET|SCHEMA|INDEX|DATABASE|MACRO)\b`,
    String.raw`\bCOPY\s+[(\w¤]`,
    String.raw`^\s*(SET|PRAGMA|LOAD|INSTALL)\s+\w+`,
    String.raw`\b(FROM|JOIN)\s+[\w¤(]+\s+(WHERE|AS|ON|GROUP|ORDER|FINAL)\b`,
    String.raw`\b(GROUP|ORDER)\s+BY\b`,
    String.raw`\b(WHERE|AND|OR)\s+[\w.()]+\s*(=|<|>|IN\b|LIKE\b|BETWEEN\b)`,
    String.raw`\bread_(parquet|json|csv|blob|text)\s*\(`,
    String.raw`\bIN\s*\(\s*¤`,
    String.raw`\bVALUES\s*\(`,
  ].join('|'),
);

/** Each holds its argument against a grammar, or quotes it; `bind` keeps the value and gives its number. */
const QUOTERS = new Set(['identifier', 'literal', 'quoted', 'uuidList', 'checkedUuid', 'idList', 'bind', 'Math.trunc']);

export function insertionsOf(file: string, text: string): Insertion[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const found: Insertion[] = [];
  const note = (node: ts.Node) =>
    found.push({
      code: node.getText().replaceAll(/\s+/g, ' '),
      line: source.getLineAndCharacterOfPosition(node.getStart()).line + 1,
    });
  const walk = (node: ts.Node): void => {
    if (isErrorOrLog(node)) return;
    if (ts.isTemplateExpression(node) && SQL.test(textOf(node)))
      for (const { expression } of node.templateSpans) if (!isFixed(expression)) note(expression);
    if (
      isConcatenation(node) &&
      [node.left, node.right].some((side) => ts.isStringLiteralLike(side) && SQL.test(side.text))
    )
      note(node);
    ts.forEachChild(node, walk);
  };
  walk(source);
  return found;
}

/** Messages may name statements. */
function isErrorOrLog(node: ts.Node): boolean {
  if (ts.isNewExpression(node)) return node.expression.getText().endsWith('Error');
  return ts.isCallExpression(node) && /(^|\.)(log|logger)\.(debug|info|warn|error)$/.test(node.expression.getText());
}

function textOf(template: ts.TemplateExpression): string {
  return [template.head.text, ...template.templateSpans.map(({ literal }) => literal.text)].join('¤');
}

function isConcatenation(node: ts.Node): node is ts.BinaryExpression {
  return ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken;
}

/** True when no value from outside can be in it, whatever the program is given. */
function isFixed(node: ts.Expression): boolean {
  if (ts.isStringLiteralLike(node) || ts.isNumericLiteral(node)) return true;
  if (ts.isIdentifier(node)) return /^[A-Z][A-Z0-9_]*$/.test(node.text);
  if (ts.isParenthesizedExpression(node)) return isFixed(node.expression);
  if (ts.isConditionalExpression(node)) return isFixed(node.whenTrue) && isFixed(node.whenFalse);
  if (ts.isTemplateExpression(node)) return node.templateSpans.every(({ expression }) => isFixed(expression));
  // A statement that was built elsewhere, where it was looked at.
  if (ts.isPropertyAccessExpression(node)) return node.name.text === 'sql';
  if (!ts.isCallExpression(node)) return false;
  const called = node.expression;
  if (QUOTERS.has(called.getText())) return true;
  if (!ts.isPropertyAccessExpression(called)) return false;
  if (called.name.text === 'join') return isFixed(called.expression);
  return called.name.text === 'map' && node.arguments.length === 1 && QUOTERS.has(node.arguments[0]?.getText() ?? '');
}
