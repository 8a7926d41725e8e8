import { initProducerId } from '../protocol/messages/init-producer-id.ts'
import { apiHandler } from './api-handler.ts'
import { INVALID_REQUEST, TRANSACTIONAL_ID_NOT_FOUND } from '../protocol/error-numbers.ts'

/** A test cluster has no transactions yet. */

const NOBODY = { producerId: -1n, producerEpoch: -1, throttleTimeMs: 0 }

export const handleInitProducerId = apiHandler(initProducerId, {
  mentions: () => [],
  handle({ transactionalId, producerId, producerEpoch }, { state, faults }) {
    const isHalfKnown = producerId < 0n !== producerEpoch < 0
    if (faults.errorCode !== 0) return { errorCode: faults.errorCode, ...NOBODY }
    if (transactionalId === '' || isHalfKnown) return { errorCode: INVALID_REQUEST, ...NOBODY }
    if (transactionalId !== null) return { errorCode: TRANSACTIONAL_ID_NOT_FOUND, ...NOBODY }
    // Who has an id and comes without a transactional id gets another one, as from Kafka: KIP-360 bumps by itself.
    return { errorCode: 0, producerId: state.newProducerId(), producerEpoch: 0, throttleTimeMs: 0 }
  },
})
