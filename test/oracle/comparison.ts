import { isDeepStrictEqual } from 'node:util'
import { performance } from 'node:perf_hooks'
import fc from 'fast-check'
import { Reader } from '../../src/bytes/reader.ts'
import { Writer } from '../../src/bytes/writer.ts'
import { ProtocolError } from '../../src/errors.ts'
import { decodeBody, encodeBody } from '../../src/protocol/codec.ts'
import type { Direction } from '../../src/protocol/layout.ts'
import type { Api } from '../../src/protocol/schema.ts'
import { bodies } from '../support/arbitraries.ts'
import { toKafkaJson } from '../support/kafka-json.ts'
import type { Oracle, WrittenMessage } from '../support/kafka/java-oracle.ts'

type Body = Readonly<Record<string, unknown>>

/** Few enough that Java works on one request while the next is made. */
const VALUES_PER_REQUEST = 125

const MAX_REPORT_CHARS = 4000

/** How many values are made for each API, version and direction. */
export const VALUES = positive('HEADRACE_ORACLE_VALUES', 500)

/** Printed with every failure; setting it makes the same values again. */
export const SEED = positive('HEADRACE_ORACLE_SEED', Math.floor(Math.random() * 2 ** 31))

function positive(name: string, otherwise: number): number {
  const given = process.env[name]
  if (given === undefined) return otherwise
  const value = Number(given)
  if (!Number.isSafeInteger(value) || value < 1) throw new RangeError(`${name} is ${given}, must be a positive integer`)
  return value
}

/** One message of one version; `valuesOf` is the version whose fields the values have, mostly the same. */
export interface Subject {
  readonly api: Api
  readonly direction: Direction
  readonly version: number
  readonly valuesOf: number
}

/** What was compared in one file, for its last line. */
export class Tally {
  readonly #startedMs = performance.now()
  values = 0
  bytes = 0

  /** On stderr, past the test runner, which would put its own lines between. */
  print(what: string): void {
    const seconds = (performance.now() - this.#startedMs) / 1000
    const rate = Math.round(this.values / seconds)
    process.stderr.write(
      `\nCompared with Kafka's own classes: ${this.values} ${what}, ${this.bytes} bytes, ` +
        `in ${seconds.toFixed(1)} s (${rate}/s), seed ${SEED}\n`,
    )
  }
}

/**
 * Makes `count` values and has Kafka write each, and read what we write of it. Returns the smallest disagreement in
 * words, or null. A value that both refuse to write is agreement, too.
 */
export async function disagreement(
  { api, direction, version, valuesOf }: Subject,
  count: number,
  oracle: Oracle,
  tally: Tally,
): Promise<string | null> {
  const fields = api[direction]
  const name = api.name + (direction === 'request' ? 'Request' : 'Response')
  const found: { size: number; text: string }[] = []
  const asked: Promise<void>[] = []
  for (let done = 0; done < count; done += VALUES_PER_REQUEST) {
    const numRuns = Math.min(VALUES_PER_REQUEST, count - done)
    const seed = SEED + done + api.key * 1009 + version * 31
    const values = fc.sample(bodies(api, direction, valuesOf), { numRuns, seed }) as Body[]
    const ours = values.map((value) => encoded(api, direction, version, value))
    const texts = values.map((value) => toKafkaJson(fields, valuesOf, value))
    // A value of another version can lose fields on its way, and is then rightly not what Kafka reads.
    const toRead = ours.map((bytes) => (valuesOf === version && Buffer.isBuffer(bytes) ? bytes : null))
    const request = { name, jsonVersion: valuesOf, version, values: texts, ours: toRead }
    asked.push(
      oracle.writeMessages(request).then((written) => {
        for (const [i, theirs] of written.entries()) {
          const value = valuesOf === version ? values[i] : undefined
          const what = difference({ api, direction, version, ours: ours[i], theirs, value })
          if (what !== null)
            found.push({
              size: texts[i]?.length ?? 0,
              text: `${what}\nvalue: ${texts[i] ?? ''}`.slice(0, MAX_REPORT_CHARS),
            })
          tally.bytes += Buffer.isBuffer(theirs.bytes) ? theirs.bytes.length : 0
        }
        tally.values += written.length
      }),
    )
    // One request ahead: while Java has it, the next values are made.
    await asked.at(-2)
  }
  await Promise.all(asked)
  found.sort((a, b) => a.size - b.size)
  const smallest = found[0]
  return smallest === undefined
    ? null
    : `${found.length} of ${count} differ, seed ${SEED}; the smallest:\n${smallest.text}`
}

function encoded(api: Api, direction: Direction, version: number, value: Body): Buffer | ProtocolError {
  const out = new Writer()
  try {
    encodeBody(api, direction, version, value, out)
    return out.finish()
  } catch (error) {
    if (error instanceof ProtocolError) return error
    throw error
  }
}

interface Both {
  readonly api: Api
  readonly direction: Direction
  readonly version: number
  readonly ours: Buffer | ProtocolError | undefined
  readonly theirs: WrittenMessage
  /** What decoding must give; undefined: not known. */
  readonly value: Body | undefined
}

function difference({ api, direction, version, ours, theirs, value }: Both): string | null {
  const { bytes, misreading } = theirs
  if (!Buffer.isBuffer(bytes) || !Buffer.isBuffer(ours)) {
    const bothRefuse = !Buffer.isBuffer(bytes) && !Buffer.isBuffer(ours)
    // A value of its own version must be written by both, or the comparison says nothing.
    return bothRefuse && value === undefined ? null : `ours:  ${outcome(ours)}\nKafka: ${outcome(bytes)}`
  }
  if (!bytes.equals(ours)) return `ours:  ${outcome(ours)}\nKafka: ${outcome(bytes)}`
  if (misreading !== null) return `Kafka reads our bytes: ${misreading}`
  if (value === undefined) return null
  try {
    const decoded = decodeBody(api, direction, version, new Reader(bytes, api.name))
    return isDeepStrictEqual(decoded, value) ? null : `we read Kafka's bytes ${outcome(bytes)} as another value`
  } catch (error) {
    return `we cannot read Kafka's bytes ${outcome(bytes)}: ${String(error)}`
  }
}

function outcome(result: Buffer | ProtocolError | { readonly error: string } | undefined): string {
  if (result === undefined) return 'nothing'
  if (Buffer.isBuffer(result)) return result.toString('hex')
  return 'error' in result ? result.error : result.message
}
