/** Resources of a process: what says nothing keeps nobody waiting. */

import { defineDeployment, provide, resource } from '../../src/index.ts';
import { createResourcePool } from '../../src/worker/resources.ts';
import { SILENT } from '../engine/harness.ts';

const never = () => new Promise<never>(() => {});

test('what does not open and what does not answer is said after a while; closing waits for neither', async () => {
  const closed: string[] = [];
  const binding = (name: string, open: () => Promise<string>, ping: () => Promise<string>) =>
    provide(resource<string>(name, name), { open, ping, close: async (value) => void closed.push(value) });
  const resources = [
    binding('fine', async () => 'it', async () => 'version 1'), // prettier-ignore
    binding('closed_door', never, never),
    binding('silent', async () => 'silent one', never),
  ];
  const pool = createResourcePool(defineDeployment({ definitions: { jobs: [] }, resources }), {}, SILENT);
  const said = await pool.pingAll(20);
  expect([...said].map(([name, answer]) => [name, answer instanceof Error ? answer.message : answer])).toEqual([
    ['fine', 'version 1'],
    ['closed_door', 'closed_door does not answer within 0.02 s.'],
    ['silent', 'silent does not answer within 0.02 s.'],
  ]);
  await pool.close();
  expect(closed.sort()).toEqual(['it', 'silent one']);
});
