import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

const FILE = new URL('../../examples/data/asa-telco.ndjson.gz', import.meta.url)

/**
 * NDJSON lines made of the real rows of `asa-telco.ndjson`, repeated; every line is different (it carries its number), and
 * every so often one is empty or beyond ASCII.
 */
export function telcoLines(count: number): string[] {
  const rows = String(gunzipSync(readFileSync(FILE)))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as object)
  return Array.from({ length: count }, (_, i) => {
    if (i % 97 === 13) return ''
    if (i % 89 === 5) return JSON.stringify({ line: i, text: 'schön \u2028 鍵 📦 \u0000 "quoted"' })
    return JSON.stringify({ line: i, ...rows[i % rows.length] })
  })
}
