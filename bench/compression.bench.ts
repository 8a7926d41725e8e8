/**
 * What compression costs, and what it keeps the event loop from doing: `npx tsx bench/compression.bench.ts [codec]`.
 *
 * Batches are encoded records of examples/data/asa-telco.ndjson.gz. `block` is how long the event loop stands still for one
 * batch; off the event loop that is what the call and the answer take, measured with one batch at a time in flight.
 */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { loadavg } from 'node:os'
import type { Codec, CompressionSettings } from '../src/compression/codec.ts'
import { loadCodec } from '../src/compression/load-codec.ts'
import { RecordBatchBuilder } from '../src/protocol/record-batch.ts'

const MIN_MS = 300
const SIZES = [1024, 4096, 16_384, 65_536, 131_072, 1_048_576]
const contenders: readonly CompressionSettings[] = [
  { codec: 'gzip' },
  { codec: 'gzip', level: 1 },
  { codec: 'snappy' },
  { codec: 'lz4' },
  { codec: 'zstd' },
  { codec: 'zstd', level: 1 },
]

const lines = String(gunzipSync(readFileSync(new URL('../examples/data/asa-telco.ndjson.gz', import.meta.url))))
  .trim()
  .split('\n')

/** Records as a codec gets them; where the file ends it begins again, with other keys. */
function recordsOf(sizeBytes: number): Uint8Array {
  const builder = new RecordBatchBuilder(sizeBytes + 1024)
  for (let i = 0; builder.sizeBytes < sizeBytes; i++) {
    builder.append(1_700_000_000_000 + i, String(i), lines[i % lines.length] ?? '', [])
  }
  return Uint8Array.from(builder.records()).subarray(0, sizeBytes)
}

function sync({ compressSync }: Codec, bytes: Uint8Array): number {
  if (compressSync === undefined) return NaN
  const start = performance.now()
  compressSync(bytes)
  return performance.now() - start
}

/** @returns how long the batch took, and how much of that the event loop was ours. */
async function async(codec: Codec, bytes: Uint8Array): Promise<[ms: number, blockMs: number]> {
  const start = performance.now()
  const promise = codec.compress(bytes)
  const called = performance.now()
  await promise
  const end = performance.now()
  return [end - start, called - start]
}

async function many<T>(run: () => T | Promise<T>): Promise<T[]> {
  const results: T[] = []
  for (const until = performance.now() + MIN_MS; performance.now() < until || results.length < 5;) {
    results.push(await run())
  }
  return results
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1] ?? NaN
}

const only = process.argv[2]
for (const settings of contenders.filter(({ codec }) => only === undefined || codec === only)) {
  const codec = loadCodec(settings)
  const rows: object[] = []
  for (const size of SIZES) {
    const bytes = recordsOf(size)
    const ratio = size / (await codec.compress(bytes)).length
    const syncMs = codec.compressSync === undefined ? NaN : median(await many(() => sync(codec, bytes)))
    const offLoop = await many(() => async(codec, bytes))
    const asyncMs = median(offLoop.map(([ms]) => ms))
    rows.push({
      'batch B': size,
      ratio: Number(ratio.toFixed(2)),
      'sync MB/s': Math.round(size / syncMs / 1000),
      'async MB/s': Math.round(size / asyncMs / 1000),
      'sync block us': Math.round(syncMs * 1000),
      'async call us': Math.round(median(offLoop.map(([, ms]) => ms)) * 1000),
      'async total us': Math.round(asyncMs * 1000),
    })
  }
  console.log(`${codec.name}${settings.level === undefined ? '' : ` level ${settings.level}`}`)
  console.table(rows)
}
const load = loadavg().map((average) => average.toFixed(1))
console.log(`Node ${process.version}; load before the end: ${load.join(' ')}`)
