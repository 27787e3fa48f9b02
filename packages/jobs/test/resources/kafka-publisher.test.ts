/** What the port promises, on a real broker: what is acknowledged is there, as it was given, in the partition of its key. */

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';

import { type Message, type Publisher, openKafkaPublisher, publishEach } from '@skein/jobs';
import { Kafka, type KafkaMessage, Partitioners, logLevel } from 'kafkajs';

import { serviceIsAvailable, testKafka } from '../../../../infra/embedded/test-services/index.ts';
import { partitionOf } from '../../src/resources/kafka-partition.ts';

const partitionsOf = (count: number) => Array.from({ length: count }, (_, partitionId) => ({ partitionId, leader: 1 }));
const text = (value: unknown) => (Buffer.isBuffer(value) ? value.toString() : value);

test('a key goes where Kafka’s own producer sends it', () => {
  const theirs = Partitioners.DefaultPartitioner();
  const keys = [
    ...['', 'a', 'ab', 'abc', 'abcd', 't1:org-007', 'ключ', '键🔑', '\u0000', 'é'.repeat(99)].map((key) =>
      Buffer.from(key),
    ),
    ...Array.from({ length: 2_000 }, (_, i) => randomBytes(i % 37)),
  ];
  for (const partitions of [1, 2, 7, 12]) {
    const partitionMetadata = partitionsOf(partitions);
    const ours = keys.map((key) => [key.toString('hex'), partitionOf(key, partitions, 3)]);
    expect(ours).toEqual(
      keys.map((key) => [
        key.toString('hex'),
        theirs({ topic: 't', partitionMetadata, message: { key, value: null } } as never),
      ]),
    );
  }
});

const describeKafka = serviceIsAvailable('kafka') ? describe : describe.skip;

describeKafka('on a broker', () => {
  const PARTITIONS = 3;
  let brokers: string;
  let topic: string;
  let createTopics: ReturnType<typeof testKafka>['createTopics'];
  let publisher: Publisher;

  beforeAll(async () => {
    ({ brokers, createTopics } = testKafka());
    [topic = ''] = await createTopics(['messages'], PARTITIONS);
    publisher = openKafkaPublisher([brokers]);
  });
  afterAll(() => publisher?.close());

  /** All that the topic holds, by partition and in order. */
  async function arrived(from: string): Promise<(KafkaMessage & { readonly partition: number })[]> {
    const client = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING });
    const admin = client.admin();
    await admin.connect();
    const ends = await admin.fetchTopicOffsets(from);
    await admin.disconnect();
    const left = ends.reduce((sum, { high }) => sum + Number(high), 0);
    const consumer = client.consumer({ groupId: `${from}-${randomBytes(4).toString('hex')}`, maxWaitTimeInMs: 100 });
    await consumer.connect();
    await consumer.subscribe({ topic: from, fromBeginning: true });
    const found: (KafkaMessage & { readonly partition: number })[] = [];
    await new Promise<void>((resolve, reject) => {
      if (left === 0) resolve();
      consumer
        .run({
          eachMessage: async ({ message, partition }) => {
            found.push({ ...message, partition });
            if (found.length === left) resolve();
          },
        })
        .catch(reject);
    });
    await consumer.disconnect();
    return found.sort((a, b) => a.partition - b.partition || Number(a.offset) - Number(b.offset));
  }

  test('keys, tombstones, headers and texts of any alphabet arrive as they were given, in order within a key', async () => {
    const messages: Message[] = [
      { key: 'ключ', value: 'значение', headers: { имя: 'да', empty: '' } },
      { key: 'ключ', value: null },
      { key: Buffer.from([0, 255]), value: Buffer.from([255, 0]) },
      { key: '', value: '' },
      { key: null, value: 'no key' },
      ...Array.from({ length: 1_200 }, (_, i) => ({ key: `k${i % 3}`, value: String(i), headers: { n: `${i % 2}` } })),
    ];
    await publisher.publish(topic, messages);
    const found = await arrived(topic);
    expect(found).toHaveLength(messages.length);
    const theirs = Partitioners.DefaultPartitioner();
    const partitionMetadata = partitionsOf(PARTITIONS);
    for (const [key] of new Map(messages.map((message) => [String(message.key), message]))) {
      const sent = messages.filter((message) => String(message.key) === key);
      const here = found.filter((message) => String(message.key) === key);
      expect(here.map(({ value }) => text(value))).toEqual(sent.map(({ value }) => text(value)));
      expect(
        here.map(({ headers }) => Object.fromEntries(Object.entries(headers ?? {}).map(([k, v]) => [k, text(v)]))),
      ).toEqual(sent.map(({ headers }) => headers ?? {}));
      const partitions = new Set(here.map(({ partition }) => partition));
      const message = sent[0] as never;
      if (key === 'null') expect(partitions.size).toBe(1);
      else expect([...partitions]).toEqual([theirs({ topic, partitionMetadata, message } as never)]);
    }
  });

  test('many at once: whatever is acknowledged has arrived, once', async () => {
    const [shared = ''] = await createTopics(['shared']);
    await Promise.all(
      Array.from({ length: 40 }, (_, i) => publisher.publish(shared, [{ key: `k${i}`, value: `v${i}` }])),
    );
    const values = (await arrived(shared)).map(({ value }) => String(value));
    expect(values).toEqual(Array.from({ length: 40 }, (_, i) => `v${i}`));
  });

  test('a message that is too large is refused alone, by us or by the broker', async () => {
    const [large = ''] = await createTopics(['large']);
    const value = Buffer.alloc(1_100_000);
    const messages: Message[] = [
      { key: 'a', value: 'first' },
      { key: 'b', value },
      { key: 'c', value: 'last' },
    ];
    expect(await publishEach(publisher, large, messages)).toEqual([
      { index: 1, reason: 'the broker refuses the message: it is too large' },
    ]);
    expect(await publishEach(publisher, large, messages, { maxMessageBytes: 1_000_000 })).toEqual([
      {
        index: 1,
        reason: expect.stringMatching(/^the message has 11\d{5} bytes, more than the limit of 1000000$/) as string,
      },
    ]);
    expect((await arrived(large)).map((message) => String(message.value))).toEqual(['first', 'last', 'first', 'last']);
    await expect(publisher.publish(large, messages)).rejects.toMatchObject({
      system: 'kafka',
      retryable: false,
      details: { kafka_type: 'MESSAGE_TOO_LARGE' },
    });
  });

  test('says what is wrong: an unknown topic, a broker that is not there, a run that was cancelled', async () => {
    await expect(publisher.publish(`${topic}-mistyped`, [{ key: null, value: 'x' }])).rejects.toMatchObject({
      code: 'SERVICE_UNAVAILABLE',
      message: `Kafka does not take messages for topic ${topic}-mistyped: Unknown topic ${topic}-mistyped. Check SKEIN_KAFKA_BROKERS and that the broker runs.`,
      details: { kafka_type: 'UNKNOWN_TOPIC_OR_PARTITION' },
    });
    const away = openKafkaPublisher(['127.0.0.1:1']);
    await expect(away.ping()).rejects.toMatchObject({
      message:
        'Kafka does not take messages: connect ECONNREFUSED 127.0.0.1:1. Check SKEIN_KAFKA_BROKERS and that the broker runs.',
      retryable: true,
    });
    expect(await publisher.ping()).toBe('Kafka, 1 broker');
    const cancelled = AbortSignal.abort(new Error('cancelled'));
    await expect(publisher.publish(topic, [{ key: null, value: 'x' }], { signal: cancelled })).rejects.toThrow(
      'cancelled',
    );
  });

  test('a broker that hangs: who is aborted waits no longer, in his turn or before it, and the next one has his', async () => {
    const [after = ''] = await createTopics(['after-hanging']);
    const [host = '', port] = brokers.split(':');
    let hangs = true;
    const sockets = new Set<Socket>();
    const before = createServer((client) => {
      sockets.add(client);
      client.on('error', () => {});
      if (hangs) return;
      const server = connect(Number(port), host);
      sockets.add(server);
      client.pipe(server).pipe(client);
    }).listen(0, '127.0.0.1');
    await once(before, 'listening');
    const hung = openKafkaPublisher([`127.0.0.1:${(before.address() as AddressInfo).port}`]);
    const [first, second] = [new AbortController(), new AbortController()];
    const publish = (value: string, signal?: AbortSignal) =>
      hung.publish(after, [{ key: 'k', value }], signal && { signal });
    const isAsked = once(before, 'connection');
    const inTurn = publish('in turn', first.signal);
    const waiting = publish('waiting', second.signal);
    const next = publish('next');
    await isAsked;
    second.abort(new Error('the second is cancelled'));
    await expect(waiting).rejects.toThrow('the second is cancelled');
    hangs = false;
    first.abort(new Error('the first is cancelled'));
    await expect(inTurn).rejects.toThrow('the first is cancelled');
    await next;
    expect((await arrived(after)).map(({ value }) => text(value))).toEqual(['next']);
    await hung.close();
    for (const socket of sockets) socket.destroy();
    before.close();
  });
});
