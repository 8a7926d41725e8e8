import { api, array, boolean, int16, int32, string, uuid, type Infer, type Input } from '../schema.ts'

/** No authorized operations were asked for. */
const NOT_REQUESTED = -(2 ** 31)

/**
 * Metadata (key 3) tells the brokers of the cluster, and the partitions of topics with their leaders.
 *
 * `topics: null` asks for all topics; v0 has no null and takes an empty array for that, which later versions read as
 * none. v4 can forbid auto-creation; v7 has the leader epoch (KIP-320); v8 can ask for authorized operations (KIP-430),
 * those of the cluster until v10 (then DescribeCluster's, KIP-700); v9 is flexible; v10 has topic ids (KIP-516), asking
 * by id works from v12 on; v13 has a top-level error.
 *
 * Source: MetadataRequest.json and MetadataResponse.json of Apache Kafka 4.3.1.
 */
export const metadata = api({
  name: 'Metadata',
  key: 3,
  versions: [0, 13],
  flexible: 9,
  request: {
    topics: array({ topicId: uuid.since(10).ignorable(), name: string.nullable(10) }).nullable(1),
    allowAutoTopicCreation: boolean.since(4, true),
    includeClusterAuthorizedOperations: boolean.since(8).until(10),
    includeTopicAuthorizedOperations: boolean.since(8),
  },
  response: {
    throttleTimeMs: int32.since(3).ignorable(),
    brokers: array({
      nodeId: int32,
      host: string,
      port: int32,
      rack: string.nullable(1).since(1, null).ignorable(),
    }),
    clusterId: string.nullable(2).since(2, null).ignorable(),
    controllerId: int32.since(1, -1).ignorable(),
    topics: array({
      errorCode: int16,
      name: string.nullable(12),
      topicId: uuid.since(10).ignorable(),
      isInternal: boolean.since(1, false).ignorable(),
      partitions: array({
        errorCode: int16,
        partitionIndex: int32,
        leaderId: int32,
        leaderEpoch: int32.since(7, -1).ignorable(),
        replicaNodes: array(int32),
        isrNodes: array(int32),
        offlineReplicas: array(int32).since(5).ignorable(),
      }),
      topicAuthorizedOperations: int32.since(8, NOT_REQUESTED),
    }),
    clusterAuthorizedOperations: int32.since(8, NOT_REQUESTED).until(10),
    errorCode: int16.since(13).ignorable(),
  },
})
export type MetadataRequest = Input<typeof metadata.request>
export type MetadataResponse = Infer<typeof metadata.response>
