import { api, array, boolean, int16, int32, int8, string, type Infer, type Input } from '../schema.ts'

/** No authorized operations were asked for. */
const NOT_REQUESTED = -(2 ** 31)

/** `endpointType`: addresses of brokers, and not (2) of controllers. */
const BROKERS = 1

/**
 * DescribeCluster (key 60) tells the id of the cluster, its controller and its brokers, without any topic (KIP-700).
 *
 * Flexible from the start. v1 asks for brokers or for controllers (`endpointType`, KIP-919); v2 can list fenced
 * brokers, too (KIP-1073).
 *
 * Source: DescribeClusterRequest.json and DescribeClusterResponse.json of Apache Kafka 4.3.1.
 */
export const describeCluster = api({
  name: 'DescribeCluster',
  key: 60,
  versions: [0, 2],
  flexible: 0,
  request: {
    includeClusterAuthorizedOperations: boolean,
    endpointType: int8.since(1, BROKERS),
    includeFencedBrokers: boolean.since(2),
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    errorMessage: string.nullable().default(null),
    endpointType: int8.since(1, BROKERS),
    clusterId: string,
    controllerId: int32.default(-1),
    brokers: array({
      brokerId: int32,
      host: string,
      port: int32,
      rack: string.nullable().default(null),
      isFenced: boolean.since(2),
    }),
    clusterAuthorizedOperations: int32.default(NOT_REQUESTED),
  },
})
export type DescribeClusterRequest = Input<typeof describeCluster.request>
export type DescribeClusterResponse = Infer<typeof describeCluster.response>
