/**
 * Compose file, image, chart, alerts and dashboard: what must hold of them whoever reads them, and the linters that this
 * machine has. Those it has not are named as not run.
 */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { Ajv } from 'ajv';
import { parse, parseAllDocuments } from 'yaml';

import { type Linter, findLinter } from '../infra/embedded/src/linters.ts';

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

  testWith('compose-spec')('the reference implementation of the Compose specification accepts it', (lint) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'skein-compose-'));
    const file = path.join(folder, 'docker-compose.yml');
    const accept = (compose: string) => {
      writeFileSync(file, compose);
      return String(execFileSync(lint, [file], { cwd: folder, stdio: 'pipe' }));
    };
    expect(() => accept(text)).toThrow('required variable CLICKHOUSE_PASSWORD is missing');
    // The linter is given the secrets in place: it reads no environment of its own.
    expect(accept(text.replace(/\$\{[A-Z0-9_]+:\?[^}]*\}/g, 'abcdefabcdefabcdefabcdef'))).toContain('clickhouse-3:');
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

  testWith('hadolint')('hadolint accepts it', (lint) => {
    execFileSync(lint, ['infra/docker/Dockerfile'], { cwd: ROOT });
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

  test('is told where Prometheus is before it scales by the age of the queue', () => {
    const scaled = (queueAge: object) =>
      validate({ ...values, envSecret: 'skein-env', worker: { autoscaling: { enabled: true, queueAge } } });
    expect(scaled({ enabled: true, prometheusUrl: 'http://prometheus:9090' })).toBe(true);
    expect(scaled({ enabled: true, prometheusUrl: '' })).toBe(false);
    expect(scaled({ enabled: true })).toBe(false);
  });

  const ALWAYS = ['Deployment', 'Service', 'ServiceAccount', 'Job', 'Pod', 'PodDisruptionBudget', 'NetworkPolicy'];
  const AUTOSCALING = 'envSecret=s,worker.autoscaling.enabled=true';
  const QUEUE_AGE = 'worker.autoscaling.queueAge.enabled=true,worker.autoscaling.queueAge.prometheusUrl=http://p:9090';

  describe.each([
    ['as it comes', 'envSecret=s', []],
    ['scaled by CPU', AUTOSCALING, ['HorizontalPodAutoscaler']],
    ['scaled by the age of the queue', `${AUTOSCALING},${QUEUE_AGE}`, ['ScaledObject']],
  ])('%s', (_what, set, more) => {
    const args = [chart, '--set', set, '--kube-version', '1.31.0'];

    testWith('helm')('helm lints it and renders what it must', (helm) => {
      execFileSync(helm, ['lint', '--strict', ...args], { cwd: ROOT });
      const text = execFileSync(helm, ['template', 'r', ...args], { cwd: ROOT, encoding: 'utf8' });
      const kinds = parseAllDocuments(text).map((document) => (document.toJS() as { kind: string }).kind);
      expect(new Set(kinds)).toEqual(new Set([...ALWAYS, ...more]));
    });

    testWith('helm', 'kubernetes-validate')('Kubernetes’ own schemas accept what it renders', (helm, lint) => {
      const text = execFileSync(helm, ['template', 'r', ...args], { cwd: ROOT, encoding: 'utf8' });
      // KEDA’s kind is none of Kubernetes’ own.
      const known = parseAllDocuments(text).filter((document) => document.get('kind') !== 'ScaledObject');
      const rendered = path.join(mkdtempSync(path.join(tmpdir(), 'skein-chart-')), 'all.yaml');
      writeFileSync(rendered, known.map(String).join(''));
      execFileSync(lint, ['--version', '1.31', '--strict', rendered], { stdio: 'pipe' });
      rmSync(path.dirname(rendered), { recursive: true });
    });
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

  testWith('promtool')('promtool accepts them, and each fires when it must and not otherwise', (promtool) => {
    const cwd = path.join(ROOT, 'infra/prometheus');
    const tests = readdirSync(cwd).filter((name) => name.endsWith('.test.yml'));
    expect(tests.length).toBe(rules.length);
    execFileSync(promtool, ['check', 'rules', ...rules], { cwd, stdio: 'pipe' });
    execFileSync(promtool, ['test', 'rules', ...tests], { cwd, stdio: 'pipe' });
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

/** A test that runs where these linters are, and is skipped, by name, where one is not. */
function testWith(...names: readonly Linter[]) {
  const found = names.map(findLinter);
  return (title: string, work: (...programs: string[]) => void) => {
    if (found.every((file) => file !== undefined)) test(title, () => work(...found));
    else test.skip(title, () => undefined);
  };
}

/** Files, and folders by a file in them. */
function readFile(source: string): unknown {
  const full = path.join(ROOT, source);
  return source.includes('.', 2) ? readFileSync(full) : readdirSync(full);
}
