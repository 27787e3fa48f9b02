/** A program: installs the schemathesis that its argument names, `schemathesis-<version>`, into the machine's cache. */

import { messageOf } from '../src/errors.ts';
import { ensurePythonProgram } from '../src/python.ts';

const [folder = ''] = process.argv.slice(2);
const tell = (line: string) => void process.stderr.write(`${line}\n`);

ensurePythonProgram(
  {
    folder,
    program: 'schemathesis',
    packages: [folder.replace('-', '==')],
    purpose: 'schemathesis (fuzzing of the API)',
  },
  tell,
).catch((error: unknown) => {
  tell(messageOf(error));
  process.exitCode = 1;
});
