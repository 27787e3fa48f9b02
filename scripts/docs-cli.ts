/** docs/cli.md: what commander itself says of every command, so that page and program cannot disagree. */

import type { Deployment } from '@skein/orchestrator';

import { buildProgram } from '../packages/orchestrator/src/cli/program.ts';

type Command = ReturnType<typeof buildProgram>;

const WIDTH = 100;

const HEAD = `# The \`skein\` command

<!-- Made by \`npm run docs\` from the program’s own help; change it there. -->

In a checkout it is \`npx skein …\`. It finds \`skein.config.ts\` in the working directory or the nearest folder above it.

| exit code | meaning |
| --- | --- |
| 0 | done |
| 1 | the work failed |
| 2 | the request was wrong |
| 3 | a service cannot be reached |
| 130 | interrupted |

Every command takes \`--json\` (one JSON object on stdout; progress goes to stderr) and \`--allow-unsafe-redis\` (for
experiments). What a code such as \`[REFUSED]\` behind a message means is in [errors.md](errors.md). Arguments that name
partitions may be ranges: \`1..50_2024-01-01..2024-03-31\`.
`;

export function describeCommands(deployment: Deployment): string {
  const program = buildProgram(async () => {}, deployment);
  const sections = [section(program, 'skein')];
  const walk = (command: Command, name: string): void => {
    for (const child of command.commands) {
      const full = `${name} ${child.name()}`;
      sections.push(section(child, full));
      walk(child, full);
    }
  };
  walk(program, 'skein');
  return [HEAD, ...sections].join('\n');
}

function section(command: Command, name: string): string {
  return `## ${name}\n\n\`\`\`text\n${helpOf(command)}\n\`\`\`\n`;
}

function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({
    writeOut: (part) => void (text += part),
    getOutHelpWidth: () => WIDTH,
    getOutHasColors: () => false,
  });
  command.outputHelp();
  return text
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
    .trim();
}
