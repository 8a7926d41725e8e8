import type { DeliveryResult } from '../../destination/destination.ts'
import { oneLine, plainText } from '../terminal.ts'

/** What became of a line, or of an event of it under one mapping. Null: no mapping takes the event, or its `integrations` keep it away. */
export type LineResult = Omit<DeliveryResult, 'event'> | null

/** Writes results, one a line. */
export type ResultWriter = (line: number, result: LineResult) => string

/** For programs: JSON. Offsets are decimal strings, because JSON has no 64-bit integers. */
export function jsonLine(line: number, result: LineResult): string {
  if (result === null) return JSON.stringify({ line, mapping: null, isSkipped: true })
  const { mapping, status, topic, partition, offset, error, retry, retryAfterMs, maybeWritten, isDuplicate } = result
  const place = { topic, partition, offset: offset === undefined ? undefined : String(offset) }
  const failure = { error, retry, retryAfterMs, maybeWritten, isDuplicate, deadLetter: letterOf(result) }
  return JSON.stringify({ line, mapping, status, ...place, ...failure })
}

/** For people: `line 7  orders  200  events 3 @ 1204`. */
export function textLine(line: number, result: LineResult): string {
  return plainText(textOf(line, result))
}

function textOf(line: number, result: LineResult): string {
  if (result === null) return `line ${line}  not for Kafka: no trigger matches, or its integrations say so`
  const { mapping, status, topic, partition, offset, error, isDuplicate } = result
  const head = `line ${line}  ${mapping === null ? '' : `${oneLine(mapping)}  `}${status}  `
  if (error !== undefined) return `${head}${error.code}: ${oneLine(error.message)}${letterText(result)}`
  return `${head}${topic ?? ''} ${partition ?? ''} @ ${offset ?? ''}${isDuplicate === true ? '  (was there already)' : ''}`
}

function letterOf({ deadLetter }: Omit<DeliveryResult, 'event'>): object | undefined {
  if (deadLetter === undefined || 'error' in deadLetter) return deadLetter
  return { ...deadLetter, offset: String(deadLetter.offset) }
}

function letterText({ deadLetter }: Omit<DeliveryResult, 'event'>): string {
  if (deadLetter === undefined) return ''
  if ('error' in deadLetter) return `  (not in the dead-letter topic: ${oneLine(deadLetter.error)})`
  return `  (kept in ${deadLetter.topic} ${deadLetter.partition} @ ${deadLetter.offset})`
}
