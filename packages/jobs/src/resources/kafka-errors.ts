/** What the client's errors mean: whether trying again may help, and what people are told. Pure. */

import { ServiceError } from '@skein/orchestrator';

/** What errors of the client have, one in another: several tries in one, or the cause of one. */
interface ClientError {
  readonly code?: string;
  readonly message?: string;
  /** Kafka's name of what the broker answered. */
  readonly apiId?: string;
  readonly canRetry?: boolean;
  readonly errors?: readonly ClientError[];
  readonly cause?: ClientError;
}

const TOO_LARGE: readonly string[] = ['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE'];
const UNKNOWN_TOPIC = 'UNKNOWN_TOPIC_OR_PARTITION';
/** Of a producer that is no longer what the broker takes it for; another one is. */
const HEALED_BY_ANOTHER: readonly string[] = [
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'DUPLICATE_SEQUENCE_NUMBER',
  'INVALID_PRODUCER_EPOCH',
  'UNKNOWN_PRODUCER_ID',
];
/** Of the client, not of the broker: what was asked cannot be, or the broker does not know who asks. */
const REFUSED_BY_CLIENT: readonly string[] = ['PLT_KFK_USER', 'PLT_KFK_AUTHENTICATION', 'PLT_KFK_UNSUPPORTED_API'];

export function isTransient(error: unknown): boolean {
  const { type, root } = meaningOf(error);
  if (type !== undefined) return HEALED_BY_ANOTHER.includes(type) || (type !== UNKNOWN_TOPIC && root.canRetry === true);
  return !REFUSED_BY_CLIENT.includes(root.code ?? '');
}

/** Of an error that `asKafkaError` made. */
export function isTooLarge(error: unknown): boolean {
  return error instanceof ServiceError && TOO_LARGE.includes(String(error.details.kafka_type));
}

export function asKafkaError(error: unknown, topic: string | undefined): ServiceError {
  const { type, root } = meaningOf(error);
  const where = topic === undefined ? '' : ` for topic ${topic}`;
  const message = root.message?.replace(/\.$/, '') ?? String(error);
  return new ServiceError(
    'kafka',
    `Kafka does not take messages${where}: ${message}. Check SKEIN_KAFKA_BROKERS and that the broker runs.`,
    { cause: error, details: { kafka_type: type ?? null }, retryable: !TOO_LARGE.includes(type ?? '') },
  );
}

/** The innermost error, of several tries that of the last. */
function meaningOf(error: unknown): { readonly type: string | undefined; readonly root: ClientError } {
  let root = error as ClientError;
  for (let inner: ClientError | undefined = root; inner !== undefined;) {
    root = inner;
    if (root.apiId !== undefined) return { type: root.apiId, root };
    inner = root.errors?.at(-1) ?? root.cause;
  }
  // A topic that the metadata does not know is the client's to say.
  const isUnknown = root.code === 'PLT_KFK_USER' && root.message?.startsWith('Unknown topic') === true;
  return { type: isUnknown ? UNKNOWN_TOPIC : undefined, root };
}
