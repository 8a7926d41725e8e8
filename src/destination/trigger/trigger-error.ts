import { KafkaError } from '../../index.ts'

const CONTEXT_CHARACTERS = 24

/** A trigger that cannot be read. `position` counts characters (UTF-16 code units) from 0, up to the length of the text. */
export class TriggerError extends KafkaError {
  override readonly name = 'TriggerError'
  readonly code = 'INVALID_TRIGGER'
  readonly position: number

  constructor(what: string, text: string, position: number) {
    const place = `position ${position}, at the mark in: ${around(text, position)}`
    super(`Trigger: INVALID_TRIGGER: ${what} (${place})`)
    this.position = position
  }
}

function around(text: string, position: number): string {
  const start = Math.max(0, position - CONTEXT_CHARACTERS)
  const end = Math.min(text.length, position + CONTEXT_CHARACTERS)
  const before = `${start > 0 ? '...' : ''}${text.slice(start, position)}`
  return `${before}>>>${text.slice(position, end)}${end < text.length ? '...' : ''}`
}
