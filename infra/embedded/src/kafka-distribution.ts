/**
 * Owns Kafka's jars on this machine, made once: fetched by Maven, a formatted data directory to copy, and an archive of
 * loaded classes, which halves the start. The archive is bound to the exact class path and JVM, so it is never shipped.
 */

import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { ServicesError } from './errors.ts';
import { serverProperties } from './kafka-properties.ts';
import { withLock } from './locks.ts';
import { machineCache } from './machine-cache.ts';
import { ensureProgram, findProgram, lastLine, run } from './programs.ts';

const JVM_FLAGS = [
  '-XX:+UseSerialGC',
  // Only the first compiler: another half of the start, and the clients are the limit, not the broker.
  '-XX:TieredStopAtLevel=1',
  '-Djava.awt.headless=true',
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
];

export interface KafkaDistribution {
  readonly java: string;
  /** JVM arguments up to and including the class path. */
  readonly jvm: readonly string[];
  /** A formatted, empty data directory. */
  readonly template: string;
}

/** True when Kafka can be had without installing anything. */
export function kafkaIsAtHand(): boolean {
  const { jars } = layout();
  return findProgram('java') !== undefined && (existsSync(jars) || findProgram('mvn') !== undefined);
}

/** Starts a broker once, orderly, with these JVM arguments, so that it writes the archive at its end. */
export type Training = (distribution: KafkaDistribution, dir: string) => Promise<void>;

/** @throws ServicesError when Java, Maven or the jars cannot be had */
export async function ensureKafka(train: Training, progress: (line: string) => void): Promise<KafkaDistribution> {
  const java = await ensureProgram(
    { names: ['java'], aptPackages: ['default-jre-headless'], purpose: 'Kafka' },
    progress,
  );
  const { root, jars, template, archive } = layout();
  const distribution: KafkaDistribution = {
    java,
    get jvm() {
      return [...JVM_FLAGS, `-XX:SharedArchiveFile=${archive}`, '-Xshare:auto', '-cp', classPath(jars)];
    },
    template,
  };
  if (existsSync(archive)) return distribution;
  return withLock(`${root}.lock`, async () => {
    if (existsSync(archive)) return distribution;
    mkdirSync(root, { recursive: true });
    if (!existsSync(jars)) await fetchJars(jars, progress);
    progress('preparing Kafka, once per machine');
    await format(java, jars, template);
    const training = path.join(root, 'training');
    await train(
      { java, jvm: [...JVM_FLAGS, `-XX:ArchiveClassesAtExit=${archive}.part`, '-cp', classPath(jars)], template },
      training,
    );
    rmSync(training, { recursive: true, force: true });
    // Some JVMs cannot archive; Kafka then starts without, twice as slowly.
    if (existsSync(`${archive}.part`)) renameSync(`${archive}.part`, archive);
    else writeFileSync(archive, '');
    return distribution;
  });
}

function layout() {
  const root = machineCache('kafka-4.4.0');
  return {
    root,
    jars: path.join(root, 'libs'),
    template: path.join(root, 'template'),
    archive: path.join(root, 'kafka.jsa'),
  };
}

async function fetchJars(jars: string, progress: (line: string) => void): Promise<void> {
  const maven = await ensureProgram({ names: ['mvn'], aptPackages: ['maven'], purpose: 'Fetching Kafka' }, progress);
  progress('fetching Kafka from Maven Central, once per machine');
  const pom = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', 'kafka-pom.xml');
  rmSync(`${jars}.part`, { recursive: true, force: true });
  const { code, output } = await run(maven, [
    '-q',
    '-B',
    '-f',
    pom,
    'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies',
    '-DincludeScope=runtime',
    `-DoutputDirectory=${jars}.part`,
  ]);
  if (code !== 0) throw new ServicesError('SERVICE_SETUP_FAILED', `Maven could not fetch Kafka: ${lastLine(output)}`);
  renameSync(`${jars}.part`, jars);
}

async function format(java: string, jars: string, template: string): Promise<void> {
  rmSync(template, { recursive: true, force: true });
  mkdirSync(path.join(template, 'data'), { recursive: true });
  const file = path.join(template, 'server.properties');
  writeFileSync(file, serverProperties({ port: 9092, controllerPort: 9093, dir: template }));
  const cluster = randomBytes(16).toString('base64url');
  const { code, output } = await run(java, [
    '-Xmx128m',
    ...JVM_FLAGS,
    '-cp',
    classPath(jars),
    'kafka.tools.StorageTool',
    'format',
    '-t',
    cluster,
    '-c',
    file,
  ]);
  if (code !== 0)
    throw new ServicesError(
      'SERVICE_SETUP_FAILED',
      `Kafka's data directory could not be formatted: ${lastLine(output)}`,
    );
}

/** In the same order every time, or the archive is refused. */
function classPath(jars: string): string {
  return readdirSync(jars)
    .filter((file) => file.endsWith('.jar'))
    .sort()
    .map((file) => path.join(jars, file))
    .join(':');
}
