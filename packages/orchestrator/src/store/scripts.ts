/**
 * The catalogue of Lua scripts: each file is one transition, its header names the includes that it is made with.
 * Scripts are sent by content hash, so processes of different versions never run each other's.
 */

import { readFileSync } from 'node:fs';

import type { Redis } from 'ioredis';

const SCRIPT_NAMES = [
  'submit',
  'admit',
  'resend',
  'beat',
  'begin',
  'renew',
  'checkpoint',
  'progress',
  'settle-partition',
  'settle',
  'cancel',
  'expire',
  'register',
  'claim-ticks',
  'open-tick',
  'begin-tick',
  'commit-tick',
  'fail-tick',
  'set-cursor',
  'switch-sensor',
  'set-pool',
  'claim-probes',
  'mark',
  'expand',
  'switch-backfill',
  'change-backfill',
  'replace-saved',
  'recount',
  'look-in-log',
] as const;

export type ScriptName = (typeof SCRIPT_NAMES)[number];
export type ScriptReply = null | number | string | ScriptReply[];

const here = new URL('./lua/', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, here), 'utf8');

/** The whole text of a script: its includes in the order of its header, then itself. */
function scriptText(name: ScriptName): string {
  const body = read(`${name}.lua`);
  const includes = /^-- include: (.+)$/m.exec(body)?.[1]?.trim().split(/\s+/) ?? [];
  return [...includes.map((include) => read(`include/${include}.lua`)), body].join('\n');
}

type Command = (prefix: string, ...args: (string | number)[]) => Promise<ScriptReply>;

/** Teaches a connection the scripts. Idempotent. */
export function loadScripts(redis: Redis): void {
  const target = redis as Redis & Record<string, unknown>;
  for (const name of SCRIPT_NAMES) {
    if (target[commandName(name)] === undefined)
      redis.defineCommand(commandName(name), { numberOfKeys: 1, lua: scriptText(name) });
  }
}

/** Runs one script over a prefix; the reply is as Redis gives it. */
export function runScript(
  redis: Redis,
  prefix: string,
  name: ScriptName,
  ...args: (string | number)[]
): Promise<ScriptReply> {
  const command = (redis as unknown as Record<string, Command>)[commandName(name)];
  if (command === undefined)
    throw new TypeError(`The connection does not know the script ${name}: call loadScripts first.`);
  return command.call(redis, prefix, ...args);
}

function commandName(name: ScriptName): string {
  return `skein_${name.replaceAll('-', '_')}`;
}
