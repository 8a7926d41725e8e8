import { ProtocolError, type KafkaError } from '../errors.ts'
import { toBrokerError } from '../protocol/error-codes.ts'
import { metadata, type MetadataRequest, type MetadataResponse } from '../protocol/messages/metadata.ts'
import type { Arrival } from './approach.ts'
import type { Visitor } from './visitor.ts'

export type MetadataAnswer = { readonly answer: MetadataResponse } | { readonly error: KafkaError }

/** Before it (Kafka 0.11) who asks about a topic may create it, and cannot say that this is not wanted. */
const FIRST_WITHOUT_CREATION = 4
/** The last one without tagged fields; a producer asks in it where a newer answer makes no sense (cluster/asker.ts). */
const LAST_OLD_METADATA = 8

/** The version in which it is asked. */
export function metadataVersion({ connection, maxMetadataVersion }: Arrival): number {
  return Math.min(connection.newestVersion(metadata), maxMetadataVersion)
}

export function canAskAboutOne(arrival: Arrival): boolean {
  return metadataVersion(arrival) >= FIRST_WITHOUT_CREATION
}

/** Asks about brokers and topics, and creates nothing. @param question about a single topic: only if `canAskAboutOne`. */
export async function askMetadata(
  arrival: Arrival,
  question: Omit<MetadataRequest, 'allowAutoTopicCreation'>,
  maxVersion = metadata.maxVersion,
): Promise<MetadataAnswer> {
  const { connection, maxMetadataVersion } = arrival
  const whole = { ...question, allowAutoTopicCreation: !canAskAboutOne(arrival) }
  const limits = { maxVersion: Math.min(maxVersion, maxMetadataVersion) }
  const outcome = await connection.request(metadata, whole, limits)
  if ('error' in outcome) return outcome
  const { errorCode } = outcome.response
  if (errorCode === 0) return { answer: outcome.response }
  return { error: toBrokerError(errorCode, `${connection.address}: Metadata`) }
}

/** The first question. Where its answer makes no sense a second one is asked as producers do: elder, over another connection. */
export async function askFirst(
  visitor: Visitor,
  arrival: Arrival,
): Promise<{ readonly arrival: Arrival; readonly reply: MetadataAnswer }> {
  const reply = await askMetadata(arrival, { topics: [] })
  if (!('error' in reply && reply.error instanceof ProtocolError)) return { arrival, reply }
  try {
    const connection = await visitor.open(arrival.bootstrap, null, {})
    const other = { ...arrival, connection, maxMetadataVersion: LAST_OLD_METADATA }
    const second = await askMetadata(other, { topics: [] })
    return 'answer' in second ? { arrival: other, reply: second } : { arrival, reply }
  } catch {
    return { arrival, reply } // what failed first is what is told
  }
}
