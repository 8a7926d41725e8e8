/** Python's json and csv and fastavro as a process that answers, and rows in the shape of its answers. */
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { DateTime, Row, type Value } from '../../src/output/types/value.ts'
import type { Availability } from '../support/kafka/available.ts'
import { cacheDirectory, makeOnce } from '../support/kafka/cache.ts'
import { BrokersUnavailable, needProgram } from '../support/kafka/java-installation.ts'
import { LineProcess } from '../support/kafka/line-process.ts'
import { runCommand } from '../support/kafka/run-command.ts'

const PROGRAM = fileURLToPath(new URL('output_formats.py', import.meta.url))
const FASTAVRO = '1.13.1'
const INSTALL_TIMEOUT_MS = 600_000

/** @throws {BrokersUnavailable} no Python 3, or fastavro cannot be installed. */
export async function startFormatReaders(): Promise<LineProcess> {
  return new LineProcess(await ensurePython(), [PROGRAM])
}

/** Whether they can run here; fetches fastavro where that was not done before. */
export async function formatReadersAvailable(): Promise<Availability> {
  try {
    await ensurePython()
    return { ok: true }
  } catch (error) {
    if (error instanceof BrokersUnavailable) return { ok: false, reason: error.message }
    throw error
  }
}

/** A Python that has fastavro: a virtual environment in the cache. */
async function ensurePython(): Promise<string> {
  const home = path.join(cacheDirectory(), 'python', `fastavro-${FASTAVRO}`)
  await makeOnce(home, async (folder) => {
    const python = await needProgram('python3', 'for fastavro', 'e.g. `apt-get install python3-venv`')
    try {
      await runCommand(python, ['-m', 'venv', folder])
      const install = ['-m', 'pip', 'install', '-q', `fastavro==${FASTAVRO}`]
      await runCommand(path.join(folder, 'bin', 'python'), install, { timeoutMs: INSTALL_TIMEOUT_MS })
    } catch (error) {
      throw new BrokersUnavailable(`pip could not install fastavro.\n${String(error)}`, { cause: error })
    }
  })
  return path.join(home, 'bin', 'python')
}

export type Answered =
  null | boolean | string | { i: string } | { f: string } | { o: [string, Answered][] } | Answered[]

/** What a reader must answer for a value. */
export function expected(value: Value): Answered {
  if (typeof value === 'bigint') return { i: String(value) }
  if (typeof value === 'number') return { f: bits(value) }
  if (value instanceof DateTime) return value.text
  if (value instanceof Row) return { o: value.names.map((name, i) => [name, expected(value.values[i] ?? null)]) }
  return typeof value === 'object' && value !== null ? value.map(expected) : value
}

/** As a reader of JSON answers, to whom `98103` is an integer, whatever it was to us. */
export function expectedOfJson(value: Value): Answered {
  if (typeof value === 'number' && Number.isInteger(value) && !Object.is(value, -0) && Math.abs(value) < 1e21) {
    // Python reads the digits that JavaScript wrote, not those of the binary value.
    return { i: BigInt(String(value)).toString() }
  }
  if (value instanceof Row) return { o: value.names.map((name, i) => [name, expectedOfJson(value.values[i] ?? null)]) }
  return Array.isArray(value) ? value.map(expectedOfJson) : expected(value)
}

/** Items of an array share one type in Avro: a bigint beside a float is double, a record has the names of all, absent ones null. */
export function expectedOfAvro(value: Value): Answered {
  if (value instanceof Row) return { o: value.names.map((name, i) => [name, expectedOfAvro(value.values[i] ?? null)]) }
  if (!(typeof value === 'object') || value === null || value instanceof DateTime) return expected(value)
  const hasFloat = value.some((item) => typeof item === 'number')
  const names = [...new Set(value.flatMap((item) => (item instanceof Row ? item.names : [])))]
  return value.map((item) => {
    if (hasFloat && typeof item === 'bigint') return expected(Number(item))
    if (!(item instanceof Row)) return expectedOfAvro(item)
    return expectedOfAvro(
      new Row(
        names,
        names.map((name) => item.values[item.names.indexOf(name)] ?? null),
      ),
    )
  })
}

function bits(value: number): string {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleBE(value)
  return bytes.toString('hex')
}
