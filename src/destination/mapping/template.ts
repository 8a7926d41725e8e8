import { textOf } from './json-value.ts'
import type { MappingPath } from './mapping-error.ts'
import { ownValue, pathNames } from './own-value.ts'

/** A text as it is, or the names that lead to a value of the event. */
type Part = string | readonly string[]

/**
 * Reads `{{{x}}}` and `{{x}}`, which mean the same. What a value brings in is never read as a template again (Segment
 * reads the values of `{{{x}}}` a second time, so that an event could choose what is shown).
 */
export function parseTemplate(template: string): (event: unknown, path: MappingPath) => string {
  const parts = placeholders(template, 3).flatMap((part) => (typeof part === 'string' ? placeholders(part, 2) : [part]))
  return (event, path) => parts.map((part) => (typeof part === 'string' ? part : shown(event, part, path))).join('')
}

function shown(event: unknown, names: readonly string[], path: MappingPath): string {
  const value = ownValue(event, names)
  return value === null || value === undefined ? '' : textOf(value, path)
}

/** `braces` times `{`, at least one character but no `}`, and `braces` times `}`: the leftmost first, in linear time. */
function placeholders(text: string, braces: 2 | 3): Part[] {
  const open = '{'.repeat(braces)
  const close = '}'.repeat(braces)
  const parts: Part[] = []
  let done = 0
  let from = 0
  for (;;) {
    const start = text.indexOf(open, from)
    const end = start === -1 ? -1 : text.indexOf('}', start + braces)
    if (end === -1) break
    if (end === start + braces || !text.startsWith(close, end)) {
      from = end + 1
      continue
    }
    if (start > done) parts.push(text.slice(done, start))
    parts.push(pathNames(text.slice(start + braces, end).trim()))
    done = from = end + braces
  }
  if (done < text.length) parts.push(text.slice(done))
  return parts
}
