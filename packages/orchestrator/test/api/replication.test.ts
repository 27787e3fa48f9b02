/** What Redis says of its replicas, read without one: the texts are those of a primary and a replica of version 7. */

import { readFileSync } from 'node:fs';
import path from 'node:path';

import { parseReplication } from '../../src/api/reads/replication.ts';
import { closeApis, openApi } from './harness.ts';

afterEach(closeApis);

const primary = (...replicas: string[]) =>
  ['# Replication', 'role:master', `connected_slaves:${replicas.length}`, ...replicas, 'master_repl_offset:0', ''].join(
    '\r\n',
  );
const replica = (i: number, state: string, lag: number) =>
  `slave${i}:ip=127.0.0.1,port=1777${i},state=${state},offset=0,lag=${lag}`;

test('replicas that follow, one that loads, one that is silent', () => {
  expect(parseReplication(primary())).toEqual({
    role: 'primary',
    linked: true,
    replicas: 0,
    following: 0,
    maxLagSeconds: 0,
  });
  const several = primary(replica(0, 'online', 1), replica(1, 'wait_bgsave', 0), replica(2, 'online', 40));
  expect(parseReplication(several)).toMatchObject({ replicas: 3, following: 1, maxLagSeconds: 40 });
});

test('a replica, with its primary and without', () => {
  const text = (link: string) =>
    `# Replication\r\nrole:slave\r\nmaster_host:127.0.0.1\r\nmaster_link_status:${link}\r\n`;
  expect(parseReplication(text('up'))).toMatchObject({ role: 'replica', linked: true });
  expect(parseReplication(text('down'))).toMatchObject({ role: 'replica', linked: false });
});

test('the metrics tell of the Redis that is there', async () => {
  const api = await openApi();
  const { text } = await api.get('/metrics');
  expect(text).toMatch(/^skein_redis_primary 1$/m);
  expect(text).toMatch(/^skein_redis_replicas\{state="broken"\} 0$/m);
});

test('whatever the alerts ask for is exported', async () => {
  const api = await openApi();
  const { text } = await api.get('/metrics');
  const rules = readFileSync(path.resolve(__dirname, '../../../../infra/prometheus/engine.rules.yml'), 'utf8');
  const names = [...new Set(rules.match(/\b(skein|nodejs)_[a-z0-9_]+(?=[({) ]|$)/gm))];
  expect(names.length).toBeGreaterThan(15);
  expect(names.filter((name) => !text.includes(`# HELP ${name} `))).toEqual([]);
});
