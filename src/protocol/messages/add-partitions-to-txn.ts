import { api, array, boolean, int16, int32, int64, string, type Infer, type Input } from '../schema.ts'

/** Inside a transaction since v4, at the top before. */
const topics = array({ name: string, partitions: array(int32) })
const topicResults = array({
  name: string,
  resultsByPartition: array({ partitionIndex: int32, partitionErrorCode: int16 }),
})

/**
 * AddPartitionsToTxn (key 24) makes partitions part of a transaction, before the first batch is written to them.
 *
 * v2 can answer PRODUCER_FENCED (KIP-588); v3 is flexible and the last that clients use; v4 carries many transactions,
 * or only asks whether partitions are in (`verifyOnly`), between brokers (KIP-890); v5 can answer
 * TRANSACTION_ABORTABLE. A producer of transaction version 2 needs none of it: Produce v12 adds partitions by itself.
 *
 * Source: AddPartitionsToTxnRequest.json and AddPartitionsToTxnResponse.json of Apache Kafka 4.3.1.
 */
export const addPartitionsToTxn = api({
  name: 'AddPartitionsToTxn',
  key: 24,
  versions: [0, 5],
  flexible: 3,
  request: {
    transactions: array({
      transactionalId: string,
      producerId: int64,
      producerEpoch: int16,
      verifyOnly: boolean.default(false),
      topics,
    }).since(4),
    v3AndBelowTransactionalId: string.until(3),
    v3AndBelowProducerId: int64.until(3),
    v3AndBelowProducerEpoch: int16.until(3),
    v3AndBelowTopics: topics.until(3),
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16.since(4).ignorable(),
    resultsByTransaction: array({ transactionalId: string, topicResults }).since(4),
    resultsByTopicV3AndBelow: topicResults.until(3),
  },
})
export type AddPartitionsToTxnRequest = Input<typeof addPartitionsToTxn.request>
export type AddPartitionsToTxnResponse = Infer<typeof addPartitionsToTxn.response>
