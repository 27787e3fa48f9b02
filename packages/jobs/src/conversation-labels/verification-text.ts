/** A verification for people: its eight points, the usecases, and every named row. */

import type { Verification } from './verification.ts';

export function describeVerification(verification: Verification): string[] {
  const lines = verification.points.map(
    (point) => `${point.passed ? 'pass' : 'FAIL'}  ${point.name.padEnd(12)} ${point.description}`,
  );
  const width = Math.max(7, ...verification.usecases.map((u) => u.usecase.length));
  lines.push(
    '',
    `${'usecase'.padEnd(width)}  ${'before'.padStart(9)}  ${'labels'.padStart(9)}  ${'source'.padStart(9)}`,
  );
  for (const { usecase, before, after, source } of verification.usecases) {
    lines.push(
      `${(usecase || '(none)').padEnd(width)}  ${String(before ?? '-').padStart(9)}  ${String(after).padStart(9)}  ${String(source).padStart(9)}`,
    );
  }
  if (verification.named.length > 0)
    lines.push('', ...verification.named.map((row) => `${row.kind.padEnd(9)}  ${row.description}`));
  lines.push('', verification.passed ? 'All eight points pass.' : 'The labels do not agree with the source.');
  return lines;
}
