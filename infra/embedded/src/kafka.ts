/** Owns the embedded Kafka: a real broker, one node, on loopback; topics are never created by accident. */

import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { ensureKafka, type KafkaDistribution } from './kafka-distribution.ts';
import { serverProperties } from './kafka-properties.ts';
import { freePort, LOOPBACK, probe } from './ports.ts';
import { type ProcessIdentity, stopProcess } from './processes.ts';
import type { Service } from './service.ts';
import { startProcess } from './start-process.ts';

const HEAP = '256m';

export const kafka: Service = {
  name: 'kafka',
  variables: ['SKEIN_KAFKA_BROKERS'],
  stopSignal: 'SIGTERM',
  async start({ dir, log, previous, progress }) {
    const distribution = await ensureKafkaDistribution(progress);
    const port = await freePort(previous?.port);
    const controllerPort = await freePort(Number(previous?.memory?.controllerPort ?? 0) || undefined);
    const process = await startBroker(distribution, { dir, log, port, controllerPort });
    return {
      process,
      port,
      memory: { controllerPort: String(controllerPort) },
      env: { SKEIN_KAFKA_BROKERS: `${LOOPBACK}:${port}` },
      log,
      up: true,
    };
  },
};

/** @throws ServicesError when Java, Maven or the jars cannot be had */
export function ensureKafkaDistribution(progress: (line: string) => void): Promise<KafkaDistribution> {
  return ensureKafka(train, progress);
}

/** A start and an orderly stop, at whose end the JVM writes the archive of classes. */
async function train(distribution: KafkaDistribution, dir: string): Promise<void> {
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  const broker = await startBroker(distribution, {
    dir,
    log: path.join(dir, 'kafka.log'),
    port: await freePort(),
    controllerPort: await freePort(),
  });
  await stopProcess(broker, 'SIGTERM', 60_000);
}

async function startBroker(
  distribution: KafkaDistribution,
  at: { readonly dir: string; readonly log: string; readonly port: number; readonly controllerPort: number },
): Promise<ProcessIdentity> {
  const stored = path.join(at.dir, 'data');
  if (!existsSync(stored)) cpSync(path.join(distribution.template, 'data'), stored, { recursive: true });
  const file = path.join(at.dir, 'server.properties');
  writeFileSync(file, serverProperties({ port: at.port, controllerPort: at.controllerPort, dir: at.dir }));
  const args = [`-Xmx${HEAP}`, ...distribution.jvm, 'kafka.Kafka', file];
  return startProcess('Kafka', { command: distribution.java, args, log: at.log, cwd: at.dir }, () =>
    brokerIsRegistered(at.port),
  );
}

/** A Metadata request (version 1, no topic); the port is open before the broker is registered and usable. */
const METADATA_REQUEST = Buffer.from(
  `00000013${'0003'}${'0001'}${'00000007'}${'0005'}${Buffer.from('probe').toString('hex')}00000000`,
  'hex',
);

async function brokerIsRegistered(port: number): Promise<boolean> {
  const answer = await probe(port, METADATA_REQUEST);
  return answer !== undefined && answer.length > 12 && answer.readInt32BE(8) > 0;
}
