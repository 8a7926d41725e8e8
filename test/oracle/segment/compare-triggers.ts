/** A trigger on an event, by Segment's code and by ours, in one shape: true, false, or what went wrong. */
import { matchesTrigger } from '../../../src/destination/trigger/match-trigger.ts'
import { parseTrigger } from '../../../src/destination/trigger/parse-trigger.ts'
import { TriggerError } from '../../../src/destination/trigger/trigger-error.ts'
import { isTextSubject, type Trigger } from '../../../src/destination/trigger/trigger.ts'
import { subscriptions } from './segment-code.ts'

export type Answer = boolean | 'error' | 'crash'

/** `error`: the trigger cannot be read. `crash`: it throws on the event. */
export function theirAnswer(text: string, event: unknown): Answer {
  const { parseFql, validate } = subscriptions()
  const tree = parseFql(text)
  if (tree.error !== undefined) return 'error'
  try {
    return validate(tree, event)
  } catch {
    return 'crash'
  }
}

export function ourAnswer(text: string, event: unknown, precedence?: 'last-wins'): Answer {
  try {
    return matchesTrigger(parseTrigger(text, precedence === undefined ? {} : { precedence }), event)
  } catch (error) {
    if (error instanceof TriggerError) return 'error'
    throw error
  }
}

/** The differences that a trigger can show, by what is in it; none: Segment must agree. */
export function differencesIn(trigger: Trigger, groups = 0): Set<string> {
  const found = new Set<string>()
  const add = (id: string, isThere: boolean): unknown => isThere && found.add(id)
  if (trigger.kind === 'not') {
    found.add('trigger-negation')
    for (const id of differencesIn(trigger.child, groups + 1)) found.add(id)
    return found
  }
  if ('children' in trigger) {
    add('trigger-nested-parentheses', groups > 1)
    add('trigger-precedence', trigger.kind === 'or' && trigger.children.some(({ kind }) => kind === 'and'))
    for (const child of trigger.children) for (const id of differencesIn(child, groups + 1)) found.add(id)
    return found
  }
  const { root, path } = trigger.subject
  add(
    'trigger-names',
    path.some((name) => !/^[A-Za-z_][\w-]*$/.test(name) || /^(?:and|or|null)$/.test(name)),
  )
  add(
    'own-members',
    path.some((name) => name in Object.prototype),
  )
  add('trigger-call-in-parentheses', trigger.kind === 'text' && groups > 1)
  add('trigger-contains-type', trigger.kind === 'text' && root === 'type')
  if (trigger.kind === 'text') return found
  const { value } = trigger
  add('trigger-exponents', typeof value === 'number' && !/^-?[0-9]+(?:\.[0-9]+)?$/.test(String(value)))
  if (trigger.kind === 'order') return found
  add('trigger-not-true', trigger.isNegated && typeof value === 'boolean')
  add('trigger-text-subjects', isTextSubject(root) && typeof value === 'number')
  add('trigger-text-subjects', isTextSubject(root) && root !== 'userId' && typeof value === 'boolean')
  add('trigger-event-null', (root === 'event' || root === 'type') && value === null)
  return found
}
