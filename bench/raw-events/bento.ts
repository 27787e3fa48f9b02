/**
 * Bento with the same mapping, where its binary is at hand (`SKEIN_BENTO`, or `bento` on the path): how many payloads it
 * parses, maps and serialises in a second of CPU. What it takes to start, and to pass lines through without looking at
 * them, is measured too and left out.
 *
 *     go build -C bench/raw-events/bento -o /somewhere/bento .
 */

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';

import { parse, stringify } from 'yaml';

const MAPPING = fileURLToPath(new URL('bento/mapping.yaml', import.meta.url));
const LINES = 50_000;

export function findBento(): string | undefined {
  const binary = process.env.SKEIN_BENTO ?? 'bento';
  return spawnSync(binary, ['--version']).status === 0 ? binary : undefined;
}

/** @throws when Bento makes other events than we do, for then the figures could not be compared */
export function bentoPerCpuSecond(
  binary: string,
  payloads: readonly string[],
  eventOf: (payload: string) => object | undefined,
  rounds: number,
): number[] {
  const dir = mkdtempSync(path.join(tmpdir(), 'bench-bento-'));
  try {
    const input = path.join(dir, 'in.jsonl');
    const output = path.join(dir, 'out.jsonl');
    const passing = path.join(dir, 'passing.yaml');
    const { pipeline: _mappings, ...rest } = parse(readFileSync(MAPPING, 'utf8')) as Record<string, unknown>;
    writeFileSync(passing, stringify(rest));
    const run = (config: string) => cpuSeconds([binary, '-c', config], input, output);

    writeFileSync(input, `${payloads.join('\n')}\n`);
    run(MAPPING);
    const theirs = readFileSync(output, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    const ours = payloads.map(eventOf).filter((event) => event !== undefined);
    const differing = ours.findIndex((event, i) => !isDeepStrictEqual(event, theirs[i]));
    if (differing >= 0 || theirs.length !== ours.length) {
      throw new RangeError(`Bento makes another event: ${JSON.stringify([ours[differing], theirs[differing]])}`);
    }

    const lines = Array.from({ length: LINES }, (_, i) => payloads[i % payloads.length]);
    writeFileSync(input, `${lines.join('\n')}\n`);
    return Array.from({ length: rounds }, () => LINES / (run(MAPPING) - run(passing)));
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** Of a command on one core, user and system, as the shell that waited for it says. */
function cpuSeconds(command: readonly string[], input: string, output: string): number {
  const said = execFileSync('sh', ['-c', '"$@" <&3 >&4; times', 'sh', ...command], {
    encoding: 'utf8',
    env: { ...process.env, GOMAXPROCS: '1' },
    stdio: ['ignore', 'pipe', 'inherit', openSync(input, 'r'), openSync(output, 'w')],
  });
  const children = said.trim().split('\n').at(-1) ?? '';
  return [...children.matchAll(/(\d+)m([\d.]+)s/g)].reduce((sum, [, m, s]) => sum + Number(m) * 60 + Number(s), 0);
}
