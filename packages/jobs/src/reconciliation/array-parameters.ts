/**
 * Arrays as PostgreSQL receives them in binary: the driver's own way writes each as one text, quoted here and taken apart
 * there, which costs more than what is done with the values. Pure.
 */

const HEADER_BYTES = 20;
const LENGTH_BYTES = 4;
const MAX_UTF8_BYTES = 3;

const TEXT = 25;
const BIGINT = 20;
const UUID = 2950;
const UUID_BYTES = 16;
const BIGINT_BYTES = 8;

/** A parameter that the statement casts to `text[]`. */
export function textArray(texts: readonly string[]): Buffer {
  let room = HEADER_BYTES;
  for (const text of texts) room += LENGTH_BYTES + text.length * MAX_UTF8_BYTES;
  const buffer = startOf(room, TEXT, texts.length);
  let at = HEADER_BYTES;
  for (const text of texts) {
    const length = buffer.write(text, at + LENGTH_BYTES, 'utf8');
    at = buffer.writeInt32BE(length, at) + length;
  }
  return buffer.subarray(0, at);
}

/** A parameter that the statement casts to `uuid[]`. */
export function uuidArray(ids: readonly string[]): Buffer {
  const buffer = startOf(HEADER_BYTES + ids.length * (LENGTH_BYTES + UUID_BYTES), UUID, ids.length);
  let at = HEADER_BYTES;
  for (const id of ids) {
    at = buffer.writeInt32BE(UUID_BYTES, at);
    const written = buffer.write(id.replaceAll('-', ''), at, UUID_BYTES, 'hex');
    if (written !== UUID_BYTES) throw new TypeError('a person id is not a UUID');
    at += written;
  }
  return buffer;
}

/** A parameter that the statement casts to `bigint[]`. */
export function bigintArray(values: readonly bigint[]): Buffer {
  const buffer = startOf(HEADER_BYTES + values.length * (LENGTH_BYTES + BIGINT_BYTES), BIGINT, values.length);
  let at = HEADER_BYTES;
  for (const value of values) at = buffer.writeBigInt64BE(value, buffer.writeInt32BE(BIGINT_BYTES, at));
  return buffer;
}

/** One dimension, no NULL, the type of the elements, how many they are, numbered from 1. */
function startOf(bytes: number, type: number, count: number): Buffer {
  const buffer = Buffer.allocUnsafe(bytes);
  [1, 0, type, count, 1].forEach((field, i) => buffer.writeInt32BE(field, i * LENGTH_BYTES));
  return buffer;
}
