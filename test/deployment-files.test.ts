/**
 * Compose file, image, chart, alerts and dashboard: what must hold of them whoever reads them, and the linters that this
 * machine has. Those it has not are named as not run.
 */

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { Ajv } from 'ajv';
import { parse, parseAllDocuments } from 'yaml';

const ROOT = path.resolve(__dirname, '..');
const read = (file: string) => readFileSync(path.join(ROOT, file), 'utf8');

interface Service {
  readonly image?: string;
  readonly profiles?: readonly string[];
  readonly ports?: readonly string[];
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly read_only?: boolean;
}

describe('docker-compose.yml', () => {
  const text = read('docker-compose.yml');
  const compose = parse(text, { merge: true }) as {
    services: Record<string, Service>;
    volumes: Record<string, unknown>;
  };
  const services = Object.entries(compose.services);

  test('core is Skein and what it needs; full is everything', () => {
    const inProfile = (name: string) => services.filter(([, one]) => one.profiles?.includes(name)).map(([key]) => key);
    expect(inProfile('core')).toEqual(['server', 'worker', 'redis', 'postgres', 'clickhouse']);
    expect(inProfile('full')).toEqual(services.map(([key]) => key));
  });

  test.each(services)('%s: a pinned image, a health check, ports on loopback only', (_name, service) => {
    expect(service.image).toMatch(/^[\w./-]+:[\w.-]*\d[\w.-]*$/);
    expect(service.image).not.toContain('latest');
    expect(service.healthcheck?.test.length).toBeGreaterThan(1);
    for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
  });

  test('secrets have no default: compose refuses to start without them, and example.env names them all', () => {
    const secrets = [...text.matchAll(/\$\{([A-Z_]*(?:PASSWORD|TOKEN|SECRET)[A-Z_]*)([^}]*)\}/g)];
    for (const [, name, rest] of secrets) expect([name, rest?.slice(0, 2)]).toEqual([name, ':?']);
    const example = [...read('infra/docker/example.env').matchAll(/^([A-Z_]+)=(.*)$/gm)];
    expect(example.map(([, name]) => name).sort()).toEqual([...new Set(secrets.map(([, name]) => name))].sort());
    expect(example.map(([, , value]) => value)).toEqual(example.map(() => ''));
  });

  test('what is mounted from the repository is there, and volumes are declared', () => {
    for (const [, { volumes = [] }] of services) {
      for (const volume of volumes) {
        const [source = ''] = volume.split(':');
        if (source.startsWith('./')) expect(() => readFile(source)).not.toThrow();
        else expect(Object.keys(compose.volumes)).toContain(source);
      }
    }
  });

  test('Redis is one that Skein accepts', () => {
    const command = String((compose.services.redis as unknown as { command: string[] }).command);
    expect(command).toContain('--appendonly yes');
    expect(command).toContain('--maxmemory-policy noeviction');
  });

  const docker = spawnSync('docker', ['compose', 'version']).status === 0;
  (docker ? test : test.skip)('docker compose accepts both profiles', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'skein-compose-'));
    const env = path.join(folder, 'env');
    writeFileSync(env, read('infra/docker/example.env').replace(/=$/gm, '=abcdefabcdefabcdefabcdef'));
    for (const profile of ['core', 'full'])
      execFileSync('docker', ['compose', '--env-file', env, '--profile', profile, 'config', '--quiet'], { cwd: ROOT });
    rmSync(folder, { recursive: true });
  });
});

describe('the image', () => {
  const text = read('infra/docker/Dockerfile');

  test('is pinned, not root, and starts skein', () => {
    for (const [, image] of text.matchAll(/^FROM (\S+:\S+)/gm)) expect(image).toMatch(/^node:\d+\.\d+\.\d+-/);
    expect([...text.matchAll(/^USER (\S+)/gm)].map(([, user]) => user)).toEqual(['1000:1000']);
    const entry = /^ENTRYPOINT (\[.*\])$/m.exec(text)?.[1] ?? '[]';
    const file = (JSON.parse(entry) as string[]).at(-1) ?? '';
    expect(() => read(file)).not.toThrow();
  });

  test('every workspace’s manifest is copied before it is installed', () => {
    const { workspaces } = JSON.parse(read('package.json')) as { workspaces: string[] };
    for (const workspace of workspaces) expect(text).toContain(`COPY ${workspace}/package.json ${workspace}/`);
  });

  (has('hadolint') ? test : test.skip)('hadolint accepts it', () => {
    execFileSync('hadolint', ['infra/docker/Dockerfile'], { cwd: ROOT });
  });
});

describe('the chart', () => {
  const chart = 'infra/helm/skein';
  const validate = new Ajv().compile(JSON.parse(read(`${chart}/values.schema.json`)) as object);
  const values = parse(read(`${chart}/values.yaml`)) as Record<string, unknown>;

  test('its values fit its schema, but for the Secret that only its user knows', () => {
    expect(validate({ ...values, envSecret: 'skein-env' })).toBe(true);
    expect(validate(values)).toBe(false);
    expect(validate.errors).toMatchObject([{ instancePath: '/envSecret', keyword: 'minLength' }]);
  });

  test.each([
    ['an unknown value', { replicas: 3 }],
    ['the tag latest', { image: { repository: 'skein', tag: 'latest' } }],
    ['a secret in plain sight', { env: { DB_PASSWORD: 'x' } }],
  ])('refuses %s', (_what, wrong) => {
    expect(validate({ ...values, envSecret: 'skein-env', ...wrong })).toBe(false);
  });

  (has('helm') ? test : test.skip)('helm lints it and renders what it must', () => {
    const args = [chart, '--set', 'envSecret=s,worker.autoscaling.enabled=true', '--kube-version', '1.31.0'];
    execFileSync('helm', ['lint', '--strict', ...args], { cwd: ROOT });
    const text = execFileSync('helm', ['template', 'r', ...args], { cwd: ROOT, encoding: 'utf8' });
    const kinds = parseAllDocuments(text).map((document) => (document.toJS() as { kind: string }).kind);
    expect(new Set(kinds)).toEqual(
      new Set([
        ...['Deployment', 'Service', 'ServiceAccount', 'Job', 'Pod'],
        ...['PodDisruptionBudget', 'HorizontalPodAutoscaler', 'NetworkPolicy'],
      ]),
    );
  });
});

describe('the alerts', () => {
  const rules = readdirSync(path.join(ROOT, 'infra/prometheus')).filter((name) => name.endsWith('.rules.yml'));

  test('each of the engine’s has a severity, a summary and a runbook, and stands in the operations page', () => {
    const { groups } = parse(read('infra/prometheus/engine.rules.yml')) as {
      groups: { rules: { alert: string; labels: object; annotations: { summary: string; runbook: string } }[] }[];
    };
    const page = read('docs/operations.md');
    for (const rule of groups.flatMap((group) => group.rules)) {
      expect(rule).toMatchObject({ labels: { severity: expect.stringMatching(/^(warning|critical)$/) as string } });
      expect(rule.annotations.summary).not.toBe('');
      expect(rule.annotations.runbook.length).toBeGreaterThan(100);
      expect(page).toContain(`\`${rule.alert}\``);
    }
  });

  (has('promtool') ? test : test.skip)('promtool accepts them, and each fires when it must and not otherwise', () => {
    const cwd = path.join(ROOT, 'infra/prometheus');
    execFileSync('promtool', ['check', 'rules', ...rules], { cwd });
    execFileSync('promtool', ['test', 'rules', 'engine.test.yml'], { cwd });
  });
});

test('the dashboard is one that Grafana can take: ids and places of panels are their own', () => {
  const { panels } = JSON.parse(read('infra/grafana/skein.json')) as {
    panels: { id: number; type: string; gridPos: { x: number; y: number; w: number; h: number }; targets?: object[] }[];
  };
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`),
  );
  expect(new Set(cells).size).toBe(cells.length);
  for (const panel of panels) if (panel.type !== 'row') expect(panel.targets?.length).toBeGreaterThan(0);
});

function has(program: string): boolean {
  return spawnSync(program, ['--version']).error === undefined;
}

/** Files, and folders by a file in them. */
function readFile(source: string): unknown {
  const full = path.join(ROOT, source);
  return source.includes('.', 2) ? readFileSync(full) : readdirSync(full);
}
