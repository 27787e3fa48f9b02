/**
 * Judges mutations by what `system.mutations` shows on every replica. Ours are known by the mark in their command, so
 * foreign ones, and those of other databases, are never counted as ours or killed. Done means `is_done` on every replica
 * that is expected; a replica that does not answer is unknown, not done; a row that is not there proves nothing.
 * Pure: the state of one poll in, the verdict out.
 */

export interface MutationRow {
  readonly replica: number;
  readonly host: string;
  readonly mutation_id: string;
  readonly command: string;
  readonly is_done: number;
  readonly parts_to_do: string | number;
  readonly latest_fail_reason: string;
}

export interface MutationPoll {
  readonly rows: readonly MutationRow[];
  /** Replicas that answered, and how many the cluster has. */
  readonly answered: ReadonlySet<number>;
  readonly expected: number;
}

export interface MutationFact {
  readonly replica: number;
  readonly host: string;
  readonly mutation_id: string;
  readonly parts_to_do: number;
  readonly reason: string;
}

export type MutationVerdict =
  | { readonly kind: 'done' }
  /** On some replica no such mutation is listed: it has not come yet, was pruned, or was killed. */
  | { readonly kind: 'absent'; readonly replicas: readonly number[] }
  | { readonly kind: 'progressing'; readonly partsToDo: number; readonly unfinished: readonly MutationFact[] }
  | { readonly kind: 'failing'; readonly unfinished: readonly MutationFact[] }
  /** Ours waits behind a mutation of somebody else that fails again and again. */
  | {
      readonly kind: 'blocked';
      readonly foreign: readonly MutationFact[];
      readonly unfinished: readonly MutationFact[];
    }
  | { readonly kind: 'unknown'; readonly answered: number; readonly expected: number };

export function judge(poll: MutationPoll, mark: string): MutationVerdict {
  if (poll.answered.size < poll.expected) {
    return { kind: 'unknown', answered: poll.answered.size, expected: poll.expected };
  }
  const ours = poll.rows.filter((row) => isOurs(row, mark));
  const unfinished = ours.filter((row) => !row.is_done).map(fact);
  const failing = unfinished.filter((row) => row.reason !== '');
  // A server applies what is pending together, so the reason of an earlier failing one stands at ours as well.
  const first = Math.min(...ours.filter((row) => !row.is_done).map((row) => numberOf(row.mutation_id)));
  const foreign = poll.rows
    .filter(
      (row) => !isOurs(row, mark) && !row.is_done && row.latest_fail_reason !== '' && numberOf(row.mutation_id) < first,
    )
    .map(fact);
  if (unfinished.length > 0 && foreign.length > 0) return { kind: 'blocked', foreign, unfinished };
  if (failing.length > 0) return { kind: 'failing', unfinished: failing };
  if (unfinished.length > 0) {
    return { kind: 'progressing', partsToDo: unfinished.reduce((sum, row) => sum + row.parts_to_do, 0), unfinished };
  }
  const listed = new Set(ours.map((row) => row.replica));
  const absent = [...poll.answered].filter((replica) => !listed.has(replica));
  return absent.length > 0 ? { kind: 'absent', replicas: absent } : { kind: 'done' };
}

/** The mark is a literal of its own in the command; `op:1` is not part of `op:12`. */
function isOurs(row: Pick<MutationRow, 'command'>, mark: string): boolean {
  return row.command.includes(`'${mark}'`);
}

/** `mutation_12.txt` of one server, `0000000012` of a replicated table: numbers grow in the order of submission. */
function numberOf(mutationId: string): number {
  return Number(/\d+/.exec(mutationId)?.[0] ?? Number.NaN);
}

function fact(row: MutationRow): MutationFact {
  return {
    replica: row.replica,
    host: row.host,
    mutation_id: row.mutation_id,
    parts_to_do: Number(row.parts_to_do),
    reason: row.latest_fail_reason,
  };
}

/** For people: `mutation_3.txt on shard-1 (2 parts to do)`. */
export function describeFacts(facts: readonly MutationFact[]): string {
  return facts
    .slice(0, 5)
    .map(
      (f) =>
        `${f.mutation_id} on replica ${f.replica} (${f.host}), ${f.parts_to_do} parts to do${f.reason === '' ? '' : `: ${f.reason.slice(0, 300)}`}`,
    )
    .join('; ');
}
