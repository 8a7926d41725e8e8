import { api, array, int16, int32, int64, string, type Infer, type Input } from '../schema.ts'

/**
 * TxnOffsetCommit (key 28) commits a consumer group's offsets as part of a producer's transaction.
 *
 * v2 has the leader epoch of an offset; v3 is flexible and says which member of the group commits, so that one that
 * was left behind is fenced (KIP-447); v4 can answer TRANSACTION_ABORTABLE; v5 needs no AddOffsetsToTxn before it
 * (KIP-890), and may only be used with transaction version 2.
 *
 * Source: TxnOffsetCommitRequest.json and TxnOffsetCommitResponse.json of Apache Kafka 4.3.1.
 */
export const txnOffsetCommit = api({
  name: 'TxnOffsetCommit',
  key: 28,
  versions: [0, 5],
  flexible: 3,
  request: {
    transactionalId: string,
    groupId: string,
    producerId: int64,
    producerEpoch: int16,
    generationId: int32.since(3, -1),
    memberId: string.since(3, ''),
    groupInstanceId: string.nullable(3).since(3, null),
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        committedOffset: int64,
        committedLeaderEpoch: int32.since(2, -1).ignorable(),
        committedMetadata: string.nullable(),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32,
    topics: array({
      name: string,
      partitions: array({ partitionIndex: int32, errorCode: int16 }),
    }),
  },
})
export type TxnOffsetCommitRequest = Input<typeof txnOffsetCommit.request>
export type TxnOffsetCommitResponse = Infer<typeof txnOffsetCommit.response>
