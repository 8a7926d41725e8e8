/**
 * What the ledger writes into a value, so that a log can be judged by its bytes alone:
 *
 * ```
 * 0 magic 'HRL1' | 4 run | 8 id | 12 intended partition, -1: none | 16 counter in its lane | 20 length of topic, topic | padding
 * ```
 * The padding is a slice of one table of noise, begun at a place that depends on the id: reproducible, compared at the
 * speed of memcmp, and different enough that bytes of another record never fit.
 */
export interface LedgerValue {
  readonly run: number
  readonly id: number
  readonly topic: string
  /** -1: the partitioner decides. */
  readonly partition: number
  readonly counter: number
}

const MAGIC = 0x48524c31
const HEADER_BYTES = 21
const NOISE_BYTES = 64 * 1024
const noise = makeNoise()

export function encodeLedgerValue({ run, id, topic, partition, counter }: LedgerValue, sizeBytes: number): Buffer {
  const name = Buffer.from(topic)
  const headBytes = HEADER_BYTES + name.length
  const value = Buffer.allocUnsafe(Math.max(sizeBytes, headBytes))
  value.writeUInt32BE(MAGIC, 0)
  value.writeUInt32BE(run, 4)
  value.writeUInt32BE(id, 8)
  value.writeInt32BE(partition, 12)
  value.writeUInt32BE(counter, 16)
  value.writeUInt8(name.length, 20)
  name.copy(value, HEADER_BYTES)
  for (let at = headBytes, start = noiseStart(id); at < value.length; start = 0) {
    at += noise.copy(value, at, start)
  }
  return value
}

/** @returns what is wrong with the bytes, in words, if they are not such a value, whole and unchanged. */
export function decodeLedgerValue(value: Buffer | null): LedgerValue | string {
  if (value === null) return 'null instead of a value'
  if (value.length < HEADER_BYTES || value.readUInt32BE(0) !== MAGIC) return 'a value that is none of ours'
  const headBytes = HEADER_BYTES + value.readUInt8(20)
  if (headBytes > value.length) return `a value cut off at ${value.length} bytes`
  const id = value.readUInt32BE(8)
  for (let at = headBytes, start = noiseStart(id); at < value.length; start = 0) {
    const length = Math.min(value.length - at, NOISE_BYTES - start)
    if (noise.compare(value, at, at + length, start, start + length) !== 0) return `changed bytes after byte ${at}`
    at += length
  }
  return {
    run: value.readUInt32BE(4),
    id,
    topic: value.toString('utf8', HEADER_BYTES, headBytes),
    partition: value.readInt32BE(12),
    counter: value.readUInt32BE(16),
  }
}

function noiseStart(id: number): number {
  return Math.imul(id, 2_654_435_761) & (NOISE_BYTES - 1)
}

/** The low half compresses, as data does: a codec has something to do, and never makes all of it vanish. */
function makeNoise(): Buffer {
  const bytes = Buffer.alloc(NOISE_BYTES)
  let state = 0x9e3779b9
  for (let at = 0; at < NOISE_BYTES; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    bytes[at] = 0x20 + (state >>> 27)
  }
  return bytes
}
