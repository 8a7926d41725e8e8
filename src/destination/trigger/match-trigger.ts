import { ownValue } from '../mapping/own-value.ts'
import { parseTrigger } from './parse-trigger.ts'
import { isTextSubject, type Subject, type Trigger } from './trigger.ts'

/** Texts that were parsed, oldest first: a destination has 50 mappings at most, a program may have some destinations. */
const parsed = new Map<string, Trigger>()
const MAX_PARSED = 256

/**
 * Whether an event matches. Only the event's own members count; what is not an object matches nothing.
 *
 * Types are not mixed: `= "42"` is true for the text only, `= 42` for the number only (for `type`, `event`, `name` and
 * `userId` for both). `!=` is true where the value is missing, but `!= 42` wants a number. `!contains` and `!match` want
 * a text, as in Segment; `not contains(...)` is the plain opposite.
 *
 * @throws {TriggerError} where a text is given that cannot be read. Never for an event.
 */
export function matchesTrigger(triggerOrText: Trigger | string, event: unknown): boolean {
  if (typeof event !== 'object' || event === null) return false
  return evaluate(typeof triggerOrText === 'string' ? parsedOnce(triggerOrText) : triggerOrText, event)
}

function evaluate(trigger: Trigger, event: object): boolean {
  switch (trigger.kind) {
    case 'and':
      for (const child of trigger.children) if (!evaluate(child, event)) return false
      return true
    case 'or':
      for (const child of trigger.children) if (evaluate(child, event)) return true
      return false
    case 'not':
      return !evaluate(trigger.child, event)
    case 'equals':
      return equals(trigger, valueOf(trigger.subject, event))
    case 'order':
      return isOrdered(trigger, valueOf(trigger.subject, event))
    case 'text':
      return passesText(trigger, valueOf(trigger.subject, event))
  }
}

function valueOf({ root, path }: Subject, event: object): unknown {
  const value = Object.hasOwn(event, root) ? (event as Record<string, unknown>)[root] : undefined
  return path.length === 0 ? value : ownValue(value, path)
}

function equals({ subject, isNegated, value }: Trigger & { kind: 'equals' }, actual: unknown): boolean {
  if (value === null) return (actual === undefined || actual === null) !== isNegated
  if (typeof value !== 'number') return (actual === value) !== isNegated
  if (isTextSubject(subject.root)) return (actual === value || actual === String(value)) !== isNegated
  return typeof actual === 'number' && (actual === value) !== isNegated
}

function isOrdered({ operator, value }: Trigger & { kind: 'order' }, actual: unknown): boolean {
  if (typeof actual !== 'number') return false
  switch (operator) {
    case '<':
      return actual < value
    case '<=':
      return actual <= value
    case '>':
      return actual > value
    case '>=':
      return actual >= value
  }
}

function passesText({ test, isNegated, value }: Trigger & { kind: 'text' }, actual: unknown): boolean {
  if (typeof actual !== 'string') return false
  if (test === 'contains') return actual.includes(value) !== isNegated
  return (test === 'startsWith' ? actual.startsWith(value) : actual.endsWith(value)) !== isNegated
}

function parsedOnce(text: string): Trigger {
  const known = parsed.get(text)
  if (known !== undefined) return known
  const trigger = parseTrigger(text)
  const [oldest] = parsed.keys()
  if (parsed.size >= MAX_PARSED && oldest !== undefined) parsed.delete(oldest)
  parsed.set(text, trigger)
  return trigger
}
