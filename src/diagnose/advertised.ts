import { isIP } from 'node:net'
import { formatAddress, type BrokerAddress } from '../connection/broker-address.ts'
import type { KafkaError } from '../errors.ts'
import { brokerText } from '../sasl/broker-text.ts'
import { isLoopback } from '../sasl/plaintext.ts'
import { adviceFor } from './advice.ts'
import type { Arrival } from './approach.ts'
import { failed, passed, type DiagnosisStep } from './diagnosis-step.ts'
import type { KnownCluster } from './metadata-steps.ts'
import type { Visitor } from './visitor.ts'
import { Way, type ConnectStepName } from './way.ts'
import { whatOf, withAdvice } from './words.ts'

export interface AdvertisedBroker extends BrokerAddress {
  readonly nodeId: number
}

/** How we got to the cluster in the first place. */
export type Reached = Pick<Arrival, 'bootstrap' | 'remoteAddress'>

/** So many are tried at once: dead ones cost `connectTimeoutMs` together, not each. */
const AT_ONCE = 10

/** Connects to every broker by the address that it gives of itself, unless that one was tried as a bootstrap address. */
export async function* visitAdvertised(
  visitor: Visitor,
  { answer, arrival }: KnownCluster,
  bootstrap: readonly BrokerAddress[],
): AsyncGenerator<DiagnosisStep, void> {
  const tried = new Set(bootstrap.map(formatAddress))
  const others = answer.brokers
    .filter((broker) => !tried.has(formatAddress(broker)))
    .sort((a, b) => a.nodeId - b.nodeId)
  for (let i = 0; i < others.length; i += AT_ONCE) {
    const visits = others.slice(i, i + AT_ONCE).map((broker) => visit(visitor, broker, arrival))
    for (const step of visits) yield await step
  }
}

async function visit(visitor: Visitor, broker: AdvertisedBroker, arrival: Arrival): Promise<DiagnosisStep> {
  const { clock } = visitor
  const sinceMs = clock.now()
  const { nodeId, host, port } = broker
  const address = brokerText(formatAddress(broker))
  const found = (): { step: string; ms: number } => {
    return { step: `broker ${nodeId} at ${address}`, ms: clock.now() - sinceMs }
  }
  const way = new Way(visitor)
  try {
    const connection = await visitor.open({ host, port }, nodeId, { onStep: (progress) => void way.pass(progress) })
    connection.close()
    const doubt = isMistaken(broker, arrival)
      ? `. But ${host} is this machine, and ${arrival.bootstrap.host} is another one: is that the same broker?`
      : ''
    return passed(found(), `broker ${nodeId} can be reached at the address that it advertises, and takes us${doubt}`)
  } catch (error) {
    const failure = error as KafkaError
    const what = `broker ${nodeId} calls itself ${address} (its advertised.listeners), and records for its partitions go there. That failed: ${whatOf(failure)}`
    const step = way.failedAt(failure)
    const advice =
      adviceForAdvertised(failure, step, broker, arrival) ?? adviceFor(failure, step, visitor.mechanism?.name)
    return failed(found(), failure.code, withAdvice(what, advice))
  }
}

/** What to change, so that clients get where the broker is; null: they do. */
export function adviceForAdvertised(
  error: KafkaError,
  step: ConnectStepName,
  broker: AdvertisedBroker,
  arrival: Reached,
): string | null {
  const { nodeId, host } = broker
  const change = `set advertised.listeners of broker ${nodeId}`
  if (isMistaken(broker, arrival)) {
    return `${brokerText(host)} is this machine, and the broker is another one: ${change} to a name that its clients can reach, such as ${arrival.bootstrap.host}.`
  }
  if (step !== 'resolve' && step !== 'tcp') return null
  if (error.code === 'HOST_NOT_FOUND') {
    const isShort = isIP(host) === 0 && !host.includes('.')
    const guess = isShort
      ? 'It looks like the name of a container or pod, which is known only inside of its own network: '
      : ''
    return `${guess}${capitalIf(guess === '', change)} to a name that this machine can resolve, or make this one known here (DNS, /etc/hosts, or the option mapAddress).`
  }
  return `If broker ${nodeId} is running, ${change} to a host and port that this machine can reach: mind port mappings of containers, firewalls and private networks.`
}

/** It advertises the machine of whoever asks, and we have met it on another one. */
function isMistaken({ host }: BrokerAddress, { remoteAddress }: Reached): boolean {
  const isOurs = host === 'localhost' || host.endsWith('.localhost') || isLoopback(host)
  return isOurs && remoteAddress !== '' && !isLoopback(remoteAddress)
}

function capitalIf(isFirst: boolean, text: string): string {
  return isFirst ? text.charAt(0).toUpperCase() + text.slice(1) : text
}
