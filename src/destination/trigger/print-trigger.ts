import { TriggerError } from './trigger-error.ts'
import type { Subject, Trigger } from './trigger.ts'

/**
 * Writes a trigger, so that `parseTrigger` (with `and-first`) gives the same tree again.
 *
 * @throws {TriggerError} for a tree that no text gives: a text with both kinds of quotes in it, for one.
 */
export function printTrigger(trigger: Trigger): string {
  switch (trigger.kind) {
    case 'and':
      return trigger.children
        .map((child) => (isGroup(child) ? `(${printTrigger(child)})` : printTrigger(child)))
        .join(' and ')
    case 'or':
      return trigger.children
        .map((child) => (child.kind === 'or' ? `(${printTrigger(child)})` : printTrigger(child)))
        .join(' or ')
    case 'not':
      return isGroup(trigger.child) ? `not (${printTrigger(trigger.child)})` : `not ${printTrigger(trigger.child)}`
    case 'equals':
      return `${printSubject(trigger.subject)} ${trigger.isNegated ? '!=' : '='} ${printValue(trigger.value)}`
    case 'order':
      return `${printSubject(trigger.subject)} ${trigger.operator} ${trigger.value}`
    case 'text':
      return `${trigger.isNegated ? '!' : ''}${printCall(trigger)}`
  }
}

function isGroup(trigger: Trigger): boolean {
  return trigger.kind === 'and' || trigger.kind === 'or'
}

function printCall({ subject, test, value }: Trigger & { kind: 'text' }): string {
  const name = printSubject(subject)
  if (test === 'contains') return `contains(${name}, ${quote(value)})`
  if (test === 'startsWith') return `match(${name}, ${quote(`${value}*`)})`
  if (value.endsWith('*')) throw new TriggerError('match cannot test for an end with *', value, 0)
  return `match(${name}, ${quote(`*${value}`)})`
}

function printSubject({ root, path }: Subject): string {
  return [root, ...path.map(escapeName)].join('.')
}

/** Beyond what our parser needs, a leading digit and words of the language are escaped, for Segment's own parser. */
function escapeName(name: string): string {
  const escaped = name.replaceAll(/[^A-Za-z0-9_-]/gu, '\\$&')
  return /^(?:[0-9-]|(?:and|or|null)$)/.test(escaped) ? `\\${escaped}` : escaped
}

function printValue(value: string | number | boolean | null): string {
  return typeof value === 'string' ? quote(value) : String(value)
}

function quote(text: string): string {
  if (!text.includes('"')) return `"${text}"`
  if (!text.includes("'")) return `'${text}'`
  throw new TriggerError('a text with both " and \' cannot be written', text, 0)
}
