// Jest's global tear-down: stops the services of this run and removes their directory.
import { runServiceScript } from './service-script.mjs';

export default async function globalTeardown() {
  const dir = process.env.SKEIN_TEST_DIR;
  if (dir) await runServiceScript('stop', dir);
}
