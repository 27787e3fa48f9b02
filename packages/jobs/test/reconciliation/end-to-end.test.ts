/** The asset on real ClickHouse and PostgreSQL, in both modes: facts of the reference as they are seen from outside. */

import { randomUUID } from 'node:crypto';

import { END, MODES, NOW, START, TEAM, type World, daysAgo, openWorld } from './world.ts';

let world: World;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.close());

describe.each(MODES)('%s', (_name, mode) => {
  const run = (config: object = {}, options = {}) => world.run({ team_ids: [TEAM], ...mode, ...config }, options);

  test('158: a missed $set is brought into PostgreSQL and ClickHouse, other keys stay', async () => {
    const uuid = await world.person({ properties: { email: 'old', unchanged: 'v' } });
    await world.events({ at: daysAgo(5), person: uuid, properties: { $set: { email: 'new' } } });
    const result = await run();
    expect(result.status).toBe('SUCCESS');
    expect(await world.pgState(uuid)).toMatchObject({
      properties: { email: 'new', unchanged: 'v' },
      version: '2',
      updatedAt: { email: '2026-01-15T12:00:00+00:00' },
      operation: { email: 'set' },
    });
    expect(await world.chState(uuid)).toMatchObject({ properties: { email: 'new', unchanged: 'v' }, version: 2 });
    expect(result.partitions.get('1_2026-01-10')).toMatchObject({
      kind: 'materialized',
      metadata: { persons_processed: 1, persons_updated: 1, persons_skipped: 0 },
    });
    expect(result.result).toMatchObject({
      teams_count: 1,
      teams_succeeded: 1,
      teams_failed: 0,
      persons_updated: 1,
      team_ids: [TEAM],
      failed_team_ids: [],
    });
  });

  test('154: five persons, batch size 2: three commits, metadata of untouched keys stays', async () => {
    const uuids: string[] = [];
    for (let i = 0; i < 5; i++) {
      const uuid = await world.person({
        properties: { email: `old_${i}`, counter: i },
        metadata: {
          updatedAt: { email: '2024-01-01T00:00:00+00:00', counter: '2024-01-01T00:00:00+00:00' },
          operation: { email: 'set', counter: 'set_once' },
        },
      });
      uuids.push(uuid);
      await world.events({ at: daysAgo(5), person: uuid, properties: { $set: { email: `new_${i}` } } });
    }
    const result = await run({ batch_size: 2, person_batch_size: 100 });
    expect(result.result).toMatchObject({ persons_processed: 5, persons_updated: 5, persons_skipped: 0 });
    const commits = result.logs
      .filter((line) => /^Batch \d+: committed/.test(line.message))
      .map((line) => line.message);
    expect(commits).toEqual([2, 2, 1].map((n, i) => `Batch ${i + 1}: committed ${n} updates for team_id=1`));
    for (const [i, uuid] of uuids.entries()) {
      expect(await world.pgState(uuid)).toMatchObject({
        properties: { email: `new_${i}`, counter: i },
        version: '2',
        updatedAt: { email: '2026-01-15T12:00:00+00:00', counter: '2024-01-01T00:00:00+00:00' },
        operation: { email: 'set', counter: 'set_once' },
      });
    }
  });

  test('unset before a set to the value that the person has already is no difference', async () => {
    const uuid = await world.person({ properties: { plan: 'pro' } });
    await world.events(
      { at: daysAgo(5), person: uuid, properties: { $unset: ['plan'] } },
      { at: daysAgo(2), person: uuid, properties: { $set: { plan: 'pro' } } },
    );
    const result = await run();
    expect(result.result).toMatchObject({ persons_processed: 0 });
    expect(await world.pgState(uuid)).toMatchObject({ properties: { plan: 'pro' }, version: '1' });
    expect(world.published).toEqual([]);
  });

  test('unset and then set_once of another value gives the new value', async () => {
    const uuid = await world.person({ properties: { ref: 'a' } });
    await world.events(
      { at: daysAgo(5), person: uuid, properties: { $unset: ['ref'] } },
      { at: daysAgo(2), person: uuid, properties: { $set_once: { ref: 'b' } } },
    );
    await run();
    expect(await world.pgState(uuid)).toMatchObject({ properties: { ref: 'b' }, operation: { ref: 'set_once' } });
  });

  test('a $set of a key that the person lacks is left out, unless repair_missing_keys', async () => {
    const uuid = await world.person({ properties: { other: 1 } });
    await world.events({ at: daysAgo(5), person: uuid, properties: { $set: { email: 'a@x' } } });
    expect((await run()).result).toMatchObject({ persons_processed: 0 });
    expect((await run({ repair_missing_keys: true })).result).toMatchObject({ persons_updated: 1 });
    expect(await world.pgState(uuid)).toMatchObject({ properties: { other: 1, email: 'a@x' } });
  });

  test('a $set of a missing key does not stand in the way of its $set_once', async () => {
    const uuid = await world.person({ properties: {} });
    await world.events(
      { at: daysAgo(5), person: uuid, properties: { $set: { ref: 'set' } } },
      { at: daysAgo(4), person: uuid, properties: { $set_once: { ref: 'once' } } },
    );
    await run();
    expect(await world.pgState(uuid)).toMatchObject({ properties: { ref: 'once' } });
  });

  test('64-bit integers arrive exactly in PostgreSQL and in the message', async () => {
    const uuid = await world.person({ properties: '{"a":1,"keep":9007199254740993}' });
    await world.events({
      at: daysAgo(5),
      person: uuid,
      properties: '{"$set":{"a":9007199254740993},"$set_once":{"b":18446744073709551615,"c":[-9223372036854775808]}}',
    });
    await run();
    const { text } = await world.pgState(uuid);
    expect(text).toBe(
      '{"a": 9007199254740993, "b": 18446744073709551615, "c": [-9223372036854775808], "keep": 9007199254740993}',
    );
    const message = String(world.published[0]?.value);
    expect(message).toContain('9007199254740993');
    expect(message).toContain('18446744073709551615');
  });

  test('an integer beyond 64 bits is named and skipped, the other keys of its event are repaired', async () => {
    const uuid = await world.person({ properties: { a: 1, b: 1 } });
    await world.events({
      at: daysAgo(5),
      person: uuid,
      properties: '{"$set":{"a":123456789012345678901234567890,"b":2}}',
    });
    const result = await run();
    expect(await world.pgState(uuid)).toMatchObject({ properties: { a: 1, b: 2 } });
    expect(result.logs.map((line) => line.message)).toContainEqual(
      expect.stringMatching(new RegExp(`${uuid}.*integer_beyond_64_bits keys=\\["a"\\]`)),
    );
  });

  test('large numbers with an exponent arrive so that ClickHouse can read them', async () => {
    const uuid = await world.person({ properties: { a: 1, text: '"1'.repeat(30) } });
    await world.events({
      at: daysAgo(5),
      person: uuid,
      properties: '{"$set":{"a":1e20},"$set_once":{"b":[-2E30],"c":"100000000000000000000"}}',
    });
    await run();
    expect((await world.pgState(uuid)).text).toContain('"a": 100000000000000000000');
    const text = (await world.chState(uuid))?.text ?? '';
    expect(text).toContain('100000000000000000000e0');
    expect(JSON.parse(text)).toEqual({ a: 1e20, b: [-2e30], c: '100000000000000000000', text: '"1'.repeat(30) });
    expect((await run()).result).toMatchObject({ persons_processed: 0 });
  });

  test('U+0000 becomes U+FFFD', async () => {
    const uuid = await world.person({ properties: { a: 'x' } });
    await world.events({
      at: daysAgo(5),
      person: uuid,
      properties: '{"$set":{"a":"n\\u0000ul \\\\u0000"},"$set_once":{"k\\u0000y":1}}',
    });
    await run();
    expect(await world.pgState(uuid)).toMatchObject({ properties: { a: 'n\ufffdul \\u0000', 'k\ufffdy': 1 } });
    expect((await run()).result).toMatchObject({ persons_processed: 0 });
  });

  test('properties over the limit of the table: that person is skipped, the team goes on', async () => {
    const big = await world.person({ properties: { a: 1 } });
    const small = await world.person({ properties: { a: 1 } });
    await world.events(
      { at: daysAgo(5), person: big, properties: { $set: { a: randomUUID().repeat(20_000) } } },
      { at: daysAgo(5), person: small, properties: { $set: { a: 2 } } },
    );
    const result = await run();
    expect(result.result).toMatchObject({ persons_processed: 2, persons_updated: 1, persons_skipped: 1 });
    expect(await world.pgState(small)).toMatchObject({ properties: { a: 2 } });
    expect(result.logs.map((line) => line.message)).toContain(`Skipped person uuid=${big} team_id=1 reason=too_large`);
    expect((await world.backups()).map((row) => row.uuid)).toEqual([small]);
  });

  test('a NULL version is 0 and can be updated', async () => {
    const uuid = await world.person({ properties: { a: 1 }, version: null });
    await world.events({ at: daysAgo(5), person: uuid, properties: { $set: { a: 2 } } });
    await run();
    expect(await world.pgState(uuid)).toMatchObject({ properties: { a: 2 }, version: '1' });
    expect(await world.backups()).toMatchObject([{ version: null, version_after: '1' }]);
  });

  test('165, 164: versions differ: PostgreSQL wins where it changed, the rest is merged', async () => {
    const uuid = await world.chPerson({ properties: { email: 'o', name: 'n', plan: 'x' } });
    await world.pgPerson({ uuid, properties: { email: 'p', name: 'n', plan: 'x' }, version: 4 });
    await world.events({
      at: daysAgo(5),
      person: uuid,
      properties: { $set: { email: 'e', name: 'new' }, $unset: ['plan'] },
    });
    await run();
    expect(await world.pgState(uuid)).toMatchObject({ properties: { email: 'p', name: 'new' }, version: '5' });
  });

  test('25: a person that PostgreSQL does not have is skipped with not_found', async () => {
    const uuid = await world.chPerson({ properties: { a: 1 } });
    await world.events({ at: daysAgo(5), person: uuid, properties: { $set: { a: 2 } } });
    const result = await run();
    expect(result.result).toMatchObject({ persons_processed: 1, persons_skipped: 1 });
    expect(result.logs).toContainEqual(
      expect.objectContaining({ level: 'warn', message: `Skipped person uuid=${uuid} team_id=1 reason=not_found` }),
    );
  });

  test('41, 42: the backup has the state before and after, and what was asked for', async () => {
    const uuid = await world.person({ properties: { name: 'Old', count: 10 }, version: 3 });
    await world.events({
      at: daysAgo(5),
      person: uuid,
      properties: { $set: { name: 'New' }, $set_once: { ref: 'g' }, $unset: ['count'] },
    });
    await run({}, { runId: 'run-1' });
    const { id } = await world.pgState(uuid);
    expect(await world.backups()).toMatchObject([
      {
        job_id: 'run-1',
        team_id: TEAM,
        person_id: id,
        uuid,
        properties: { name: 'Old', count: 10 },
        version: '3',
        properties_after: { name: 'New', ref: 'g' },
        version_after: '4',
        pending_operations: [
          { key: 'name', value: 'New', operation: 'set', timestamp: '2026-01-15T12:00:00+00:00' },
          { key: 'ref', value: 'g', operation: 'set_once', timestamp: '2026-01-15T12:00:00+00:00' },
          { key: 'count', value: null, operation: 'unset', timestamp: '2026-01-15T12:00:00+00:00' },
        ],
      },
    ]);
  });

  test('43: without backups the update is done and no table is made', async () => {
    const uuid = await world.person({ properties: { a: 1 } });
    await world.events({ at: daysAgo(5), person: uuid, properties: { $set: { a: 2 } } });
    await run({ backup_enabled: false });
    expect(await world.pgState(uuid)).toMatchObject({ properties: { a: 2 } });
    await expect(world.backups()).rejects.toThrow(/does not exist/);
  });

  test('a dry run writes nothing anywhere, and says what it would do', async () => {
    const uuid = await world.person({ properties: { a: 1 } });
    await world.events({ at: daysAgo(5), person: uuid, properties: { $set: { a: 2 } } });
    const result = await run({ dry_run: true });
    expect(result.status).toBe('SUCCESS');
    expect(result.result).toMatchObject({
      persons_processed: 1,
      persons_updated: 0,
      persons_skipped: 1,
      persons_would_be_updated: 1,
    });
    expect(result.partitions.get('1_2026-01-10')).toMatchObject({
      kind: 'rehearsed',
      metadata: {
        persons_would_be_updated: 1,
        sample: [{ person_id: uuid, changes: [{ key: 'a', operation: 'set', value: '2' }] }],
      },
    });
    expect(await world.pgState(uuid)).toMatchObject({ properties: { a: 1 }, version: '1' });
    expect(world.published).toEqual([]);
    await expect(world.backups()).rejects.toThrow(/does not exist/);
    expect(await world.clickhouse.rows('SELECT * FROM custom_metrics_counter_events')).toEqual([]);
  });

  test('when PostgreSQL is right and ClickHouse behind, the row is published again', async () => {
    const uuid = await world.person({ properties: { a: 1 } });
    await world.events({ at: daysAgo(5), person: uuid, properties: { $set: { a: 2 } } });
    const lost = await run({}, { publisher: { ...world.publisher, publish: async () => {} } });
    expect(lost.result).toMatchObject({ persons_updated: 1 });
    expect(await world.chState(uuid)).toMatchObject({ version: 1 });
    const healed = await run();
    expect(healed.result).toMatchObject({ persons_updated: 0, persons_skipped: 1, persons_republished: 1 });
    expect(await world.chState(uuid)).toMatchObject({ properties: { a: 2 }, version: 2 });
    expect((await run()).result).toMatchObject({ persons_processed: 0 });
  });

  test('batch_size 0 and below: one transaction', async () => {
    for (let i = 0; i < 6; i++) {
      const uuid = await world.person({ properties: { a: 1 } });
      await world.events({ at: daysAgo(5), person: uuid, properties: { $set: { a: 2 } } });
    }
    const result = await run({ batch_size: -5, person_batch_size: 100 });
    expect(result.logs.filter((line) => line.message.includes(': committed ')).map((line) => line.message)).toEqual([
      'Batch 1: committed 6 updates for team_id=1',
    ]);
  });

  test('person message: fields, order, UTC, exact version', async () => {
    const uuid = await world.person({
      properties: { a: 1 },
      isIdentified: true,
      createdAt: '2026-01-01 02:00:00.000007+02',
    });
    await world.events({ at: daysAgo(5), person: uuid, properties: { $set: { a: 'é' } } });
    await run();
    expect(world.published).toEqual([
      {
        key: null,
        value: `{"id":"${uuid}","team_id":1,"properties":"{\\"a\\": \\"é\\"}","is_identified":1,"is_deleted":0,"created_at":"2026-01-01 00:00:00.000007","version":2}`,
      },
    ]);
  });
});

test('10, mode asymmetry: a person with events after the window only is reconciled without windows alone', async () => {
  const uuid = await world.person({ properties: { a: 1 } });
  await world.events({ at: daysAgo(2), person: uuid, properties: { $set: { a: 2 } } });
  const end = daysAgo(4).slice(0, 19);
  const windowed = await world.run({ team_ids: [TEAM], bug_window_end: end, team_ch_props_fetch_window_seconds: 3600 });
  expect(windowed.result).toMatchObject({ persons_processed: 0 });
  const single = await world.run({ team_ids: [TEAM], bug_window_end: end });
  expect(single.result).toMatchObject({ persons_updated: 1 });
});

test('windowed: a person chosen by the bug window gets what was set after it', async () => {
  const uuid = await world.person({ properties: { a: 1 } });
  await world.events(
    { at: daysAgo(8), person: uuid, properties: { $set: { a: 2 } } },
    { at: daysAgo(2), person: uuid, properties: { $set: { a: 3 } } },
  );
  await world.run({
    team_ids: [TEAM],
    bug_window_end: daysAgo(4).slice(0, 19),
    team_ch_props_fetch_window_seconds: 3600,
  });
  expect(await world.pgState(uuid)).toMatchObject({ properties: { a: 3 } });
});

test('175 to 182: discovery finds teams with property events, in range, without the excluded', async () => {
  const kinds = [{ $set: { a: 1 } }, { $set_once: { a: 1 } }, { $unset: ['a'] }, { $set: {} }, { other: 1 }];
  for (const [i, properties] of kinds.entries())
    await world.events({ team: i + 1, at: daysAgo(5), person: randomUUID(), properties });
  const teams = async (config: object) => (await world.run({ team_ids: null, ...config })).result?.team_ids;
  expect(await teams({})).toEqual([1, 2, 3, 4]);
  expect(await teams({ min_team_id: 2 })).toEqual([2, 3, 4]);
  expect(await teams({ max_team_id: 3 })).toEqual([1, 2, 3]);
  expect(await teams({ min_team_id: 2, max_team_id: 3 })).toEqual([2, 3]);
  expect(await teams({ exclude_team_ids: [1, 3] })).toEqual([2, 4]);
  expect(await teams({ bug_window_end: daysAgo(5).slice(0, 19) })).toEqual([]);
});

test('named teams are taken as they are, without looking for events, minus the excluded', async () => {
  const result = await world.run({
    team_ids: [9, 7, 8],
    exclude_team_ids: [8],
    teams_per_chunk: 2,
    bug_window_end: null,
  });
  expect(result.status).toBe('SUCCESS');
  expect(result.tasks.map((task) => task.task)).toEqual(['teams_7_9']);
  expect([...result.partitions.keys()].sort()).toEqual(['7_2026-01-10', '9_2026-01-10']);
});

test('a team that fails is rolled back and recorded, the others go on', async () => {
  const persons: string[] = [];
  for (const team of [1, 2, 3]) {
    const uuid = await world.person({ team, properties: { a: 1 } });
    persons.push(uuid);
    await world.events({ team, at: daysAgo(5), person: uuid, properties: { $set: { a: 2 } } });
  }
  await world.db.query(
    `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.team_id = 2 THEN RAISE EXCEPTION 'no updates today'; END IF; RETURN NEW; END $$`,
  );
  await world.db.query('CREATE TRIGGER refuse BEFORE UPDATE ON posthog_person FOR EACH ROW EXECUTE FUNCTION refuse()');
  const result = await world.run({ team_ids: [1, 2, 3] });
  expect(result.status).toBe('FAILURE');
  expect(result.result).toMatchObject({
    teams_count: 3,
    teams_succeeded: 2,
    teams_failed: 1,
    failed_team_ids: [2],
    persons_updated: 2,
    teams_results: [
      { team_id: 1, status: 'success' },
      { team_id: 2, status: 'failed', error: expect.stringContaining('no updates today') },
      { team_id: 3, status: 'success' },
    ],
  });
  expect(result.partitions.get('2_2026-01-10')).toMatchObject({
    kind: 'failed',
    error: { code: 'SERVICE_UNAVAILABLE', message: expect.stringContaining('no updates today') },
  });
  expect(await world.pgState(persons[1] ?? '')).toMatchObject({ properties: { a: 1 } });
  expect((await world.backups()).map((row) => row.team_id)).toEqual([1, 3]);
  expect(result.logs.map((line) => line.message)).toEqual(
    expect.arrayContaining(['Failed teams in chunk teams_1_3: [2]']),
  );
  expect(result.counters.get('person_property_reconciliation_error')).toBe(1);
});

test('metrics are written to ClickHouse where the table exists, and counted for Prometheus', async () => {
  const uuid = await world.person({ properties: { a: 1 } });
  await world.events({ at: daysAgo(5), person: uuid, properties: { $set: { a: 2 } } });
  const result = await world.run({ team_ids: [TEAM] });
  const rows = await world.clickhouse.rows<{ name: string; increment: number; labels: Record<string, string> }>(
    'SELECT name, increment, labels FROM custom_metrics_counter_events',
  );
  const prefix = 'person_property_reconciliation_';
  expect(Object.fromEntries(rows.map((row) => [row.name, row.increment]))).toMatchObject({
    [`${prefix}persons_processed_total`]: 1,
    [`${prefix}persons_updated_total`]: 1,
    [`${prefix}persons_skipped_total`]: 0,
    [`${prefix}teams_succeeded_total`]: 1,
    [`${prefix}teams_failed_total`]: 0,
    [`${prefix}duration_seconds_total`]: expect.any(Number),
  });
  expect(rows[0]?.labels).toEqual({ job_name: 'person_property_reconciliation_job', chunk_id: 'team_1' });
  expect(result.counters.get(`${prefix}persons_updated_total`)).toBe(1);
});

test('the log patterns of windowed mode, to the letter', async () => {
  for (let i = 0; i < 4; i++) {
    const uuid = await world.person({ properties: { a: 1 } });
    await world.events({ at: daysAgo(5), person: uuid, properties: { $set: { a: 2 } } });
  }
  const result = await world.run({
    team_ids: [TEAM],
    team_ch_props_fetch_window_seconds: 86_400,
    person_batch_size: 3,
  });
  expect(result.logs.map((line) => line.message)).toEqual(
    expect.arrayContaining([
      `Querying affected persons: team_id=1, bug_window=[${START}, ${END}]`,
      'Found 4 affected persons for team_id=1',
      'Starting batched windowed processing: team_id=1, 2 batches of ~3 persons, ~10 windows of 86400s each',
      'Processing batch 1/2 for team_id=1, 3 persons',
      'Batch 1: processed window 10/10, accumulated 3 persons',
      'Batch 1: comparing 3 persons against current state',
      'Batch 1: yielding 3 persons with diffs',
      'Processing batch 2/2 for team_id=1, 1 persons',
      'Completed team_id=1 (windowed batched): processed=4, updated=4, skipped=0, person_batches=2',
    ]),
  );
});

test('a relaunch by partition narrows the config to it; a partition of another window is refused', async () => {
  const uuid = await world.person({ properties: { a: 1 } });
  await world.events({ at: daysAgo(5), person: uuid, properties: { $set: { a: 2 } } });
  const result = await world.run({ team_ids: [1, 2, 3] }, { partitions: ['1_2026-01-10'] });
  expect([...result.partitions.keys()]).toEqual(['1_2026-01-10']);
  await expect(world.run({}, { partitions: ['1_2026-01-11'] })).rejects.toThrow(/bug_window_start/);
  await expect(world.run({ team_ids: [2] }, { partitions: ['1_2026-01-10'] })).rejects.toThrow(/team_ids/);
  expect(NOW).toBeInstanceOf(Date);
});
