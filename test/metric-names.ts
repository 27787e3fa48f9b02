/** Names of metrics: what a process exports, and what rules and dashboards ask for. */

import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';

/** By the answer of `/metrics`; of a histogram also the names of its series. */
export function exportedNames(text: string): Set<string> {
  const names = new Set<string>();
  for (const [, name = '', type] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
    names.add(name);
    if (type === 'histogram') for (const end of ['bucket', 'count', 'sum']) names.add(`${name}_${end}`);
  }
  return names;
}

/** By file. Names that a rule records are known where they are used; counters of job families are, by their source. */
export function namesAskedFor(root: string): Map<string, string[]> {
  const rules = readdirSync(path.join(root, 'infra/prometheus')).filter((name) => name.endsWith('.rules.yml'));
  const files = [...rules.map((name) => `infra/prometheus/${name}`), 'infra/grafana/skein.json'];
  const texts = new Map(files.map((file) => [file, readFileSync(path.join(root, file), 'utf8')]));
  const recorded = [...texts.values()].flatMap((text) => matches(text, /record: (\S+)/g));
  const counted = new Set([...recorded, ...countedByFamilies(root)]);
  return new Map(
    [...texts].map(([file, text]) => {
      const asked = matches(text, /\b((?:skein|nodejs|process)_[a-z0-9_:]*[a-z0-9])\b(?!')/g);
      return [file, [...new Set(asked)].filter((name) => !counted.has(name))];
    }),
  );
}

function countedByFamilies(root: string): string[] {
  const jobs = path.join(root, 'packages/jobs/src');
  return readdirSync(jobs, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => matches(readFileSync(path.join(jobs, file), 'utf8'), /count\(\s*'(skein_\w+)'/g));
}

function matches(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map(([, name = '']) => name);
}
