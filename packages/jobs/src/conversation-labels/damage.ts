/** Says of a damaged conversation what is wrong with it, in words: which row, which column, which two values. Pure. */

import { DAMAGE_KINDS, type DamageCounts, type DamageKind } from './verification-sql.ts';

export interface ShownRow {
  readonly side: 'labels' | 'source';
  readonly profile_id: string;
  readonly conversation_id: string;
  readonly agent_user_id: string;
  readonly usecase_id: string;
  readonly conversation_start_time: string;
  readonly conversation_end_time: string;
  readonly conversation_source: number;
}

export interface DamagedRow {
  readonly kind: DamageKind;
  readonly profile_id: string;
  readonly conversation_id: string;
  readonly description: string;
}

const COMPARED = [
  'agent_user_id',
  'usecase_id',
  'conversation_start_time',
  'conversation_end_time',
  'conversation_source',
] as const;

export function describeDamage(counts: DamageCounts, shown: readonly ShownRow[]): DamagedRow[] {
  return DAMAGE_KINDS.flatMap((kind) =>
    counts[`${kind}_ids`].map(([profile_id, conversation_id]) => {
      const mine = shown.filter((row) => row.profile_id === profile_id && row.conversation_id === conversation_id);
      const labels = mine.filter((row) => row.side === 'labels');
      const source = mine.find((row) => row.side === 'source');
      return {
        kind,
        profile_id,
        conversation_id,
        description: `${profile_id}/${conversation_id}: ${describe(kind, labels, source)}`,
      };
    }),
  );
}

function describe(kind: DamageKind, labels: readonly ShownRow[], source: ShownRow | undefined): string {
  switch (kind) {
    case 'missing':
      return `no label row; the source has agent ${name(source?.agent_user_id)}, usecase ${name(source?.usecase_id)}, end ${source?.conversation_end_time ?? '?'}`;
    case 'surplus':
      return `${labels.length} label row${labels.length === 1 ? '' : 's'}, but the source has no eligible conversation`;
    case 'duplicate':
      return `${labels.length} label rows (${labels.map((row) => `agent ${name(row.agent_user_id)}, usecase ${name(row.usecase_id)}, end ${row.conversation_end_time}`).join('; ')})`;
    case 'different': {
      const [row] = labels;
      const off = COMPARED.filter(
        (column) => row !== undefined && source !== undefined && row[column] !== source[column],
      );
      return off
        .map((column) => `${column} is ${name(String(row?.[column]))}, in the source ${name(String(source?.[column]))}`)
        .join(', ');
    }
  }
}

function name(text: string | undefined): string {
  return text === undefined || text === '' ? '(none)' : `“${text.slice(0, 60)}”`;
}
