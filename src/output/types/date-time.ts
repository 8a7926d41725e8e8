import { DateTime } from './value.ts'

const ISO = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,40}))?)?\s?(Z|[+-]\d\d(?::?\d\d)?)?)?$/i
const FRACTION_DIGITS = 7
const FIRST_MS = new Date(0).setUTCFullYear(1, 0, 1)
const LAST_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999)

/** What could not be read, as the rest of a sentence. */
export interface Misread {
  readonly reason: string
}

/** A Date has milliseconds: four zeros follow. */
export function fromDate(date: Date): DateTime | Misread {
  const ms = date.getTime()
  if (Number.isNaN(ms)) return { reason: 'the Date is not valid' }
  return withinRange(ms) ? new DateTime(`${date.toISOString().slice(0, -1)}0000Z`) : OUT_OF_RANGE
}

/**
 * Reads ISO 8601 with up to seven fractional digits, which are kept. Without an offset it is UTC, as in Stream Analytics.
 *
 * An eighth digit is refused unless it is zero: it would be lost.
 */
export function fromIsoText(text: string): DateTime | Misread {
  const match = ISO.exec(text)
  if (match === null) return { reason: 'expected a datetime as 2014-09-10T12:01:00.0000000Z' }
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part?: string) => Number(part ?? '0')) as Six
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return { reason: 'there is no such day' }
  if (hour > 23 || minute > 59 || second > 59) return { reason: 'there is no such time of day' }
  const fraction = (match[7] ?? '').replace(/0+$/, '')
  if (fraction.length > FRACTION_DIGITS) return { reason: 'more than seven fractional digits would be lost' }
  const offset = offsetMinutes(match[8] ?? 'Z')
  if (offset === null) return { reason: 'there is no such offset from UTC' }
  const ms = date.setUTCHours(hour, minute - offset, second)
  if (!withinRange(ms)) return OUT_OF_RANGE
  return new DateTime(`${new Date(ms).toISOString().slice(0, 20)}${fraction.padEnd(FRACTION_DIGITS, '0')}Z`)
}

type Six = [number, number, number, number, number, number]

const OUT_OF_RANGE: Misread = { reason: 'outside of the years 0001 to 9999' }

function withinRange(ms: number): boolean {
  return ms >= FIRST_MS && ms <= LAST_MS
}

function offsetMinutes(text: string): number | null {
  if (text === 'Z' || text === 'z') return 0
  const [hours, minutes] = [Number(text.slice(1, 3)), Number(text.slice(3).replace(':', ''))]
  if (hours > 14 || minutes > 59) return null
  return (text.startsWith('-') ? -1 : 1) * (hours * 60 + minutes)
}
