import { api, array, int16, int32, int64, records, string, struct, uuid, type Infer, type Input } from '../schema.ts'

/**
 * Produce (key 0) appends records to partition logs. With `acks: 0` the broker sends no response at all.
 *
 * v0 to v2 carry message sets (v2 with timestamps in them, Kafka 0.10; KIP-32), v3 and later record batches with their
 * transactional id (0.11, KIP-98); v7 allows zstd (KIP-110); v8 says which records of a batch were refused (KIP-467);
 * v9 is flexible; v10 answers NOT_LEADER_OR_FOLLOWER with the new leader (KIP-951); v12 adds partitions to a
 * transaction by itself (KIP-890); v13 names topics by id (KIP-516). Kafka 4.0 dropped v0 to v2.
 *
 * Source: ProduceRequest.json and ProduceResponse.json of Apache Kafka 4.3.1, for v0 to v2 of 2.8.2.
 */
export const produce = api({
  name: 'Produce',
  key: 0,
  versions: [0, 13],
  flexible: 9,
  request: {
    transactionalId: string.nullable(3).since(3, null),
    acks: int16,
    timeoutMs: int32,
    topicData: array({
      name: string.until(12).ignorable(),
      topicId: uuid.since(13).ignorable(),
      partitionData: array({ index: int32, records: records.nullable() }),
    }),
  },
  response: {
    responses: array({
      name: string.until(12).ignorable(),
      topicId: uuid.since(13).ignorable(),
      partitionResponses: array({
        index: int32,
        errorCode: int16,
        baseOffset: int64,
        logAppendTimeMs: int64.since(2, -1n).ignorable(),
        logStartOffset: int64.since(5, -1n).ignorable(),
        recordErrors: array({ batchIndex: int32, batchIndexErrorMessage: string.nullable().default(null) })
          .since(8)
          .ignorable(),
        errorMessage: string.nullable(8).since(8, null).ignorable(),
        currentLeader: struct({ leaderId: int32.default(-1), leaderEpoch: int32.default(-1) }).tagged(0, 10),
      }),
    }),
    throttleTimeMs: int32.since(1, 0).ignorable(),
    nodeEndpoints: array({
      nodeId: int32,
      host: string,
      port: int32,
      rack: string.nullable().default(null),
    }).tagged(0, 10),
  },
})
export type ProduceRequest = Input<typeof produce.request>
export type ProduceResponse = Infer<typeof produce.response>
