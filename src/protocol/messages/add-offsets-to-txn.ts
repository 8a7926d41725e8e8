import { api, int16, int32, int64, string, type Infer, type Input } from '../schema.ts'

/**
 * AddOffsetsToTxn (key 25) makes a consumer group's offsets part of a transaction, before TxnOffsetCommit writes them.
 *
 * v2 can answer PRODUCER_FENCED (KIP-588); v3 is flexible; v4 can answer TRANSACTION_ABORTABLE (KIP-890). A producer of
 * transaction version 2 does without it: TxnOffsetCommit v5 does this, too.
 *
 * Source: AddOffsetsToTxnRequest.json and AddOffsetsToTxnResponse.json of Apache Kafka 4.3.1.
 */
export const addOffsetsToTxn = api({
  name: 'AddOffsetsToTxn',
  key: 25,
  versions: [0, 4],
  flexible: 3,
  request: {
    transactionalId: string,
    producerId: int64,
    producerEpoch: int16,
    groupId: string,
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
  },
})
export type AddOffsetsToTxnRequest = Input<typeof addOffsetsToTxn.request>
export type AddOffsetsToTxnResponse = Infer<typeof addOffsetsToTxn.response>
