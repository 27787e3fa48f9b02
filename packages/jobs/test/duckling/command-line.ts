/** `skein ducklings …` in a test: the real commands on a lake house, with a client of the test's choice. */

import { clickhouse, ducklings, ducklingsCommand } from '@skein/jobs';
import { type Json, type JsonObject, type Resource, type SkeinClient } from '@skein/orchestrator';
import { Command } from 'commander';

import type { LakeHouse } from './lake-house.ts';

export interface Said {
  readonly value: JsonObject;
  readonly lines: readonly string[];
  readonly notes: readonly string[];
  readonly exit: number;
}

/** Runs one command line of the family; what it prints is kept. */
export async function runSkein(house: LakeHouse, line: string, client: Partial<SkeinClient> = {}): Promise<Said> {
  const notes: string[] = [];
  let value: Json = null;
  let lines: readonly string[] = [];
  let exit = 0;
  const program = new Command().exitOverride().configureOutput({ writeErr: (text) => void notes.push(text) });
  const pending: Promise<void>[] = [];
  ducklingsCommand.register(program, (action) => {
    const done = action({
      env: house.env,
      open: async <T>(token: Resource<T>) =>
        ({ [ducklings.name]: house.ducklings, [clickhouse.name]: house.clickhouse })[token.name] as T,
      client: async () => client as SkeinClient,
      print: (json, text) => {
        value = json;
        lines = text();
      },
      note: (text) => void notes.push(text),
      exitWith: (code) => (exit = code),
    });
    pending.push(done);
    return done;
  });
  for (const group of program.commands) for (const leaf of group.commands) leaf.exitOverride();
  await program.parseAsync(line.split(' '), { from: 'user' });
  await Promise.all(pending);
  return { value: value as unknown as JsonObject, lines, notes, exit };
}
