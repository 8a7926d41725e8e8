import type { PlayedKafka } from './served-apis.ts'
import { OUT_OF_ORDER_SEQUENCE_NUMBER, UNKNOWN_PRODUCER_ID } from '../protocol/error-numbers.ts'

/** In what Kafka's treatment of producers differed from version to version. */
export interface ProducerRules {
  /** Batches of each producer that are known when they come again: why it may have five requests in flight, no more. */
  readonly batchesToRetain: number
  /** The answer to a producer that is not known and does not begin with 0; 0: it is welcome (KIP-360). */
  readonly unknownProducer: number
  /** Whether a producer is forgotten when all its records are deleted (until KAFKA-7190). */
  readonly forgetsWithRecords: boolean
}

const NOW: ProducerRules = { batchesToRetain: 5, unknownProducer: 0, forgetsWithRecords: false }
const BEFORE_KIP_360: ProducerRules = {
  ...{ batchesToRetain: 5, unknownProducer: UNKNOWN_PRODUCER_ID, forgetsWithRecords: true },
}
const FIRST: ProducerRules = {
  ...{ batchesToRetain: 1, unknownProducer: OUT_OF_ORDER_SEQUENCE_NUMBER, forgetsWithRecords: true },
}

/** Found by asking them (test/brokers/producer-state.test.ts). Before 0.11 there are no producers to know. */
export const PRODUCER_RULES: Readonly<Record<PlayedKafka, ProducerRules>> = {
  '4.3': NOW,
  '3.9': NOW,
  '2.8': NOW,
  '1.1': BEFORE_KIP_360,
  '0.11': FIRST,
  '0.10.2': FIRST,
  '0.10.0': FIRST,
}
