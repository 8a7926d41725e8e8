/** Topics that events may choose: names, or beginnings that end with `*`; `'any'`: every one. */
export type TopicAllowList = 'any' | readonly string[]

export function isAllowedTopic(list: TopicAllowList, topic: string): boolean {
  if (list === 'any') return true
  return list.some((each) => (each.endsWith('*') ? topic.startsWith(each.slice(0, -1)) : topic === each))
}
