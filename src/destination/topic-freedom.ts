/**
 * Who chooses the topic: the mapping (`fixed`), an event behind a prefix that the mapping has (`prefixed`), or an event
 * alone (`any`), which then may write to every topic that the credentials are good for.
 */
export type TopicFreedom = 'fixed' | 'prefixed' | 'any'

const ORDER: readonly TopicFreedom[] = ['fixed', 'prefixed', 'any']

/** @param topic the `topic` of a mapping, as written. What is not understood counts as `any`. */
export function topicFreedom(topic: unknown): TopicFreedom {
  if (typeof topic !== 'object' || topic === null) return 'fixed'
  if (Array.isArray(topic)) return worst(topic.map(topicFreedom))
  const names = Object.keys(topic).filter((name) => name !== '_metadata')
  const [name] = names
  if (name === undefined || names.length > 1) return 'any'
  const value = (topic as Record<string, unknown>)[name]
  switch (name) {
    case '@literal':
      return topicFreedom(value)
    case '@template':
      return typeof value === 'string' ? ofTemplate(value) : 'any'
    case '@case':
      return topicFreedom(memberOf(value, 'value'))
    case '@if':
      return worst([topicFreedom(memberOf(value, 'then')), topicFreedom(memberOf(value, 'else'))])
    default:
      return 'any'
  }
}

function ofTemplate(template: string): TopicFreedom {
  const start = template.indexOf('{{')
  if (start === -1) return 'fixed'
  return start === 0 ? 'any' : 'prefixed'
}

function worst(all: readonly TopicFreedom[]): TopicFreedom {
  return ORDER[Math.max(0, ...all.map((each) => ORDER.indexOf(each)))] ?? 'any'
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined
}
