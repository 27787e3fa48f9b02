// Jest's global set-up: starts the services of this run in a directory of its own and puts their URLs into the
// environment of the test workers. Plain JavaScript, because Jest loads it before any transformation.
// SKEIN_TEST_SERVICES=redis,postgres limits what starts; `none` starts nothing.
import { runServiceScript } from './service-script.mjs';

export default async function globalSetup() {
  const wanted = process.env.SKEIN_TEST_SERVICES || 'redis,postgres,clickhouse,kafka,s3,ducklake';
  // Inherited from a run that started this one: its services are not ours to stop.
  delete process.env.SKEIN_TEST_DIR;
  if (wanted === 'none') return;
  const dir = `.skein/test-${process.pid}`;
  process.env.SKEIN_TEST_DIR = dir;
  const env = JSON.parse(await runServiceScript('start', dir, wanted));
  Object.assign(process.env, env);
}
