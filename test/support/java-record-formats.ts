import { readFileSync } from 'node:fs'
import type { RecordToEncode } from '../../src/protocol/record-batch.ts'

type JavaRecord = RecordToEncode & { readonly key: string | null; readonly value: string | null }

interface JavaFormats {
  readonly messageSets: readonly {
    readonly magic: 0 | 1
    readonly codec: 'none' | 'gzip' | 'snappy' | 'lz4'
    readonly records: readonly JavaRecord[]
    readonly upperBounds: readonly number[]
    readonly hex: string
  }[]
  readonly recordBatches: {
    readonly batches: readonly { readonly codec: 'gzip' | 'snappy' | 'lz4' | 'zstd'; readonly hex: string }[]
  }
}

const file = new URL('../fixtures/message-sets.json', import.meta.url)

/** Written by kafka-clients 2.8.2; PROVENANCE.md says how. */
export const javaFormats = JSON.parse(readFileSync(file, 'utf8')) as JavaFormats

/** What every one of `javaFormats.recordBatches.batches` holds. */
export const javaBatchRecords: readonly JavaRecord[] = Array.from({ length: 40 }, (_, i) => ({
  timestamp: 1_700_000_000_000 + i,
  key: i % 3 === 0 ? null : `key-${i}`,
  value: `{"id":${i},"name":"n${(i * 7919) % 101}","text":"the same again and again"}`,
}))
