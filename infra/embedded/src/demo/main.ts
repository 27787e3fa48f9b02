/**
 * The demo: embedded services, a whole Skein in one process, a sample company with all the troubles that the job
 * families cure, before and after. A second start finds everything made, changes nothing and says so.
 */

import { fileURLToPath } from 'node:url';

import type { Logger } from '@skein/orchestrator';
import { countPartitions } from '@skein/orchestrator/runtime';

import { ServicesError } from '../errors.ts';
import { applySchemas } from '../schemas.ts';
import { readServicesEnv, removeServicesDirectory, startServices, stopServices } from '../services.ts';
import { type Company, openCompany } from './company.ts';
import { type DemoOptions, HELP, parseOptions } from './options.ts';
import { PARTS } from './parts.ts';
import { type Progress, createProgress } from './progress.ts';
import { type DemoReport, formatTable } from './report.ts';
import { type Shown, watch } from './watch.ts';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const DIR = `${ROOT}.skein`;

/** Engine trouble is worth a line; what runs say is in their logs on the dashboard. */
const LOG: Logger = {
  debug() {},
  info() {},
  warn: (message, fields) => void process.stderr.write(`warning: ${message} ${JSON.stringify(fields ?? {})}\n`),
  error: (message, fields) => void process.stderr.write(`error: ${message} ${JSON.stringify(fields ?? {})}\n`),
};

async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args);
  if (options.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const began = performance.now();
  const progress = createProgress(process.stderr);
  if (options.fresh) {
    progress.step('Forgetting the last demo …');
    await stopServices({ dir: DIR });
    removeServicesDirectory(DIR);
  }
  progress.step('Starting Redis, PostgreSQL and ClickHouse …');
  // Without Kafka on purpose: a publisher of the demo fills the tables that Kafka would, on every machine alike.
  const services = await startServices({ dir: DIR, without: ['kafka'] });
  try {
    const env = { ...process.env, ...readServicesEnv(DIR, process.env), SKEIN_KAFKA_BROKERS: undefined };
    await applySchemas({ env });
    const company = await openCompany(ROOT, env, options.scale, LOG);
    try {
      const report = await runParts(company, options, progress, began);
      process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : `\n${formatTable(report)}\n\n`);
      progress.step(
        `${report.ok ? 'Everything is made and verified' : 'Something is missing or differs'}, after ${report.seconds} s.`,
      );
      if (options.once) return report.ok ? 0 : 1;
      progress.step(
        `The dashboard is at ${company.server.url} — Ctrl-C ends the demo, “npm run demo” starts it again where it was.`,
      );
      await untilInterrupted();
      return 0;
    } finally {
      await company.close();
    }
  } finally {
    await services.stop();
  }
}

async function runParts(
  company: Company,
  options: DemoOptions,
  progress: Progress,
  began: number,
): Promise<DemoReport> {
  const { context } = company;
  progress.step(`Loading the sample company${options.scale > 1 ? `, ${options.scale} times larger` : ''} …`);
  for (const part of PARTS) await part.load(context);
  const before = [];
  for (const part of PARTS) before.push(await part.before(context));
  const shown = PARTS.map((part) => ({ part, keys: part.partitions(context) }));
  const left = await Promise.all(shown.map((one) => countLeft(company, one)));
  const todo = left.reduce((n, one) => n + one, 0);
  progress.step(
    todo === 0
      ? 'Every partition is made already: nothing to do, only to verify.'
      : `${todo} partitions to make. The dashboard: ${company.server.url}`,
  );
  for (const [i, { part }] of shown.entries()) if ((left[i] ?? 0) > 0) await part.launch(context);
  const counts = await watch(company, shown, progress);
  progress.step('Comparing with the source, partition by partition …');
  const assets = [];
  for (const [i, { part, keys }] of shown.entries()) {
    const { verified, after, details } = await part.verify(context, (left[i] ?? 0) > 0);
    const { materialized = 0, failed = 0 } = counts[i] ?? {};
    assets.push({
      asset: part.asset,
      partitions: keys.length,
      materialized,
      failed,
      verified,
      before: before[i] ?? {},
      after,
      details,
    });
  }
  const ok = assets.every((asset) => asset.verified && asset.failed === 0 && asset.materialized === asset.partitions);
  return { ok, assets, seconds: Math.round((performance.now() - began) / 100) / 10 };
}

/** Partitions that no run has made yet. */
async function countLeft({ engine }: Company, { part, keys }: Shown): Promise<number> {
  const { materialized, skipped } = await countPartitions(engine, part.asset, keys);
  return keys.length - materialized - skipped;
}

function untilInterrupted(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(
      `${error instanceof ServicesError || error instanceof TypeError ? message : ((error as Error).stack ?? message)}\n`,
    );
    process.exit(error instanceof TypeError ? 2 : 1);
  },
);
