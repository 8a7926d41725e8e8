import type { KafkaError } from '../errors.ts'
import { closedError, detailsOf, fatalError } from './endings.ts'
import type { Intake } from './intake.ts'
import type { Sender } from './sender.ts'

/** The producer is being closed: what has not settled fails with `CLOSED`. @returns how many records. */
export function giveUpAll(intake: Intake, sender: Sender): number {
  let givenUp = 0
  intake.failAll(({ topic }) => {
    givenUp++
    return closedError(`topic ${JSON.stringify(topic)}: the producer was closed first`, { topic })
  })
  sender.failAll((batch) => {
    givenUp += batch.recordCount
    const where = `topic ${JSON.stringify(batch.topic)} partition ${batch.partition}`
    return closedError(`${where}: the producer was closed first`, detailsOf(batch))
  })
  return givenUp
}

/** The producer came to its end by itself: what has not settled is told so. */
export function failAllFor(error: KafkaError, intake: Intake, sender: Sender): void {
  intake.failAll(() => fatalError(error, {}))
  sender.failAll((batch) => fatalError(error, detailsOf(batch)))
}
