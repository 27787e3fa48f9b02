/** `skein doctor`: looks at everything that must be sound, and prints the fix for what is not. */

import type { Command } from 'commander';

import { RefusedError } from '../../definitions/errors.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Finding } from '../doctor/finding.ts';
import { leaf } from '../help.ts';
import type { RunAction, Session } from '../session.ts';
import { paint } from '../terminal.ts';

export function registerDoctor(program: Command, run: RunAction): void {
  leaf(program, 'doctor', 'check everything that must be sound; exit 1 when something is wrong', [
    'skein doctor',
    'skein doctor --repair',
    'skein doctor --json',
  ])
    .option('--repair', 'set partition counters that differ from a recount')
    .action((flags: { readonly repair?: boolean }) => run((session) => doctor(session, flags.repair === true)));
}

async function doctor(session: Session, repair: boolean): Promise<void> {
  const [{ openEngine }, { problem, ok }] = await Promise.all([
    import('../../engine/engine.ts'),
    import('../doctor/finding.ts'),
  ]);
  const findings: Finding[] = [];
  const options = { env: process.env, allowUnsafeRedis: false };
  let engine: Engine;
  try {
    engine = await openEngine(session.deployment, options);
    findings.push(ok('redis', 'answers, keeps an append-only file and evicts nothing'));
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    findings.push(problem('redis', error.message, 'Change the settings that are named; see docs/operations.'));
    engine = await openEngine(session.deployment, { ...options, allowUnsafeRedis: true });
  }
  try {
    findings.push(...(await examine(session, engine, repair)));
  } finally {
    await engine.close();
  }
  const sound = !findings.some(({ state }) => state === 'problem');
  session.print({ ok: sound, findings: findings.map((finding) => ({ ...finding })) }, () => findings.flatMap(lines));
  session.exitWith(sound ? 0 : 1);
}

async function examine(session: Session, engine: Engine, repair: boolean): Promise<Finding[]> {
  const [ledger, sensors, { checkCounters }, { problem, ok }, { createScrub }, resources] = await Promise.all([
    import('../doctor/ledger-checks.ts'),
    import('../doctor/sensor-checks.ts'),
    import('../doctor/recount.ts'),
    import('../doctor/finding.ts'),
    import('../../telemetry/scrub.ts'),
    session.resources(),
  ]);
  const scrub = createScrub(session.env);
  const pings = [...(await resources.pingAll())].map(([name, answer]) =>
    answer instanceof Error
      ? problem(
          `resource ${name}`,
          scrub(answer.message),
          'Start the service, or correct its variable in the environment.',
        )
      : ok(`resource ${name}`, answer),
  );
  return [
    await ledger.checkReplication(engine),
    await ledger.checkClock(engine),
    await ledger.checkWorkers(engine),
    await ledger.checkOutbox(engine),
    await ledger.checkLeases(engine),
    await ledger.checkPulse(engine),
    await ledger.checkEventLoops(engine),
    await ledger.checkWaiting(engine),
    await ledger.checkBackup(engine),
    ...(await ledger.checkStats(engine)),
    await sensors.checkTickLag(engine),
    ...(await sensors.checkCursors(engine)),
    ...(await sensors.checkSensors(engine)),
    await checkCounters(engine, repair),
    ...pings,
  ];
}

const MARKS = { ok: paint.green('ok     '), notice: paint.yellow('notice '), problem: paint.red('WRONG  ') } as const;

function lines(finding: Finding): string[] {
  return [
    `${MARKS[finding.state]} ${finding.check}: ${finding.message}`,
    ...(finding.fix === null ? [] : [`        ${finding.fix}`]),
  ];
}
