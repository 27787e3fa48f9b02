/** `skein check`: loads the definitions and says what is wrong with them, without speaking to anything. */

import type { Command } from 'commander';
import { CronExpressionParser } from 'cron-parser';

import { parseBySchema } from '../../definitions/config.ts';
import type { Deployment } from '../../definitions/deployment.ts';
import { DefinitionInvalidError } from '../../definitions/errors.ts';
import { leaf } from '../help.ts';
import type { RunAction } from '../session.ts';

export function registerCheck(program: Command, run: RunAction): void {
  leaf(program, 'check', 'load the definitions and say what is wrong with them', [
    'skein check',
    'skein check --json',
  ]).action(() =>
    run(async (session) => {
      const { deployment } = session;
      const { readSettings } = await import('../../engine/settings.ts');
      readSettings(session.env);
      const problems = findProblems(deployment);
      if (problems.length > 0) {
        throw new DefinitionInvalidError(`The definitions are not sound: ${problems.join('; ')}.`, {
          details: { problems },
        });
      }
      const counts = {
        jobs: deployment.jobs.size,
        assets: deployment.assets.size,
        sensors: deployment.sensors.size,
        schedules: deployment.schedules.size,
        resources: deployment.resources.size,
      };
      session.print({ ok: true, ...counts, problems: [] }, () => [
        `sound: ${Object.entries(counts)
          .map(([what, count]) => `${count} ${what}`)
          .join(', ')}`,
      ]);
    }),
  );
}

/** What defineDeployment cannot know while it is given one definition after the other. */
function findProblems(deployment: Deployment): string[] {
  const problems: string[] = [];
  for (const asset of deployment.assets.values()) {
    for (const { asset: other } of asset.dependsOn) {
      if (!deployment.assets.has(other)) problems.push(`asset ${asset.key} depends on ${other}, which no job has`);
    }
  }
  const pools = new Set([...deployment.assets.values()].map((asset) => asset.pool));
  for (const pool of Object.keys(deployment.pools)) {
    if (!pools.has(pool)) problems.push(`pool ${pool} has a limit, but no asset is in it`);
  }
  for (const sensor of deployment.sensors.values()) {
    const problem = attempt(() => parseBySchema(sensor.cursor, {}, `initial cursor of ${sensor.name}`));
    if (problem !== undefined) problems.push(problem.replace(/\.$/, ''));
  }
  for (const schedule of deployment.schedules.values()) {
    const problem = attempt(() => CronExpressionParser.parse(schedule.cron, { tz: schedule.timeZone }));
    if (problem !== undefined) problems.push(`schedule ${schedule.name}: “${schedule.cron}” is no cron expression`);
  }
  return problems;
}

function attempt(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
