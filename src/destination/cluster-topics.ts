import type { Producer, TopicInfo } from '../index.ts'

/** Brokers before 0.10.1 do not say which topics are their own. */
const KAFKAS_OWN = ['__consumer_offsets', '__transaction_state', '__share_group_state']

/** The topics of the cluster, Kafka's own marked. */
export async function clusterTopics(producer: Producer): Promise<TopicInfo[]> {
  const topics = await producer.topics()
  return topics.map((topic) => ({ ...topic, isInternal: topic.isInternal || KAFKAS_OWN.includes(topic.name) }))
}
