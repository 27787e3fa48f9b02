/** `skein raw-events transform`: shows what becomes of payloads, line by line, without any service. */

import type { CommandFamily } from '@skein/orchestrator';
import { Option } from 'commander';

import { transformLines } from './transform-lines.ts';
import { PROFILES, type Profile } from './transform.ts';

interface Options {
  readonly profile: Profile;
  readonly plain: boolean;
}

const EXAMPLES = `
Each line of the input is {"payload": "<the raw text>", "tenant_id": "t1", "environment_id": "e1"}; with --plain it is
the payload itself. Each line of the output, in the same order, is one of
  {"kind":"event","event":{…}}   {"kind":"drop","reason":"missing_org_id"}   {"kind":"error","error":"…"}

Examples:
  skein raw-events transform < cases.jsonl
  skein raw-events transform --profile current --plain < payloads.jsonl`;

export const rawEventsCommand: CommandFamily = {
  register(program, run) {
    const family = program.command('raw-events').description('Look at raw billing events and their mapping');
    const command = family
      .command('transform')
      .description('Transform payloads from stdin into events on stdout, one JSON document a line')
      .addOption(new Option('--profile <name>', 'the revision of the mapping').choices(PROFILES).default('seed'))
      .option('--plain', 'each line is a payload, not a case with a payload in it', false)
      .option('--json', 'accepted for symmetry: the output is JSON lines in any case')
      .addHelpText('after', EXAMPLES);
    command.action(() =>
      run(async () => {
        const { profile, plain } = command.opts<Options>();
        await transformLines(process.stdin, process.stdout, { profile, plain });
      }),
    );
  },
};
