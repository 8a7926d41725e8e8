import { isDeepStrictEqual } from 'node:util'
import { crc32 } from '../../src/bytes/crc32.ts'
import { crc32c } from '../../src/bytes/crc32c.ts'
import { Reader } from '../../src/bytes/reader.ts'
import { writeUvarint, writeVarint, writeVarlong } from '../../src/bytes/varint.ts'
import { Writer } from '../../src/bytes/writer.ts'
import { decompress } from '../../src/compression/decompress.ts'
import { xxh32 } from '../../src/compression/xxhash.ts'
import { ProtocolError } from '../../src/errors.ts'
import { apis } from '../../src/protocol/apis.ts'
import { decodeBody, encodeBody } from '../../src/protocol/codec.ts'
import { decodeResponseFrame, FrameReader } from '../../src/protocol/frame.ts'
import { decodeRequestHeader } from '../../src/protocol/request-header.ts'
import { layoutOf, type Direction } from '../../src/protocol/layout.ts'
import { metadata } from '../../src/protocol/messages/metadata.ts'
import { decodeMetadataFrame, type LeanMetadata } from '../../src/protocol/metadata-decode.ts'
import { decodeMessageSet } from '../../src/protocol/message-set-decode.ts'
import { encodeMessageSet } from '../../src/protocol/message-set.ts'
import {
  decodeRecordBatch,
  decodeRecordBatches,
  encodeRecordBatch,
  type CodecId,
  type RecordBatch,
  type RecordToEncode,
} from '../../src/protocol/record-batch.ts'
import type { Api } from '../../src/protocol/schema.ts'
import { versionsOf } from '../support/arbitraries.ts'
import { mapBatches, mapBody, mapFrames, mapMessages, mapNothing, mapRequestHeader, type FieldMap } from './fields.ts'
import type { Random } from './random.ts'
import { saslTargets } from './sasl-targets.ts'

/** Decompressed, at most: what is fuzzed must cost microseconds. */
export const MAX_OUTPUT_BYTES = 16 * 1024
/** What a codec may need of that, times the 64 that are allowed: an output that doubles, and the 128 KiB of a zstd block. */
const CODEC_OUTPUT_BYTES = 4096
const CAP_BYTES = 4096

/** A decoder, and what is known about it. */
export interface Target {
  readonly name: string
  /** Targets of one family understand each other's inputs more or less: they are spliced and take each other's. */
  readonly family: string
  /** How often it is chosen, next to the others. */
  readonly weight: number
  /** By how much decompression may lengthen the input: those bytes count, too, for the time and memory allowed. */
  outputBytes?(input: Buffer): number
  /** @throws {ProtocolError} and nothing else, or that is a finding. */
  run(input: Buffer): unknown
  /** What must hold for an input that was accepted, besides. @returns what does not. */
  check?(input: Buffer, value: unknown): string | null
  map(input: Buffer): FieldMap
  /** Makes checksums and lengths right again, without which little would get past the first check. */
  repair?(input: Buffer, random: Random): void
}

const EMPTY = Buffer.alloc(0)

/** Every decoder of headrace. */
export function allTargets(): Target[] {
  const bodies = apis.flatMap((api) =>
    versionsOf(api).flatMap((version) => [bodyTarget(api, 'request', version), bodyTarget(api, 'response', version)]),
  )
  const scale = 55 / bodies.length
  return [
    ...bodies.map((target) => ({ ...target, weight: scale })),
    requestFrames,
    responseFrames,
    leanMetadata,
    frameReader,
    recordBatch,
    recordBatches,
    messageSet,
    ...([1, 2, 3, 4] as const).map((codec) => codecTarget(codec)),
    varints,
    ...saslTargets(),
  ]
}

export function bodyName(api: string, direction: Direction, version: number): string {
  return `${api}/${version}/${direction}`
}

function bodyTarget(api: Api, direction: Direction, version: number): Target {
  const layout = layoutOf(api, direction, version)
  const where = `${api.name} v${version} ${direction}`
  return {
    ...{ name: bodyName(api.name, direction, version), family: `${api.name} ${direction}`, weight: 1 },
    run: (input) => decodeBody(api, direction, version, new Reader(input, where)),
    check: (input, value) => {
      const encoded = encodedBody(api, direction, version, value)
      if (encoded === null || encoded.equals(input)) return null
      const again = decodeBody(api, direction, version, new Reader(encoded, where))
      return isDeepStrictEqual(value, again) ? null : `${where}: encoded and decoded again it is another value`
    },
    map: (input) => mapBody(layout, input),
  }
}

/** Null: the value cannot be sent, as text that grows by U+FFFD beyond what a string can be. */
function encodedBody(api: Api, direction: Direction, version: number, value: unknown): Buffer | null {
  const out = new Writer()
  try {
    encodeBody(api, direction, version, value as Record<string, unknown>, out)
    return out.finish()
  } catch (error) {
    if (error instanceof ProtocolError && error.code === 'NOT_REPRESENTABLE') return null
    throw error
  }
}

const requestFrames: Target = {
  ...{ name: 'frame/request', family: 'frame/request', weight: 5 },
  run(input) {
    const { api, apiVersion, body, ...header } = decodeRequestHeader(input)
    const isOurs = apiVersion >= api.minVersion && apiVersion <= api.maxVersion
    return [header, isOurs ? decodeBody(api, 'request', apiVersion, new Reader(body, api.name)) : body]
  },
  map: mapRequestHeader,
}

/** The first two bytes are the harness's: which API, which version. */
const responseFrames: Target = {
  ...{ name: 'frame/response', family: 'frame/response', weight: 5 },
  run(input) {
    const { api, version } = answered(input)
    return decodeResponseFrame(api, version, input.subarray(2))
  },
  map(input) {
    const { api, version } = answered(input)
    return mapBody(layoutOf(api, 'response', version), input, version >= api.flexibleFrom ? 7 : 6)
  },
}

/** The fast decoder of Metadata; the schema's takes what it takes. The first byte is the harness's: which version. */
const leanMetadata: Target = {
  ...{ name: 'frame/metadata', family: 'frame/response', weight: 4 },
  run: (input) => decodeMetadataFrame(metadataVersion(input), input.subarray(1)),
  check(input, value) {
    const { topics } = value as LeanMetadata
    const plain = decodeResponseFrame(metadata, metadataVersion(input), input.subarray(1))
    const isSame = topics.every(({ name, leaders }, i) => {
      return name === plain.topics[i]?.name && leaders.length <= plain.topics[i].partitions.length
    })
    return isSame && topics.length === plain.topics.length ? null : 'Metadata: the two decoders disagree'
  },
  map(input) {
    const version = metadataVersion(input)
    return mapBody(layoutOf(metadata, 'response', version), input, version >= metadata.flexibleFrom ? 6 : 5)
  },
}

function metadataVersion(input: Buffer): number {
  return (input[0] ?? 0) % (metadata.maxVersion + 1)
}

function answered(input: Buffer): { readonly api: Api; readonly version: number } {
  const api: Api = apis[(input[0] ?? 0) % apis.length]!
  return { api, version: api.minVersion + ((input[1] ?? 0) % (api.maxVersion - api.minVersion + 1)) }
}

/** However a stream is cut, the frames and the error are the same. */
const frameReader: Target = {
  ...{ name: 'frame-reader', family: 'frame-reader', weight: 4 },
  run: (input) => framesOf(input, input.length || 1),
  check(input, value) {
    const whole = value as Frames
    for (const step of [1 + (input.length % 3), 5 + (input.length % 11)]) {
      const split = framesOf(input, step)
      const isSame =
        split.error === whole.error &&
        split.frames.length === whole.frames.length &&
        split.frames.every((frame, i) => frame.equals(whole.frames[i]!))
      if (!isSame) return `in pieces of ${step} bytes the stream gives other frames`
    }
    return null
  },
  map: mapFrames,
}

interface Frames {
  readonly frames: readonly Buffer[]
  readonly error: string | null
}

function framesOf(input: Buffer, step: number): Frames {
  const reader = new FrameReader(CAP_BYTES)
  const frames: Buffer[] = []
  for (let at = 0; at < input.length; at += step) {
    reader.push(input.subarray(at, at + step))
    try {
      for (let frame = reader.next(); frame !== null; frame = reader.next()) frames.push(frame)
    } catch (error) {
      if (error instanceof ProtocolError) return { frames, error: error.message }
      throw error
    }
  }
  return { frames, error: null }
}

const decompressBatch = (codec: CodecId, records: Uint8Array): Uint8Array =>
  codec === 0 ? records : decompress(codec, records, MAX_OUTPUT_BYTES)

const recordBatch: Target = {
  ...{ name: 'record-batch', family: 'record-batch', weight: 9 },
  outputBytes: (input) => outputOfBatches(input),
  run: (input) => decodeRecordBatch(input, { decompress: decompressBatch }),
  check: (_, value) => checkBatch(value as RecordBatch),
  map: mapBatches,
  repair: repairBatches,
}

const recordBatches: Target = {
  ...{ name: 'record-batches', family: 'record-batch', weight: 3 },
  outputBytes: (input) => outputOfBatches(input),
  run: (input) => decodeRecordBatches(input, { decompress: decompressBatch }),
  map: mapBatches,
  repair: repairBatches,
}

function outputOfBatches(input: Buffer): number {
  let output = 0
  for (let at = 0; at + 61 <= input.length; at += 12 + Math.max(49, input.readInt32BE(at + 8))) {
    if ((input.readInt16BE(at + 21) & 7) !== 0) output += MAX_OUTPUT_BYTES
  }
  return output
}

function outputOfMessages(input: Buffer): number {
  let output = 0
  for (let at = 0; at + 26 <= input.length; at += 12 + Math.max(14, input.readInt32BE(at + 8))) {
    if ((input[at + 17]! & 7) !== 0) output += MAX_OUTPUT_BYTES
  }
  return output
}

function checkBatch({ records, baseOffset, timestampType, maxTimestamp }: RecordBatch): string | null {
  const encoded = reencoded(() =>
    encodeRecordBatch(records as readonly RecordToEncode[], {
      baseOffset,
      ...(timestampType === 'LogAppendTime' ? { logAppendTimeMs: Number(maxTimestamp) } : {}),
    }),
  )
  if (encoded === null) return null
  const again = decodeRecordBatch(encoded).records
  return isDeepStrictEqual(again, records) ? null : 'encoded and decoded again the records are others'
}

/** Null: the encoder takes less than the decoder, such as no timestamps before 1970. */
function reencoded(encode: () => Uint8Array): Uint8Array | null {
  try {
    return encode()
  } catch (error) {
    if (error instanceof ProtocolError && error.code === 'NOT_REPRESENTABLE') return null
    throw error
  }
}

function repairBatches(input: Buffer, random: Random): void {
  if (random.oneIn(8)) return
  for (let at = 0; at + 61 <= input.length;) {
    let length = input.readInt32BE(at + 8)
    if (length < 49 || at + 12 + length > input.length || (at === 0 && random.oneIn(2))) {
      if (random.oneIn(8)) return
      length = input.length - at - 12
      input.writeInt32BE(length, at + 8)
    }
    if ((input.readInt16BE(at + 21) & 7) === 3) repairLz4(input.subarray(at + 61))
    input.writeUInt32BE(crc32c(input, at + 21, at + 12 + length) >>> 0, at + 17)
    at += 12 + length
  }
}

const messageSet: Target = {
  ...{ name: 'message-set', family: 'message-set', weight: 7 },
  outputBytes: (input) => outputOfMessages(input),
  run: (input) =>
    decodeMessageSet(input, {
      decompress: (codec, value, magic) =>
        codec === 0 ? value : decompress(codec, value, MAX_OUTPUT_BYTES, { allowKip57Checksum: magic === 0 }),
    }),
  check(_, value) {
    const messages = value as ReturnType<typeof decodeMessageSet>
    if (messages.length === 0 || messages.some(({ magic }) => magic !== messages[0]!.magic)) return null
    const { magic } = messages[0]!
    const encoded = reencoded(() => encodeMessageSet(messages as readonly RecordToEncode[], { magic }))
    if (encoded === null) return null
    const plain = ({ key, value, timestamp }: (typeof messages)[number]): unknown => [key, value, timestamp]
    const again = decodeMessageSet(encoded)
    return isDeepStrictEqual(again.map(plain), messages.map(plain))
      ? null
      : 'encoded and decoded again the messages are others'
  },
  map: mapMessages,
  repair(input, random) {
    if (random.oneIn(8)) return
    for (let at = 0; at + 26 <= input.length;) {
      let size = input.readInt32BE(at + 8)
      if (size < 14 || at + 12 + size > input.length) {
        size = input.length - at - 12
        if (!random.oneIn(8)) input.writeInt32BE(size, at + 8)
      }
      input.writeUInt32BE(crc32(input, at + 16, at + 12 + size) >>> 0, at + 12)
      at += 12 + size
    }
  },
}

const CODEC_NAMES = { 1: 'gzip', 2: 'snappy', 3: 'lz4', 4: 'zstd' } as const
/** zlib costs 30 us before it sees a byte, and is not ours. */
const CODEC_WEIGHTS = { 1: 0.2, 2: 4, 3: 4, 4: 5 } as const

function codecTarget(codec: 1 | 2 | 3 | 4): Target {
  const name = CODEC_NAMES[codec]
  return {
    ...{ name, family: name, weight: CODEC_WEIGHTS[codec] },
    outputBytes: () => CODEC_OUTPUT_BYTES,
    run: (input) => decompress(codec, input, MAX_OUTPUT_BYTES, { allowKip57Checksum: true }),
    check: (_, value) => {
      const { length } = value as Uint8Array
      return length > MAX_OUTPUT_BYTES ? `${length} bytes, the limit is ${MAX_OUTPUT_BYTES}` : null
    },
    map: mapNothing,
    ...(codec === 3 ? { repair: repairLz4 } : {}),
  }
}

/** The checksum of an lz4 frame's header. */
function repairLz4(input: Buffer): void {
  if (input.length < 7) return
  const at = input[4]! & 0x08 ? 14 : 6
  if (at < input.length) input[at] = (xxh32(input, 4, at) >>> 8) & 0xff
}

/** The first byte says which kind; the others are varints up to the end. */
const varints: Target = {
  ...{ name: 'varints', family: 'varints', weight: 3 },
  run(input) {
    const reader = new Reader(input, 'varints')
    const values: (number | bigint)[] = []
    if (input.length === 0) return values
    const kind = reader.int8() & 3
    while (reader.remaining > 0) {
      values.push(kind === 0 ? reader.uvarint() : kind === 1 ? reader.varint() : reader.varlong())
    }
    return values
  },
  check(input, value) {
    const kind = (input[0] ?? 0) & 3
    const bytes = Buffer.alloc(10)
    for (const number of value as readonly (number | bigint)[]) {
      if (typeof number === 'bigint' && !Number.isSafeInteger(Number(number))) continue
      const plain = Number(number)
      const write = kind === 0 ? writeUvarint : kind === 1 ? writeVarint : writeVarlong
      const reader = new Reader(bytes.subarray(0, write(bytes, 0, plain)), 'varints')
      const again = kind === 0 ? reader.uvarint() : kind === 1 ? reader.varint() : reader.varlong()
      if (again !== number || reader.remaining > 0) return `${number} is ${again} when written and read again`
    }
    return null
  },
  map: mapNothing,
}

/** A body inside of the response frame that the harness takes. */
export function responseFrameInput(api: Api, version: number, header: Uint8Array, body: Uint8Array): Buffer {
  const index = apis.findIndex(({ name }) => name === api.name)
  if (index < 0) return EMPTY
  return Buffer.concat([Buffer.of(index, version - api.minVersion), header, body])
}
