/**
 * A query of assets: `group:lake status:failed +scores+2 or not key:"a b"`. Words find in names, groups and
 * descriptions; `and` may be left out. Pure.
 */

import type { Asset } from '../api/generated/client.ts';
import type { Suggestion } from '../runs/query-language.ts';
import { near } from './graph/model.ts';

type Test = (asset: Asset) => boolean;

export interface AssetQuery {
  readonly matches: Test;
  /** What of the query is not understood; undefined when all of it is. */
  readonly problem: string | undefined;
}

const STATUSES: Readonly<Record<string, Test>> = {
  failed: ({ counts }) => counts.failed > 0,
  active: ({ counts }) => counts.queued + counts.running + counts.cancelling > 0,
  missing: ({ missing }) => missing > 0,
  complete: ({ missing, counts }) => missing === 0 && counts.failed === 0,
};
const FIELDS = ['key', 'group', 'status', 'job', 'sensor'] as const;
const EVERYTHING: Test = () => true;

export function parseAssetQuery(text: string, assets: readonly Asset[]): AssetQuery {
  const words = text.match(/\(|\)|(?:"(?:\\.|[^"\\])*"?|[^\s()"])+/g) ?? [];
  let at = 0;
  let problem: string | undefined;
  const complain = (what: string) => {
    problem ??= what;
    return EVERYTHING;
  };

  const either = (): Test => {
    const all = [both()];
    while (words[at]?.toLowerCase() === 'or') {
      at++;
      all.push(both());
    }
    return (asset) => all.some((test) => test(asset));
  };
  const both = (): Test => {
    const all: Test[] = [];
    for (;;) {
      const word = words[at]?.toLowerCase();
      if (word === 'and' && all.length > 0) at++;
      else if (word === undefined || word === 'or' || word === ')') break;
      else all.push(one());
    }
    if (all.length === 0)
      return text.trim() === '' ? EVERYTHING : complain('Something is missing beside “and”, “or” or “()”.');
    return (asset) => all.every((test) => test(asset));
  };
  const one = (): Test => {
    const word = words[at++] ?? '';
    if (word.toLowerCase() === 'not') {
      const test = words[at] === undefined ? complain('Something is missing after “not”.') : one();
      return (asset) => !test(asset);
    }
    if (word !== '(') return testOf(word, assets) ?? complain(`“${word}” is not understood.`);
    const test = either();
    if (words[at++] !== ')') complain('A “)” is missing.');
    return test;
  };

  const matches = either();
  if (at < words.length) complain('A “(” is missing.');
  return { matches, problem };
}

/** Undefined for a word that means nothing. */
function testOf(word: string, assets: readonly Asset[]): Test | undefined {
  const colon = word.startsWith('"') ? -1 : word.indexOf(':');
  if (colon >= 0) return fieldOf(word.slice(0, colon).toLowerCase(), bare(word.slice(colon + 1)));
  const around = /^(\+(\d*))?([^+].*?)(\+(\d*))?$/.exec(word);
  if (around?.[3] !== undefined && (around[1] !== undefined || around[4] !== undefined))
    return lineage(bare(around[3]), stepsOf(around[1], around[2]), stepsOf(around[4], around[5]), assets);
  const find = bare(word).toLowerCase();
  return ({ key, group, description }) => `${key}\n${group}\n${description}`.toLowerCase().includes(find);
}

function fieldOf(field: string, value: string): Test | undefined {
  switch (field) {
    case 'key':
      return ({ key }) => key === value;
    case 'group':
      return ({ group }) => group === value;
    case 'job':
      return ({ jobs }) => jobs.includes(value);
    case 'sensor':
      return ({ sensors }) => sensors.includes(value);
    case 'status':
      return STATUSES[value.toLowerCase()];
    default:
      return undefined;
  }
}

/** `+` is as far as it goes, `+2` two steps, nothing none. */
const stepsOf = (plus: string | undefined, steps: string | undefined) =>
  plus === undefined ? 0 : steps ? Number(steps) : Infinity;

function lineage(key: string, before: number, after: number, assets: readonly Asset[]): Test {
  const edges = assets.flatMap((one) => one.depends_on.map(({ asset }) => [asset, one.key] as const));
  const kept = near({ edges }, key, before, after);
  return (asset) => kept.has(asset.key);
}

const bare = (word: string) => (word.startsWith('"') ? word.replace(/^"|"$/g, '').replaceAll(/\\(.)/g, '$1') : word);

/** What may come next while the word is typed. */
export function suggestAssets(word: string, assets: readonly Asset[]): readonly Suggestion[] {
  const colon = word.indexOf(':');
  if (colon < 0)
    return [
      { text: 'group:', hint: 'of this group' },
      { text: 'status:', hint: Object.keys(STATUSES).join(', ') },
      { text: 'key:', hint: 'exactly this asset' },
      { text: 'job:', hint: 'made by this job' },
      { text: 'sensor:', hint: 'asked for by this sensor' },
      ...(assets[0] ? [{ text: `+${assets[0].key}+1`, hint: 'it, all before it, one step after it' }] : []),
    ].filter(({ text }) => text.startsWith(word.toLowerCase()));
  const [field, typed] = [word.slice(0, colon), word.slice(colon + 1).toLowerCase()];
  const values: Readonly<Record<(typeof FIELDS)[number], () => readonly string[]>> = {
    key: () => assets.map(({ key }) => key),
    group: () => assets.map(({ group }) => group),
    status: () => Object.keys(STATUSES),
    job: () => assets.flatMap(({ jobs }) => jobs),
    sensor: () => assets.flatMap(({ sensors }) => sensors),
  };
  const known = FIELDS.find((one) => one === field.toLowerCase());
  return [...new Set(known ? values[known]() : [])]
    .filter((value) => value.toLowerCase().includes(typed) && value.toLowerCase() !== typed)
    .slice(0, 8)
    .map((value) => ({ text: `${field}:${/[\s"()]/.test(value) ? JSON.stringify(value) : value}`, hint: '' }));
}
