import { systemClock, type Clock } from '../clock.ts'
import { Bootstrap } from '../cluster/bootstrap.ts'
import { loadCodec } from '../compression/load-codec.ts'
import type { BrokerAddress } from '../connection/broker-address.ts'
import { OptionError, type KafkaError } from '../errors.ts'
import { show } from '../options.ts'
import { resolveProducerOptions } from '../producer/options.ts'
import type { ProducerOptions } from '../producer/producer-options.ts'
import { createMechanism } from '../sasl/mechanism.ts'
import { visitAdvertised } from './advertised.ts'
import { approach, type Arrival } from './approach.ts'
import { failed, type DiagnosisStep } from './diagnosis-step.ts'
import { meetCluster } from './metadata-steps.ts'
import { examineTopic } from './topic-steps.ts'
import { Visitor } from './visitor.ts'
import { whatOf } from './words.ts'

/** What `diagnose` does, which see. */
export async function* steps(
  options: ProducerOptions,
  target: { topic?: string } = {},
  clock: Clock = systemClock,
): AsyncGenerator<DiagnosisStep, void> {
  const topic = checkTarget(target)
  const visitor = visitorFor(options, clock)
  try {
    const addresses = await bootstrapOf(visitor)
    if ('step' in addresses) yield addresses
    else yield* walk(visitor, addresses.found, topic)
  } finally {
    visitor.close()
  }
}

async function* walk(
  visitor: Visitor,
  bootstrap: readonly BrokerAddress[],
  topic: string | undefined,
): AsyncGenerator<DiagnosisStep, void> {
  const arrivals: Arrival[] = []
  for (const address of bootstrap) {
    const arrival = yield* approach(visitor, address)
    if (arrival !== null) arrivals.push(arrival)
  }
  const known = yield* meetCluster(visitor, arrivals)
  if (known === null) return
  yield* visitAdvertised(visitor, known, bootstrap)
  if (topic !== undefined) yield* examineTopic(visitor, known.arrival, topic)
}

function visitorFor(given: ProducerOptions, clock: Clock): Visitor {
  const options = resolveProducerOptions(given)
  // A codec that is missing is a mistake in the options, too.
  if (options.compression !== null) loadCodec(options.compression)
  const mechanism = options.sasl === undefined ? null : createMechanism(options.sasl, { clock })
  return new Visitor(options, mechanism, clock)
}

/** A function of the user's may fail, or take too long: that is a finding. */
async function bootstrapOf({
  options,
  clock,
}: Visitor): Promise<DiagnosisStep | { readonly found: readonly BrokerAddress[] }> {
  const startMs = clock.now()
  try {
    return { found: await new Bootstrap({ ...options, clock }).addresses() }
  } catch (error) {
    const ms = clock.now() - startMs
    return failed({ step: 'brokers', ms }, (error as KafkaError).code, whatOf(error as KafkaError))
  }
}

function checkTarget(target: unknown): string | undefined {
  const topic: unknown = typeof target === 'object' && target !== null ? (target as { topic?: unknown }).topic : target
  if (topic === undefined || (typeof topic === 'string' && topic !== '')) return topic
  const what = `topic: got ${show(topic)}, expected a string that is not empty`
  throw new OptionError('INVALID_ARGUMENT', `diagnose: INVALID_ARGUMENT: ${what}`)
}
