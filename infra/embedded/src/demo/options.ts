/** The demo's command line. */

import { parseArgs } from 'node:util';

export interface DemoOptions {
  readonly once: boolean;
  readonly json: boolean;
  readonly fresh: boolean;
  readonly scale: number;
  readonly help: boolean;
}

export const HELP = `npm run demo -- [--once] [--json] [--scale N] [--fresh]

Starts the embedded services and a whole Skein in one process, loads a sample company whose data has the troubles
that the job families cure, runs them, and compares the result with the source, partition by partition.

  --once     end after the table instead of leaving the dashboard running
  --json     print the table as one JSON object on stdout
  --scale N  make the sample N times larger
  --fresh    forget the data of the last demo first

Examples:
  npm run demo
  npm run demo -- --once --json > demo.json
`;

/** @throws TypeError with a sentence for people */
export function parseOptions(args: readonly string[]): DemoOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      once: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      fresh: { type: 'boolean', default: false },
      scale: { type: 'string', default: '1' },
      help: { type: 'boolean', default: false },
    },
  });
  const scale = Number(values.scale);
  if (!Number.isInteger(scale) || scale < 1 || scale > 100)
    throw new TypeError('--scale takes a whole number from 1 to 100.');
  return { once: values.once, json: values.json, fresh: values.fresh, scale, help: values.help };
}
