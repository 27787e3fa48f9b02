// What `npm run demo` and `npm test` do first on a fresh clone, with nothing installed but Node and npm: check the Node
// version, install what the lock names, and prepare the services that npm cannot ship. A second start takes a second.
//   node infra/embedded/setup.mjs demo -- [arguments of the demo]
//   node infra/embedded/setup.mjs test -- [arguments of jest]
import { installDependencies } from './setup/dependencies.mjs';
import { checkNodeVersion, say, SetupError } from './setup/ground.mjs';
import { prepare } from './setup/prepare.mjs';
import { runDemo } from './setup/run-demo.mjs';
import { runTests } from './setup/run-tests.mjs';

async function main([target, ...rest]) {
  const args = rest[0] === '--' ? rest.slice(1) : rest;
  checkNodeVersion();
  if (target === 'demo') {
    await installDependencies();
    await prepare(['redis', 'ducklake', 'dashboard']);
    return runDemo(args);
  }
  if (target === 'test') {
    await installDependencies();
    const missing = await prepare(['redis', 'ducklake', 'kafka', 's3', 'chromium', 'linters', 'dashboard']);
    return runTests(args, missing);
  }
  throw new SetupError(`There is no target “${target ?? ''}”. Known: demo, test.`);
}

main(process.argv.slice(2)).then(
  (code) => (process.exitCode = code),
  (error) => {
    say(error instanceof SetupError ? error.message : (error.stack ?? String(error)));
    process.exitCode = error instanceof SetupError ? 2 : 1;
  },
);
