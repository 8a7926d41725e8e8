import { api, array, boolean, int16, int32, int8, string, uuid, type Infer, type Input } from '../schema.ts'

/**
 * CreateTopics (key 19) creates topics, with replicas where the broker puts them or as `assignments` say.
 *
 * v1 can only check (`validateOnly`) and explains a refusal; v4 takes -1 partitions and replicas for the broker's
 * defaults (KIP-464); v5 is flexible and answers with the configuration the topic got (KIP-525); v6 can answer
 * THROTTLING_QUOTA_EXCEEDED (KIP-599); v7 answers the topic id (KIP-516). Kafka 4.0 dropped v0 and v1.
 *
 * Source: CreateTopicsRequest.json and CreateTopicsResponse.json of Apache Kafka 4.3.1, for v0 and v1 of 2.8.2.
 */
export const createTopics = api({
  name: 'CreateTopics',
  key: 19,
  versions: [0, 7],
  flexible: 5,
  request: {
    topics: array({
      name: string,
      numPartitions: int32,
      replicationFactor: int16,
      assignments: array({ partitionIndex: int32, brokerIds: array(int32) }),
      configs: array({ name: string, value: string.nullable() }),
    }),
    timeoutMs: int32.default(60_000),
    validateOnly: boolean.since(1, false),
  },
  response: {
    throttleTimeMs: int32.since(2).ignorable(),
    topics: array({
      name: string,
      topicId: uuid.since(7).ignorable(),
      errorCode: int16,
      errorMessage: string.nullable(1).since(1).ignorable(),
      topicConfigErrorCode: int16.tagged(0, 5).ignorable(),
      numPartitions: int32.since(5, -1).ignorable(),
      replicationFactor: int16.since(5, -1).ignorable(),
      configs: array({
        name: string,
        value: string.nullable(),
        readOnly: boolean,
        configSource: int8.default(-1).ignorable(),
        isSensitive: boolean,
      })
        .nullable(5)
        .since(5)
        .ignorable(),
    }),
  },
})
export type CreateTopicsRequest = Input<typeof createTopics.request>
export type CreateTopicsResponse = Infer<typeof createTopics.response>
