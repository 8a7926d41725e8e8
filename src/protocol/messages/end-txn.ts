import { api, boolean, int16, int32, int64, string, type Infer, type Input } from '../schema.ts'

/**
 * EndTxn (key 26) commits a transaction or aborts it.
 *
 * v2 can answer PRODUCER_FENCED (KIP-588); v3 is flexible; v4 can answer TRANSACTION_ABORTABLE; v5 bumps the epoch with
 * every transaction and answers the id and epoch to go on with (KIP-890).
 *
 * Source: EndTxnRequest.json and EndTxnResponse.json of Apache Kafka 4.3.1.
 */
export const endTxn = api({
  name: 'EndTxn',
  key: 26,
  versions: [0, 5],
  flexible: 3,
  request: {
    transactionalId: string,
    producerId: int64,
    producerEpoch: int16,
    committed: boolean,
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    producerId: int64.since(5, -1n).ignorable(),
    producerEpoch: int16.since(5, -1).ignorable(),
  },
})
export type EndTxnRequest = Input<typeof endTxn.request>
export type EndTxnResponse = Infer<typeof endTxn.response>
