/** A team that takes a scan three batches, with something to do for every task in each of them. */

import { type World, eventually } from './persons-world.ts';

export interface MixedTeam {
  readonly team: number;
  readonly fixable: readonly string[];
  readonly truly: readonly string[];
  readonly chOnly: readonly string[];
}

export const REAL = { dry_run: false, categorize_orphans: true, delete_ch_only_orphans: true, batch_size: 3 };

/** Three batches, each with one of every category, in the order of their creation. */
export async function mixedTeam(world: World): Promise<MixedTeam> {
  const team = world.newTeam();
  const ids: { fixable: string[]; truly: string[]; chOnly: string[] } = { fixable: [], truly: [], chOnly: [] };
  for (let batch = 0; batch < 3; batch++) {
    const at = (n: number) => ({ team_id: team, created_at: `2024-01-0${batch + 1} 00:00:0${n}.000` });
    const [fixable, truly, chOnly] = (await world.chPersons([at(0), at(1), at(2)])) as [string, string, string];
    await world.pgPerson(team, fixable, { [`a-${fixable}`]: 0, [`b-${fixable}`]: 2 });
    await world.pgPerson(team, truly);
    ids.fixable.push(fixable);
    ids.truly.push(truly);
    ids.chOnly.push(chOnly);
  }
  return { team, ...ids };
}

/** What a whole scan of it reports. */
export const COMPLETE = {
  total_orphaned_persons: 9,
  persons_with_pg_distinct_ids: 3,
  distinct_ids_synced: 6,
  distinct_ids_superseded: 0,
  distinct_ids_not_arrived: 0,
  persons_without_pg_data: 6,
  persons_truly_orphaned: 3,
  persons_ch_only: 3,
  persons_marked_deleted: 3,
};

/** Both databases agree, truly orphaned persons apart, and nothing was done twice. */
export async function expectRepaired(world: World, { team, fixable, truly, chOnly }: MixedTeam): Promise<void> {
  const left = await eventually(
    () => world.orphans(team),
    (ids) => ids.length === truly.length,
  );
  expect(left).toEqual(truly);
  const mappings = await world.mappings(team);
  expect(mappings.map((row) => [row.distinct_id, row.person_id, row.version, row.is_deleted])).toEqual(
    fixable
      .flatMap((id) => [
        [`a-${id}`, id, '0', 0],
        [`b-${id}`, id, '2', 0],
      ])
      .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)),
  );
  // Not one version more than once: a tombstone sent twice has the same version.
  for (const id of chOnly) expect(await world.person(team, id)).toMatchObject({ is_deleted: 1, version: '1' });
}
