/** Owns the configuration of the one-node Kafka (KRaft): small, quick to start, and back 4 s after a crash. */

export interface KafkaNode {
  readonly port: number;
  readonly controllerPort: number;
  readonly dir: string;
}

export function serverProperties({ port, controllerPort, dir }: KafkaNode): string {
  const properties = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': `${dir}/data`,
    ...ONE_NODE,
    ...SMALL,
  };
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

const ONE_NODE = {
  'num.partitions': 1,
  'default.replication.factor': 1,
  'min.insync.replicas': 1,
  'offsets.topic.replication.factor': 1,
  'offsets.topic.num.partitions': 1,
  'transaction.state.log.replication.factor': 1,
  'transaction.state.log.min.isr': 1,
  'transaction.state.log.num.partitions': 1,
  'share.coordinator.state.topic.replication.factor': 1,
  'share.coordinator.state.topic.min.isr': 1,
  'share.coordinator.state.topic.num.partitions': 1,
  'group.initial.rebalance.delay.ms': 0,
  // A topic that a typing error would create hides the error.
  'auto.create.topics.enable': false,
  // After a crash the controller waits for the dead incarnation: 11.6 s with the defaults, 4.2 s with these.
  'broker.session.timeout.ms': 2000,
  'broker.heartbeat.interval.ms': 500,
};

const SMALL = {
  'num.network.threads': 2,
  'num.io.threads': 2,
  'num.replica.fetchers': 1,
  'background.threads': 2,
  'num.recovery.threads.per.data.dir': 1,
  'log.cleaner.threads': 1,
  'log.cleaner.dedupe.buffer.size': 4_194_304,
  'log.segment.bytes': 67_108_864,
  'log.index.size.max.bytes': 1_048_576,
  'log.retention.hours': 24,
  'metadata.log.segment.bytes': 16_777_216,
};
