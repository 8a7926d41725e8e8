import { InvalidArgumentError, type Command } from 'commander'
import { UsageError } from './exit-code.ts'

/** For commander: a whole number in [min, max]. */
export function integer(min: number, max = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^\d+$/.test(text) && value >= min && value <= max) return value
    const range = max === Number.MAX_SAFE_INTEGER ? `from ${min}` : `${min} to ${max}`
    throw new InvalidArgumentError(`Expected a whole number, ${range}.`)
  }
}

/** For commander: who must have a record, as the library takes it. */
export function acks(text: string): 'all' | 0 | 1 {
  if (text === 'all') return text
  if (text === '0' || text === '1') return text === '0' ? 0 : 1
  throw new InvalidArgumentError('Allowed choices are all, 1, 0.')
}

/** For commander: `name=value`, repeatable; the value may hold further `=`. */
export function nameAndValue(text: string, before: readonly (readonly [string, string])[] = []): [string, string][] {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('Expected name=value.')
  return [...before.map(([name, value]): [string, string] => [name, value]), [text.slice(0, at), text.slice(at + 1)]]
}

const ESCAPES: Readonly<Record<string, string>> = { t: '\t', '0': '\0', '\\': '\\' }

/** For commander: the bytes of a separator; `\t`, `\0` and `\\` are what C makes of them. */
export function separator(text: string): Buffer {
  if (text === '') throw new InvalidArgumentError('Expected at least one character.')
  return Buffer.from(text.replaceAll(/\\([t0\\])/g, (_all, char: string) => ESCAPES[char] ?? ''))
}

/**
 * Commander looks for missing options before unknown ones, so that `--topc x` would only be told that `--topic` is
 * missing. We look afterwards.
 *
 * @throws {UsageError} naming all that are missing.
 */
export function requireAll(options: object, names: readonly string[]): void {
  const missing = names.filter((name) => !Object.hasOwn(options, name)).map((name) => `--${name}`)
  if (missing.length === 0) return
  throw new UsageError(`${missing.join(' and ')} ${missing.length === 1 ? 'is' : 'are'} missing; see --help`)
}

/** What stands on the command line, without commander's defaults: a configuration file wins over those. */
export function givenOptions(command: Command, names: readonly string[]): Record<string, unknown> {
  const given = names.filter((name) => command.getOptionValueSource(name) === 'cli')
  return Object.fromEntries(given.map((name) => [name, command.getOptionValue(name) as unknown]))
}

/** For commander: `name:partitions` or `name`, repeatable. */
export function topicAndPartitions(
  text: string,
  before: readonly (readonly [string, number])[] = [],
): (readonly [string, number])[] {
  const [name = '', partitions = '1', ...rest] = text.split(':')
  if (name === '' || rest.length > 0 || !/^[1-9]\d*$/.test(partitions)) {
    throw new InvalidArgumentError('Expected a name, or name:partitions.')
  }
  return [...before, [name, Number(partitions)]]
}
