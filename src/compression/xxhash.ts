/**
 * xxHash, the checksums of LZ4 frames (32 bits) and zstd frames (the lower half of 64 bits), seed 0.
 *
 * Source: the xxHash specification, doc/xxhash_spec.md of Cyan4973/xxHash.
 */
type Five<T> = readonly [T, T, T, T, T]

const P32: Five<number> = [0x9e3779b1, 0x85ebca77, 0xc2b2ae3d, 0x27d4eb2f, 0x165667b1]

/** XXH32 of `bytes[start, end)`, unsigned. */
export function xxh32(bytes: Uint8Array, start = 0, end: number = bytes.length): number {
  const [p1, p2, p3, p4, p5] = P32
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = start
  let hash = p5
  if (end - start >= 16) {
    let a = (p1 + p2) | 0
    let b = p2
    let c = 0
    let d = -p1 | 0
    for (; end - at >= 16; at += 16) {
      a = round32(a, view.getInt32(at, true))
      b = round32(b, view.getInt32(at + 4, true))
      c = round32(c, view.getInt32(at + 8, true))
      d = round32(d, view.getInt32(at + 12, true))
    }
    hash = rotate32(a, 1) + rotate32(b, 7) + rotate32(c, 12) + rotate32(d, 18)
  }
  hash = (hash + end - start) | 0
  for (; end - at >= 4; at += 4) {
    hash = Math.imul(rotate32((hash + Math.imul(view.getInt32(at, true), p3)) | 0, 17), p4)
  }
  for (; at < end; at++) hash = Math.imul(rotate32((hash + Math.imul(view.getUint8(at), p5)) | 0, 11), p1)
  hash = Math.imul(hash ^ (hash >>> 15), p2)
  hash = Math.imul(hash ^ (hash >>> 13), p3)
  return (hash ^ (hash >>> 16)) >>> 0
}

function round32(lane: number, word: number): number {
  return Math.imul(rotate32((lane + Math.imul(word, P32[1])) | 0, 13), P32[0])
}

function rotate32(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits))
}

const P64: Five<bigint> = [
  0x9e3779b185ebca87n,
  0xc2b2ae3d27d4eb4fn,
  0x165667b19e3779f9n,
  0x85ebca77c2b2ae63n,
  0x27d4eb2f165667c5n,
]

/** XXH64. With BigInt, so slow: hardly any zstd frame in Kafka has a checksum. */
export function xxh64(bytes: Uint8Array): bigint {
  const [p1, p2, p3, p4, p5] = P64
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const end = bytes.length
  let at = 0
  let hash = p5
  if (end >= 32) {
    const lanes: [bigint, bigint, bigint, bigint] = [u64(p1 + p2), p2, 0n, u64(-p1)]
    for (; end - at >= 32; at += 32) {
      for (let i = 0; i < 4; i++) lanes[i] = round64(lanes[i] as bigint, view.getBigUint64(at + 8 * i, true))
    }
    hash = u64(rotate64(lanes[0], 1n) + rotate64(lanes[1], 7n) + rotate64(lanes[2], 12n) + rotate64(lanes[3], 18n))
    for (const lane of lanes) hash = u64((hash ^ round64(0n, lane)) * p1 + p4)
  }
  hash = u64(hash + BigInt(end))
  for (; end - at >= 8; at += 8) {
    hash = u64(rotate64(hash ^ round64(0n, view.getBigUint64(at, true)), 27n) * p1 + p4)
  }
  if (end - at >= 4) {
    hash = u64(rotate64(hash ^ u64(BigInt(view.getUint32(at, true)) * p1), 23n) * p2 + p3)
    at += 4
  }
  for (; at < end; at++) hash = u64(rotate64(hash ^ u64(BigInt(view.getUint8(at)) * p5), 11n) * p1)
  hash = u64((hash ^ (hash >> 33n)) * p2)
  hash = u64((hash ^ (hash >> 29n)) * p3)
  return hash ^ (hash >> 32n)
}

function round64(lane: bigint, word: bigint): bigint {
  return u64(rotate64(u64(lane + u64(word * P64[1])), 31n) * P64[0])
}

function rotate64(value: bigint, bits: bigint): bigint {
  return u64((value << bits) | (value >> (64n - bits)))
}

function u64(value: bigint): bigint {
  return BigInt.asUintN(64, value)
}
