/** What the palette offers: pages, what the server found, and what can be done with it. Pure. */

import type { LinkProps } from '@tanstack/react-router';

import type { Backfill, Schedule, SearchHit, Sensor } from '../api/generated/client.ts';
import type { RunAct } from '../runs/run-acts.ts';
import { NAV } from './nav.ts';

/** An act that the palette does itself, or asks about in a dialog. */
export type Deed =
  | { readonly act: 'evaluate' | 'start-sensor' | 'stop-sensor' | 'reset-cursor'; readonly sensor: string }
  | { readonly act: 'start-schedule' | 'stop-schedule'; readonly schedule: string }
  | { readonly act: 'pause-backfill' | 'resume-backfill'; readonly backfill: string }
  | { readonly act: RunAct; readonly run: string }
  | { readonly act: 'theme' | 'shortcuts' };

export interface Entry {
  readonly id: string;
  readonly kind: string;
  readonly title: string;
  readonly detail: string;
  readonly link?: LinkProps;
  readonly deed?: Deed;
  readonly permission?: string;
}

/** What is known of states, so that only what makes sense is offered. */
export interface States {
  readonly sensors: readonly Sensor[];
  readonly schedules: readonly Schedule[];
  readonly backfills: readonly Backfill[];
}

/** Words that say what to do; the rest of the text says with what. */
const VERBS = new Set(
  'launch materialize run again retry cancel compare log evaluate start stop pause resume reset cursor edit preview ticks switch open find failures of the'.split(
    ' ',
  ),
);

const wordsOf = (text: string) => text.trim().toLowerCase().split(/\s+/).filter(Boolean);

/** The part of a text that names something: `stop feed` asks for `feed`. A text of verbs alone asks for itself. */
export function askedOf(text: string): string {
  const words = text.trim().split(/\s+/);
  const names = words.filter((word) => !VERBS.has(word.toLowerCase()));
  return names.length === 0 || names.length === words.length ? text.trim() : names.join(' ');
}

/** All that fits a text: with a verb in it, what can be done comes first, and only what has all the words. */
export function entriesFor(text: string, hits: readonly SearchHit[], states: States): Entry[] {
  const words = wordsOf(text);
  const isDoing = words.some((word) => VERBS.has(word));
  const fits = ({ title }: Entry) => words.every((word) => title.toLowerCase().includes(word));
  const places = hits.map(placeOf);
  const deeds = hits.flatMap((hit) => deedsOf(hit, states));
  const common = [...pages(), ...commonDeeds(), ...backfillDeeds(states.backfills)].filter(fits);
  if (!isDoing) return [...common, ...places, ...deeds.slice(0, MOST_DEEDS)];
  const fitting = [...deeds.filter(fits), ...common];
  return [...fitting, ...places];
}

/** Of a text that only names something: what can be done must not bury what was found. */
const MOST_DEEDS = 12;

function pages(): Entry[] {
  return NAV.map((item) => ({
    ...{ id: `page:${item.to}`, kind: 'page', title: item.name, detail: `g ${item.key}` },
    link: { to: item.to },
  }));
}

function commonDeeds(): Entry[] {
  const link = (title: string, to: LinkProps): Entry => ({
    id: `do:${title}`,
    kind: 'do',
    title,
    detail: '',
    link: to,
  });
  return [
    link('Launch a run', { to: '/launch' }),
    link('Find runs that failed', { to: '/runs', search: { q: 'status:failed' } }),
    link('Find runs under way', { to: '/runs', search: { q: 'status:running' } }),
    link('Compare two runs', { to: '/compare' }),
    link('Read the audit log', { to: '/system', search: { tab: 'audit' } }),
    link('Make a token', { to: '/system', search: { tab: 'tokens' } }),
    { ...link('Switch between light and dark', {}), deed: { act: 'theme' } },
    { ...link('Show the keyboard shortcuts', {}), detail: '?', deed: { act: 'shortcuts' } },
  ];
}

function backfillDeeds(backfills: readonly Backfill[]): Entry[] {
  return backfills
    .filter(({ status }) => status === 'IN_PROGRESS' || status === 'PAUSED')
    .map(({ id, job, status }) => {
      const act = status === 'PAUSED' ? 'resume' : 'pause';
      return {
        ...{ id: `${act}:${id}`, kind: 'do', detail: id.slice(-10), permission: 'backfill' },
        title: `${act === 'pause' ? 'Pause' : 'Resume'} the backfill of ${job}`,
        deed: { act: `${act}-backfill`, backfill: id } as const,
      };
    });
}

/** Where what was found is. */
function placeOf(hit: SearchHit): Entry {
  const { kind, id, title, detail, asset = '' } = hit;
  return { id: `${kind}:${asset}:${id}`, kind, title, detail, link: linkOf(hit) };
}

function linkOf({ kind, id, asset = '' }: SearchHit): LinkProps {
  switch (kind) {
    case 'asset':
      return { to: '/assets/$key', params: { key: id } };
    case 'sensor':
      return { to: '/sensors/$name', params: { name: id } };
    case 'run':
      return { to: '/runs/$id', params: { id } };
    case 'partition':
      return { to: '/assets/$key', params: { key: asset }, search: { cell: id } };
    case 'job':
      return { to: '/runs', search: { q: `job:${id}` } };
    case 'schedule':
      return { to: '/schedules', search: { name: id } };
    case 'pool':
      return { to: '/system', search: { tab: 'pools' } };
  }
}

function deedsOf({ kind, id, title, asset = '' }: SearchHit, { sensors, schedules }: States): Entry[] {
  const made = (name: string, rest: Pick<Entry, 'link' | 'deed' | 'permission'>): Entry => ({
    ...{ id: `do:${name}:${asset}`, kind: 'do', title: name, detail: asset },
    ...rest,
  });
  switch (kind) {
    case 'asset':
      return [
        made(`Materialize ${title}`, { link: { to: '/launch', search: { asset: id } } }),
        made(`Find runs of ${title}`, { link: { to: '/runs', search: { q: `asset:${id}` } } }),
      ];
    case 'job':
      return [
        made(`Launch ${title}`, { link: { to: '/launch', search: { job: id } } }),
        made(`Find failures of ${title}`, { link: { to: '/failures', search: { job: id } } }),
      ];
    case 'sensor': {
      const isOn = sensors.find(({ name }) => name === id)?.status === 'RUNNING';
      const tab = (name: 'ticks' | 'cursor') => ({ to: '/sensors/$name', params: { name: id }, search: { tab: name } });
      return [
        made(`Evaluate ${title} now`, { deed: { act: 'evaluate', sensor: id }, permission: 'evaluate_sensor' }),
        isOn
          ? made(`Stop ${title}`, { deed: { act: 'stop-sensor', sensor: id }, permission: 'switch_sensor' })
          : made(`Start ${title}`, { deed: { act: 'start-sensor', sensor: id }, permission: 'switch_sensor' }),
        made(`Edit the cursor of ${title}`, { link: tab('cursor') as LinkProps }),
        made(`Reset the cursor of ${title}…`, {
          deed: { act: 'reset-cursor', sensor: id },
          permission: 'set_cursor',
        }),
      ];
    }
    case 'schedule': {
      const isOn = schedules.find(({ name }) => name === id)?.status === 'RUNNING';
      const act = isOn ? ('stop-schedule' as const) : ('start-schedule' as const);
      return [
        made(`${isOn ? 'Stop' : 'Start'} ${title}`, { deed: { act, schedule: id }, permission: 'switch_sensor' }),
      ];
    }
    case 'run':
      return [
        made(`Read the log of ${title}`, { link: { to: '/runs/$id', params: { id }, search: { tab: 'log' } } }),
        made(`Compare ${title} with the last success`, { link: { to: '/compare', search: { a: id } } }),
        made(`Run ${title} again…`, { deed: { act: 'retry', run: id }, permission: 'launch_run' }),
        made(`Cancel ${title}…`, { deed: { act: 'cancel', run: id }, permission: 'cancel_run' }),
      ];
    case 'partition':
      return [made(`Launch ${title}`, { link: { to: '/launch', search: { asset, partition: id } } })];
    case 'pool':
      return [];
  }
}
