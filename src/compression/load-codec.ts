import { OptionError, type OptionErrorCode } from '../errors.ts'
import { show, type Checked } from '../options.ts'
import type { Codec, CodecKind, CodecName, CompressionSettings, CompressFunction } from './codec.ts'
import { codecSources, type CodecSources } from './codec-sources.ts'
import { gzip } from './gzip.ts'
import { lz4 } from './lz4.ts'
import { snappy } from './snappy.ts'
import { zstd } from './zstd.ts'

const kinds: Readonly<Record<CodecName, CodecKind>> = { gzip, snappy, lz4, zstd }
const NAMES = Object.keys(kinds) as readonly CodecName[]
const EXPECTED = `'none', ${NAMES.map((name) => `'${name}'`).join(', ')}, or { codec, level?, compress? }`

/** For an option table: what the user gave, in one shape; null is 'none'. Loads nothing. */
export function checkCompression(value: unknown): Checked<CompressionSettings | null> {
  if (value === undefined || value === 'none') return { value: null }
  const settings: unknown = typeof value === 'string' ? { codec: value } : value
  if (typeof settings !== 'object' || settings === null || Array.isArray(settings)) return { expected: EXPECTED }
  const { codec, level, compress, ...others } = settings as Record<string, unknown>
  const [other] = Object.keys(others)
  if (other !== undefined) return { problem: `unknown key ${show(other)}, expected ${EXPECTED}` }
  if (codec === 'none' && level === undefined && compress === undefined) return { value: null }
  if (!isCodecName(codec)) return { problem: `got codec ${show(codec)}, expected ${EXPECTED}` }
  if (compress !== undefined && typeof compress !== 'function') {
    return { problem: `got compress ${show(compress)}, expected a function` }
  }
  const problem = compress === undefined ? problemOfLevel(codec, level) : null
  if (problem !== null) return { problem }
  if (level !== undefined && !Number.isInteger(level))
    return { problem: `got level ${show(level)}, expected an integer` }
  return { value: { codec, level, compress } as CompressionSettings }
}

/**
 * Makes a codec ready, which means: loads its package, synchronously.
 *
 * @throws {OptionError} `INVALID_OPTIONS`: no such codec, or not with this level.
 * @throws {OptionError} `CODEC_UNAVAILABLE`: a package is missing; the message names it and the command that installs it.
 */
export function loadCodec(
  option: CodecName | CompressionSettings,
  where = 'Producer',
  sources: CodecSources = codecSources,
): Codec {
  const checked = checkCompression(option)
  if (!('value' in checked)) {
    const what = 'expected' in checked ? `got ${show(option)}, expected ${checked.expected}` : checked.problem
    throw refusal(where, 'INVALID_OPTIONS', `compression: ${what}`)
  }
  if (checked.value === null) throw refusal(where, 'INVALID_OPTIONS', "compression: 'none' is no codec")
  const { codec: name, level, compress } = checked.value
  const { id, decompress, load } = kinds[name]
  if (compress !== undefined) return { name, id, decompress, asyncFromBytes: 0, compress: injected(compress, level) }
  try {
    return { name, id, decompress, ...load(level, sources) }
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw refusal(where, 'CODEC_UNAVAILABLE', `compression '${name}' ${why}`, cause)
  }
}

function injected(compress: CompressFunction, level: number | undefined): Codec['compress'] {
  return async (bytes) => {
    const given: unknown = compress(bytes, level)
    // What was given at once may be the codec's own memory, which its next call overwrites.
    const compressed = given instanceof Uint8Array ? Buffer.from(given) : await given
    if (compressed instanceof Uint8Array && compressed.length > 0) return compressed
    const what = `compression.compress gave ${show(compressed)}, expected a Uint8Array that is not empty`
    throw refusal('Producer', 'INVALID_ARGUMENT', what)
  }
}

function problemOfLevel(name: CodecName, level: unknown): string | null {
  if (level === undefined) return null
  const { levels } = kinds[name]
  if (levels === null)
    return `got level ${show(level)}, ${name} has no levels here; bring a compress function of your own`
  const isFine = typeof level === 'number' && Number.isInteger(level) && level >= levels.min && level <= levels.max
  return isFine ? null : `got level ${show(level)}, expected an integer, ${levels.min} to ${levels.max} for ${name}`
}

function isCodecName(value: unknown): value is CodecName {
  return typeof value === 'string' && Object.hasOwn(kinds, value)
}

function refusal(where: string, code: OptionErrorCode, what: string, cause?: unknown): OptionError {
  return new OptionError(code, `${where}: ${code}: ${what}`, { cause })
}
