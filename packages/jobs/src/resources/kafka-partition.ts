/**
 * Which partition a message goes to: that of Kafka's own Java producer, so that a key stays in its partition whoever
 * publishes it. Messages without a key stay together, in another partition with each batch. Pure.
 */

/** @param turn counts batches */
export function partitionOf(key: Buffer | null, partitions: number, turn: number): number {
  return key === null ? turn % partitions : (murmur2(key) & 0x7fff_ffff) % partitions;
}

const SEED = 0x9747_b28c;
const M = 0x5bd1_e995;

/** As a signed integer of 32 bits. */
function murmur2(key: Buffer): number {
  const whole = key.length & ~3;
  let hash = SEED ^ key.length;
  for (let i = 0; i < whole; i += 4) {
    const k = Math.imul(key.readInt32LE(i), M);
    hash = Math.imul(hash, M) ^ Math.imul(k ^ (k >>> 24), M);
  }
  if (whole < key.length) hash = Math.imul(hash ^ key.readUIntLE(whole, key.length - whole), M);
  hash = Math.imul(hash ^ (hash >>> 13), M);
  return hash ^ (hash >>> 15);
}
