/** A process that archives, for tests that kill it. */

import { openEngine } from '../../src/engine/engine.ts';
import { archiveRuns } from '../../src/history/archive.ts';
import { testDeployment } from '../engine/harness.ts';

async function main(): Promise<void> {
  const engine = await openEngine(
    testDeployment(() => ({})),
    { env: process.env },
  );
  await archiveRuns(engine, { olderThanMs: 0, limit: 100_000 });
  await engine.close();
}

main().catch(() => process.exit(1));
