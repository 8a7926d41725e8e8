import { api, boolean, int16, int32, int64, string, type Infer, type Input } from '../schema.ts'

/**
 * InitProducerId (key 22) gives a producer its id and epoch, which make sequences (idempotence) and transactions work.
 *
 * Of a transactional producer it ends what an earlier one with the same `transactionalId` left open, and fences that.
 * v2 is flexible; v3 bumps the epoch of an id that one has (KIP-360); v4 can answer PRODUCER_FENCED (KIP-588); v5
 * TRANSACTION_ABORTABLE (KIP-890); v6 keeps a prepared transaction (two-phase commit, KIP-939) and is not stable yet in
 * 4.3.1: its brokers do not offer it unless told to.
 *
 * Source: InitProducerIdRequest.json and InitProducerIdResponse.json of Apache Kafka 4.3.1.
 */
export const initProducerId = api({
  name: 'InitProducerId',
  key: 22,
  versions: [0, 6],
  flexible: 2,
  request: {
    transactionalId: string.nullable(),
    transactionTimeoutMs: int32,
    producerId: int64.since(3, -1n),
    producerEpoch: int16.since(3, -1),
    enable2Pc: boolean.since(6, false),
    keepPreparedTxn: boolean.since(6, false),
  },
  response: {
    throttleTimeMs: int32.ignorable(),
    errorCode: int16,
    producerId: int64.default(-1n),
    producerEpoch: int16,
    ongoingTxnProducerId: int64.since(6, -1n),
    ongoingTxnProducerEpoch: int16.since(6, -1),
  },
})
export type InitProducerIdRequest = Input<typeof initProducerId.request>
export type InitProducerIdResponse = Infer<typeof initProducerId.response>
