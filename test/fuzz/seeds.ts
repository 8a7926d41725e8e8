import { gzipSync } from 'node:zlib'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { Writer } from '../../src/bytes/writer.ts'
import { apis } from '../../src/protocol/apis.ts'
import { encodeBody } from '../../src/protocol/codec.ts'
import { encodeRequestFrame, encodeResponseFrame } from '../../src/protocol/frame.ts'
import { encodeMessageSet } from '../../src/protocol/message-set.ts'
import { encodeRecordBatch, type RecordToEncode } from '../../src/protocol/record-batch.ts'
import type { Api } from '../../src/protocol/schema.ts'
import { bodies, versionsOf } from '../support/arbitraries.ts'
import { golden } from '../support/golden.ts'
import { javaFormats } from '../support/java-record-formats.ts'
import type { Input } from './corpus.ts'
import { MAX_INPUT_BYTES } from './mutate.ts'
import { bodyName, responseFrameInput } from './targets.ts'
import { saslSeeds } from './sasl-targets.ts'

/** Values out of every schema, so many per version and direction. */
const VALUES = 4
const HEADER = { correlationId: 0x01020304, clientId: 'golden-client' }

interface Batches {
  readonly recordBatchV2: readonly { readonly hex: string }[]
  readonly recordBatchV2MustReject: readonly { readonly hex: string }[]
  readonly lz4: { readonly frames: readonly { readonly hex: string }[] }
  readonly snappyXerial: {
    readonly frames: readonly { readonly hex: string }[]
    readonly rawSnappyAlsoAccepted: { readonly hex: string }
  }
}
const file = new URL('../fixtures/golden.json', import.meta.url)

/** What fuzzing begins with, besides the corpus: the same for the same seed. */
export function seeds(seed: number): Input[] {
  const all = [...messages(), ...generated(seed), ...formats(), ...streams(), ...varints(), ...saslSeeds()]
  return all.filter(({ bytes }) => bytes.length <= MAX_INPUT_BYTES)
}

function hex(target: string, text: string): Input {
  return { target, bytes: Buffer.from(text, 'hex') }
}

function messages(): Input[] {
  const { vectors, derived } = golden.messages
  const plain = [...vectors, ...derived].map(({ api, version, kind, bodyHex }) =>
    hex(bodyName(api, kind, version), bodyHex),
  )
  const framed = vectors.map(({ api: name, version, kind, headerHex, bodyHex }): Input => {
    if (kind === 'request') return hex('frame/request', headerHex + bodyHex)
    const api = apis.find((candidate) => candidate.name === name)
    const [header, body] = [Buffer.from(headerHex, 'hex'), Buffer.from(bodyHex, 'hex')]
    const bytes = api === undefined ? body : responseFrameInput(api, version, header, body)
    return { target: 'frame/response', bytes }
  })
  return [...plain, ...framed]
}

function generated(seed: number): Input[] {
  return apis.flatMap((api: Api) =>
    versionsOf(api).flatMap((version) =>
      (['request', 'response'] as const).flatMap((direction) => {
        const values = fc.sample(bodies(api, direction, version), { seed, numRuns: VALUES })
        return values.flatMap((value): Input[] => {
          const out = new Writer()
          encodeBody(api, direction, version, value, out)
          const body = { target: bodyName(api.name, direction, version), bytes: out.finish() }
          if (value !== values[0]) return [body]
          if (direction === 'request') {
            const { chunks } = encodeRequestFrame(api, version, HEADER, value)
            return [body, { target: 'frame/request', bytes: Buffer.concat(chunks).subarray(4) }]
          }
          const { chunks } = encodeResponseFrame(api, version, HEADER.correlationId, value)
          const frame = Buffer.concat(chunks).subarray(4)
          return [body, { target: 'frame/response', bytes: responseFrameInput(api, version, frame, new Uint8Array()) }]
        })
      }),
    ),
  )
}

function formats(): Input[] {
  const data = JSON.parse(readFileSync(file, 'utf8')) as Batches
  const batches = [...data.recordBatchV2, ...data.recordBatchV2MustReject, ...javaFormats.recordBatches.batches]
  const own = [
    encodeRecordBatch(records(3)),
    encodeRecordBatch(records(12), { producerId: 7n, producerEpoch: 1, baseSequence: 3, isTransactional: true }),
    encodeRecordBatch(records(2), { logAppendTimeMs: 1_700_000_000_000 }),
  ].map((bytes) => Buffer.from(bytes))
  const inBatches = [...batches.map(({ hex }) => Buffer.from(hex, 'hex')), ...own]
  const codecOf = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
  const packed = inBatches
    .map((bytes) => ({ target: codecOf[bytes.readInt16BE(21) & 7] ?? '', bytes: bytes.subarray(61) }))
    .filter(({ target, bytes }) => target !== 'none' && bytes.length > 0)
  const plain = records(4).map(({ key, value }) => ({ key, value, timestamp: 1_700_000_000_000 }))
  return [
    ...inBatches.map((bytes) => ({ target: 'record-batch', bytes })),
    ...inBatches.map((bytes, i) => ({ target: 'record-batches', bytes: Buffer.concat([own[i % 3]!, bytes]) })),
    ...packed,
    ...javaFormats.messageSets.map((set) => hex('message-set', set.hex)),
    ...([0, 1] as const).map((magic) => ({
      target: 'message-set',
      bytes: Buffer.from(encodeMessageSet(plain, { magic })),
    })),
    ...data.lz4.frames.map(({ hex: text }) => hex('lz4', text)),
    ...[...data.snappyXerial.frames, data.snappyXerial.rawSnappyAlsoAccepted].map((frame) => hex('snappy', frame.hex)),
    { target: 'gzip', bytes: gzipSync('headrace '.repeat(9)) },
    // A skippable frame; a frame of one raw, one repeated and one last, empty block.
    hex('zstd', '502a4d1803000000010203'),
    hex('zstd', '28b52ffd0058180000616263420000780100' + '00'),
  ]
}

function records(count: number): RecordToEncode[] {
  return Array.from({ length: count }, (_, i) => ({
    timestamp: 1_700_000_000_000 + i * 1000 - (i % 2) * 2 ** 33,
    key: i % 3 === 0 ? null : `key-${i}`,
    value: i % 5 === 4 ? null : 'v'.repeat(i * 7),
    headers: Array.from({ length: i % 4 }, (__, h) => [`h${h}`, h === 1 ? null : 'x'.repeat(h)] as const),
  }))
}

function streams(): Input[] {
  const frame = (bytes: Buffer): Buffer => {
    const length = Buffer.alloc(4)
    length.writeInt32BE(bytes.length)
    return Buffer.concat([length, bytes])
  }
  const hostile = golden.hostileFrames.vectors.map(({ hex: text }) => {
    const rest = Buffer.from(
      text
        .replace('<len>', '')
        .replace('<C>', '01020304')
        .replace(/[^\da-f].*$/, ''),
      'hex',
    )
    return { target: 'frame-reader', bytes: text.includes('<len>') ? frame(rest) : rest }
  })
  const some = golden.messages.vectors
    .slice(0, 12)
    .map(({ bodyHex }) => frame(Buffer.from(`01020304${bodyHex}`, 'hex')))
  return [
    ...hostile,
    ...some.map((bytes) => ({ target: 'frame-reader', bytes })),
    ...some.map((bytes, i) => ({ target: 'frame-reader', bytes: Buffer.concat([bytes, ...some.slice(0, i % 4)]) })),
  ]
}

function varints(): Input[] {
  const { unsigned, zigzag32, zigzag64, mustReject } = golden.varint
  const kinds = [unsigned, zigzag32, zigzag64].map((vectors, kind) =>
    hex('varints', `0${kind}${vectors.map((vector) => vector.hex).join('')}`),
  )
  return [
    ...kinds,
    ...mustReject.flatMap((vector) => ['00', '01', '02'].map((kind) => hex('varints', kind + vector.hex))),
  ]
}
