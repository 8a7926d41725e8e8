import { extname } from 'node:path'
import type { Column, KafkaOutputOptions } from '../../output/output.ts'
import { isObject, readConfigFile, type ConfigShape } from '../config-file.ts'
import { UsageError } from '../exit-code.ts'
import type { Surroundings } from '../secret-text.ts'

/** How the input is read: `input` in the configuration file, or flags, which win. */
export interface InputOptions {
  readonly format: InputFormat
  /** CSV: between cells. */
  readonly delimiter: string
  /** CSV: column names; null: the first row has them. */
  readonly names: readonly string[] | null
  /** As the configuration gives them; what they must be, the output says. */
  readonly columns: readonly Column[]
  /** What becomes of a row that cannot be read. */
  readonly badRows: BadRows
}

export const inputFormats = ['ndjson', 'csv'] as const
export type InputFormat = (typeof inputFormats)[number]
export const badRowRules = ['skip', 'stop'] as const
export type BadRows = (typeof badRowRules)[number]

/** What the command line says of the input. */
export interface InputFlags {
  readonly file?: string
  readonly format?: InputFormat
  readonly delimiter?: string
  readonly badRows?: BadRows
}

export interface OutputConfig {
  readonly path: string
  readonly output: KafkaOutputOptions
  readonly input: InputOptions
}

/** A file with `KafkaOutputOptions`, and `input`. */
export const OUTPUT_CONFIG: ConfigShape = {
  references: new Map([
    ['password', 'login'],
    ...(['bootstrapServers', 'username', 'avroSchema', 'producer.tls.passphrase'] as const).map(
      (name) => [name, 'text'] as const,
    ),
    ...(['producer.tls.ca', 'producer.tls.cert', 'producer.tls.key', 'producer.tls.pfx'] as const).map(
      (name) => [name, 'bytes'] as const,
    ),
  ]),
  secrets: new Set(['password', 'producer.tls.key', 'producer.tls.pfx', 'producer.tls.passphrase']),
  sections: new Set(['producer', 'producer.tls']),
  example: 'a JSON object with the properties of an output, such as {"outputAlias":"out","bootstrapServers":"..."}',
}

const DELIMITERS: Readonly<Record<string, string>> = {
  ...{ ',': ',', ';': ';', ' ': ' ', '\t': '\t', '|': '|', '\\t': '\t' },
  ...{ comma: ',', semicolon: ';', space: ' ', tab: '\t', 'vertical bar': '|' },
}
const INPUT_MEMBERS = ['format', 'delimiter', 'header', 'badRows']

/** @throws {UsageError} the file cannot be read, or `input` is wrong. What else must be, the output says. */
export function readOutputConfig(path: string, flags: InputFlags, surroundings: Surroundings): OutputConfig {
  const { options } = readConfigFile(path, surroundings, OUTPUT_CONFIG)
  const { input = {}, ...output } = options
  const problems: string[] = []
  const checked = checkInput(input, output['columns'], flags, problems)
  if (problems.length > 0) throw new UsageError(problems.map((problem) => `${path}: ${problem}`).join('; '))
  return { path, output: output as unknown as KafkaOutputOptions, input: checked }
}

function checkInput(given: unknown, columns: unknown, flags: InputFlags, problems: string[]): InputOptions {
  if (!isObject(given)) problems.push('input: expected an object')
  const input = isObject(given) ? given : {}
  for (const name of Object.keys(input)) {
    if (!INPUT_MEMBERS.includes(name)) problems.push(`input.${name}: there is only ${INPUT_MEMBERS.join(', ')}`)
  }
  const format = flags.format ?? oneOf('format', input, inputFormats, problems) ?? formatOf(flags.file)
  const badRows = flags.badRows ?? oneOf('badRows', input, badRowRules, problems) ?? 'skip'
  const declared = (Array.isArray(columns) ? columns : []) as Column[]
  return {
    ...{ format, badRows, columns: declared.filter(isColumn) },
    delimiter: delimiterOf(flags, input, problems),
    names: namesOf(input['header'] ?? true, declared, format, problems),
  }
}

/** The output tells what is wrong with the others. */
function isColumn(column: unknown): column is Column {
  return isObject(column) && typeof column['name'] === 'string' && typeof column['type'] === 'string'
}

function oneOf<T extends string>(
  name: string,
  input: Record<string, unknown>,
  allowed: readonly T[],
  problems: string[],
): T | undefined {
  const given = input[name]
  const known = allowed.find((one) => typeof given === 'string' && given.toLowerCase() === one)
  if (given !== undefined && known === undefined) problems.push(`input.${name}: expected one of ${allowed.join(', ')}`)
  return known
}

function formatOf(file = '-'): InputFormat {
  return ['.csv', '.tsv'].includes(extname(file).toLowerCase()) ? 'csv' : 'ndjson'
}

function delimiterOf({ delimiter, file = '' }: InputFlags, input: Record<string, unknown>, problems: string[]): string {
  const given = delimiter ?? input['delimiter'] ?? (extname(file).toLowerCase() === '.tsv' ? '\t' : ',')
  const known = typeof given === 'string' && Object.hasOwn(DELIMITERS, given.toLowerCase())
  if (known) return DELIMITERS[given.toLowerCase()] ?? ','
  const where = delimiter === undefined ? 'input.delimiter' : '--delimiter'
  problems.push(`${where}: expected comma, semicolon, space, tab or vertical bar, by name or as it is`)
  return ','
}

function namesOf(
  header: unknown,
  columns: readonly Column[],
  format: InputFormat,
  problems: string[],
): readonly string[] | null {
  if (typeof header !== 'boolean') problems.push('input.header: expected true or false')
  if (header !== false || format !== 'csv') return null
  if (columns.length === 0) problems.push('input.header: false needs columns, which give the cells their names')
  return columns.map(({ name }) => name)
}
