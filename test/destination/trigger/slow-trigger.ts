import type { Trigger } from '../../../src/destination/trigger/trigger.ts'

/** What a trigger means, written apart from the code that is tested: slowly, with everything listed first. */
export function matchesSlowly(trigger: Trigger, event: unknown): boolean {
  if (event === null || typeof event !== 'object') return false
  if (trigger.kind === 'not') return matchesSlowly(trigger.child, event) ? false : true
  if ('children' in trigger) {
    const answers = trigger.children.map((child) => matchesSlowly(child, event))
    const yes = answers.filter((answer) => answer).length
    return trigger.kind === 'and' ? yes === answers.length : yes > 0
  }
  const { root, path } = trigger.subject
  const actual = lookUp(event, [root, ...path])
  const isText = ['type', 'event', 'name', 'userId'].includes(root)
  if (trigger.kind === 'order') {
    if (typeof actual !== 'number') return false
    const sign = Math.sign(actual - trigger.value)
    return { '<': [-1], '<=': [-1, 0], '>': [1], '>=': [1, 0] }[trigger.operator].includes(sign + 0)
  }
  if (trigger.kind === 'text') {
    if (typeof actual !== 'string') return false
    const places: number[] = []
    for (let at = 0; at + trigger.value.length <= actual.length; at++) {
      if (actual.slice(at, at + trigger.value.length) === trigger.value) places.push(at)
    }
    const wanted = {
      contains: places.length > 0,
      startsWith: places.includes(0),
      endsWith: places.includes(actual.length - trigger.value.length),
    }
    return wanted[trigger.test] ? !trigger.isNegated : trigger.isNegated
  }
  const { value, isNegated } = trigger
  if (value === null) return [undefined, null].some((none) => none === actual) ? !isNegated : isNegated
  const accepted: unknown[] = typeof value === 'number' && isText ? [value, `${value}`] : [value]
  if (typeof value === 'number' && !isText && typeof actual !== 'number') return false
  return accepted.includes(actual) ? !isNegated : isNegated
}

function lookUp(event: object, path: readonly string[]): unknown {
  let here: unknown = event
  for (const [depth, name] of path.entries()) {
    if (depth > 0 && !here) return here
    const own = Object.getOwnPropertyDescriptors(Object(here) as object)
    here = new Map(Object.entries(own)).get(name)?.value
  }
  return here
}
