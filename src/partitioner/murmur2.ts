const SEED = 0x9747b28c
const M = 0x5bd1e995

/**
 * The hash by which Kafka's Java producer maps a key to a partition: MurmurHash2, 32 bits, little-endian words.
 *
 * @returns int32, equal to `org.apache.kafka.common.utils.Utils.murmur2`.
 */
export function murmur2(bytes: Uint8Array): number {
  const length = bytes.length
  const tail = length & ~3
  let hash = SEED ^ length

  for (let at = 0; at < tail; at += 4) {
    let word = byte(bytes, at) | (byte(bytes, at + 1) << 8) | (byte(bytes, at + 2) << 16) | (byte(bytes, at + 3) << 24)
    word = Math.imul(word, M)
    word = Math.imul(word ^ (word >>> 24), M)
    hash = Math.imul(hash, M) ^ word
  }

  if (tail < length) {
    if (tail + 2 < length) hash ^= byte(bytes, tail + 2) << 16
    if (tail + 1 < length) hash ^= byte(bytes, tail + 1) << 8
    hash = Math.imul(hash ^ byte(bytes, tail), M)
  }

  hash = Math.imul(hash ^ (hash >>> 13), M)
  return hash ^ (hash >>> 15)
}

/** Clears the sign bit, as Java's `Utils.toPositive`: not `Math.abs`, which would choose other partitions. */
export function toPositive(hash: number): number {
  return hash & 0x7fffffff
}

// The compiler does not know that the index is in range.
function byte(bytes: Uint8Array, index: number): number {
  return bytes[index] as number
}
