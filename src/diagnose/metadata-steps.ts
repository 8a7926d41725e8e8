import { formatAddress } from '../connection/broker-address.ts'
import type { Connection } from '../connection/connection.ts'
import { isGuess } from '../connection/guess.ts'
import { ConnectionError, ProtocolError, type KafkaError } from '../errors.ts'
import type { MetadataResponse } from '../protocol/messages/metadata.ts'
import { brokerText } from '../sasl/broker-text.ts'
import type { Arrival } from './approach.ts'
import { askFirst, type MetadataAnswer } from './ask-metadata.ts'
import { failedBy, passed, type DiagnosisStep } from './diagnosis-step.ts'
import type { Visitor } from './visitor.ts'
import { counted, listed, quoted } from './words.ts'

/** Where the rest is asked, and what the cluster says of itself. */
export interface KnownCluster {
  readonly arrival: Arrival
  readonly answer: MetadataResponse
}

/** More would be a wall of text. */
const MAX_BROKERS_TOLD = 8

/**
 * Asks every bootstrap address that can be used, as each may lead elsewhere; the first one's answer counts.
 *
 * @returns null: none has an answer.
 */
export async function* meetCluster(
  visitor: Visitor,
  arrivals: readonly Arrival[],
): AsyncGenerator<DiagnosisStep, KnownCluster | null> {
  let known: KnownCluster | null = null
  for (const first of arrivals) {
    const sinceMs = visitor.clock.now()
    const { arrival, reply: said } = await askFirst(visitor, first)
    const { connection } = arrival
    const reply = judged(connection, said, known)
    const found = { step: 'metadata', ms: visitor.clock.now() - sinceMs }
    if ('error' in reply) {
      const wantsLogin = isGuess(reply.error) && visitor.mechanism === null
      yield failedBy(
        wantsLogin ? { ...found, step: 'sasl' } : found,
        reply.error,
        connection.address,
        wantsLogin
          ? 'If it does, set sasl; if not, the broker was just being stopped, or its log says why.'
          : adviceFor(reply.error),
      )
    } else if (known === null) {
      known = { arrival, answer: reply.answer }
      yield passed(found, `${connection.address}: ${describe(reply.answer)}`)
    }
  }
  return known
}

function judged({ address }: Connection, reply: MetadataAnswer, known: KnownCluster | null): MetadataAnswer {
  if ('error' in reply) return reply
  const { brokers, clusterId } = reply.answer
  if (brokers.length === 0) {
    const what = 'the answer names no broker: the broker is just starting, or cannot reach its controller'
    return { error: new ProtocolError('INVALID_VALUE', `${address}: INVALID_VALUE: ${what}`) }
  }
  const first = known?.answer.clusterId ?? null
  if (first === null || clusterId === null || first === clusterId) return reply
  const what = `it belongs to the cluster ${quoted(clusterId)}, and ${known?.arrival.connection.address ?? ''} to ${quoted(first)}: are there two clusters among the brokers?`
  return { error: new ConnectionError('CLUSTER_MISMATCH', `${address}: CLUSTER_MISMATCH: ${what}`) }
}

function adviceFor({ code }: KafkaError): string {
  if (code === 'CLUSTER_MISMATCH') return 'Name only brokers of one cluster.'
  if (code === 'REQUEST_TIMEOUT')
    return 'The broker takes questions and does not answer: it is overloaded, stuck or stopping.'
  return ''
}

function describe({ clusterId, brokers, controllerId }: MetadataResponse): string {
  const list = brokers.map(({ nodeId, host, port }) => `${nodeId} at ${brokerText(formatAddress({ host, port }))}`)
  const name = clusterId === null ? 'a cluster that does not say its id' : `cluster ${quoted(clusterId)}`
  const controller = controllerId < 0 ? 'no controller now' : `controller ${controllerId}`
  return `${name} of ${counted(brokers.length, 'broker')}: ${listed(list, MAX_BROKERS_TOLD)}; ${controller}`
}
