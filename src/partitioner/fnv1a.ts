const OFFSET_BASIS = 0x811c9dc5
const PRIME = 0x01000193

/**
 * FNV-1a, 32 bits, and of the result, read as int32, the absolute value: librdkafka's `fnv1a` and the hash of Sarama's default
 * partitioner (`NewHashPartitioner`; not `NewReferenceHashPartitioner`, which clears the sign bit instead).
 *
 * @returns 0 to 2^31: the absolute value of the smallest int32 is one more than int32 can hold, which C and Go agree on by
 * wrapping around, and a double simply has.
 *
 * Source: rdfnv1a.c of librdkafka.
 */
export function fnv1a(bytes: Uint8Array): number {
  let hash = OFFSET_BASIS | 0
  for (let at = 0; at < bytes.length; at++) hash = Math.imul(hash ^ (bytes[at] as number), PRIME)
  return Math.abs(hash)
}
