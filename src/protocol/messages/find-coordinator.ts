import { api, array, int16, int32, int8, string, type Infer, type Input } from '../schema.ts'

/**
 * FindCoordinator (key 10) tells which broker answers for a transactional id or a consumer group.
 *
 * v1 has `keyType` (0 group, 1 transaction, 2 share group); before, every key is a group. v3 is flexible; v4 asks for
 * many keys at once and has no other form (KIP-699); v5 can answer TRANSACTION_ABORTABLE (KIP-890); v6 knows share
 * groups, whose key is `groupId:topicId:partition` (KIP-932).
 *
 * Source: FindCoordinatorRequest.json and FindCoordinatorResponse.json of Apache Kafka 4.3.1.
 */
export const findCoordinator = api({
  name: 'FindCoordinator',
  key: 10,
  versions: [0, 6],
  flexible: 3,
  request: {
    key: string.until(3),
    keyType: int8.since(1, 0),
    coordinatorKeys: array(string).since(4),
  },
  response: {
    throttleTimeMs: int32.since(1).ignorable(),
    errorCode: int16.until(3),
    errorMessage: string.nullable(1).since(1).until(3).ignorable(),
    nodeId: int32.until(3),
    host: string.until(3),
    port: int32.until(3),
    coordinators: array({
      key: string,
      nodeId: int32,
      host: string,
      port: int32,
      errorCode: int16,
      errorMessage: string.nullable().ignorable(),
    }).since(4),
  },
})
export type FindCoordinatorRequest = Input<typeof findCoordinator.request>
export type FindCoordinatorResponse = Infer<typeof findCoordinator.response>
