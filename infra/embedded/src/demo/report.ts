/** What the demo says in the end: before → after → verified, as a table for people or one JSON object for programs. */

import type { Json } from '@skein/orchestrator';

import type { DemoVerdict } from './part.ts';

interface AssetReport {
  readonly asset: string;
  readonly partitions: number;
  readonly materialized: number;
  readonly failed: number;
  readonly verified: boolean;
  readonly before: { readonly [fact: string]: Json };
  readonly after: { readonly [fact: string]: Json };
  readonly details: DemoVerdict['details'];
}

export interface DemoReport {
  readonly ok: boolean;
  readonly assets: readonly AssetReport[];
  readonly seconds: number;
}

export function formatTable(report: DemoReport): string {
  const rows = report.assets.map((a) => [
    a.asset,
    `${a.materialized}/${a.partitions}${a.failed > 0 ? ` (${a.failed} failed)` : ''}`,
    facts(a.before, a.after),
    facts(a.after, a.before),
    a.verified ? 'yes' : 'NO',
  ]);
  const head = ['asset', 'partitions', 'before', 'after', 'verified'];
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd();
  return [line(head), line(widths.map((width) => '─'.repeat(width))), ...rows.map(line)].join('\n');
}

/** As many as a line of a terminal takes. */
const MOST_FACTS = 4;

/** What is not the same on the other side, or the first ones where all is; what has parts is for pictures, not for a line. */
function facts(values: { readonly [fact: string]: Json }, other: { readonly [fact: string]: Json }): string {
  const plain = Object.entries(values).filter(([, value]) => typeof value !== 'object' || value === null);
  const changed = plain.filter(([name, value]) => other[name] !== value);
  return (changed.length > 0 ? changed : plain)
    .slice(0, MOST_FACTS)
    .map(
      ([name, value]) =>
        `${name.replaceAll('_', ' ')} ${typeof value === 'number' ? value.toLocaleString('en-US') : String(value)}`,
    )
    .join(', ');
}
