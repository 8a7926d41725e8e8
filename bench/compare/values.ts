import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import { BUILT } from './peers.ts'

export const VALUE_COUNT = 1000
const TELCO = new URL('../../examples/data/asa-telco.ndjson.gz', import.meta.url)

const files = new Map<number, string>()

/** A file of values for all contenders: slices of real events, so that codecs have something real to do. */
export function valuesFile(valueBytes: number): string {
  const made = files.get(valueBytes)
  if (made !== undefined) return made
  const text = gunzipSync(readFileSync(TELCO))
  const bytes = Buffer.alloc(VALUE_COUNT * valueBytes)
  for (let at = 0; at < bytes.length; at += text.length) text.copy(bytes, at)
  const file = path.join(BUILT, `values-${valueBytes}.bin`)
  mkdirSync(BUILT, { recursive: true })
  writeFileSync(file, bytes)
  files.set(valueBytes, file)
  return file
}
