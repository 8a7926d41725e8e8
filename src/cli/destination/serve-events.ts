import { isIP } from 'node:net'
import type { KafkaDestinationOptions } from '../../destination/destination.ts'
import { EXIT, UsageError, type ExitCode } from '../exit-code.ts'
import { onInterrupt } from '../interrupt.ts'
import { printNote } from '../terminal.ts'
import type { DestinationConfiguration } from './configuration.ts'
import { destinationLogger } from './destination-log.ts'
import type { DestinationDoor } from './door.ts'
import { EventService } from './event-service.ts'
import type { ListenSettings } from './listen-settings.ts'
import { Load } from './load.ts'
import { firstAnswer, NoWayIn } from './no-way-in.ts'
import { Readiness } from './readiness.ts'
import { RepeatedNotes } from './repeated-notes.ts'
import { ServiceMetrics } from './service-metrics.ts'
import { WriteKeys } from './write-keys.ts'

export interface ServeOptions {
  readonly port: number
  readonly host: string
  readonly shutdownTimeoutMs: number
}

/** With `dedupe`, what is on its way when a broker dies is better waited for than sent again: it would be there twice. */
const PATIENT_DELIVERY_MS = 120_000

/**
 * Takes events over HTTP until it is told to end.
 *
 * @throws {UsageError} it cannot listen there. @throws {NoWayIn} Kafka does not let us in, and never will.
 */
export async function serveEvents(
  door: DestinationDoor,
  configuration: DestinationConfiguration,
  { port, host, shutdownTimeoutMs }: ServeOptions,
): Promise<ExitCode> {
  const { listen } = configuration
  const keys = new WriteKeys(listen.writeKeys)
  if (keys.isOpen && !isLoopback(host)) {
    throw new UsageError(`--host ${host}: anybody could send events; set listen.writeKeys in ${configuration.path}`)
  }
  const now = (): number => performance.now()
  const load = new Load({ maxEvents: listen.maxEventsInFlight, now })
  const metrics = new ServiceMetrics(load)
  const options = withPatience(configuration.options, listen)
  const logger = destinationLogger(configuration.isLocal)
  const destination = new door.KafkaDestination({ ...options, logger, stats: metrics.stats })
  const readiness = new Readiness({ ask: () => destination.topics(), now })
  const notes = new RepeatedNotes({ print: (text) => printNote(`headrace: ${text}`), now })
  const { answerTimeoutMs } = listen
  const service = new EventService({ destination, keys, load, readiness, metrics, notes, answerTimeoutMs, host, port })
  const stopped = firstSignal()
  try {
    const isAllowed = await Promise.race([mayBegin(door, options), stopped])
    // What asks Kafka would keep the process for as long as Kafka may take to answer.
    if (isAllowed !== true) process.exit(EXIT.ok)
    printNote(`listening on ${await service.start()}`)
    if (keys.isOpen) printNote('no write keys: whoever can reach this address from this machine can send events')
    await stopped
    printNote('shutting down: answering what is here; once more ends at once')
    if (await service.drain(shutdownTimeoutMs)) return EXIT.ok
    printNote(`headrace: not everything was delivered within ${shutdownTimeoutMs} ms; its senders were not told 200`)
    process.exit(EXIT.undelivered)
  } finally {
    await destination.close()
  }
}

/** A service may be there before Kafka is; a wrong password does not get better. */
async function mayBegin(door: DestinationDoor, options: KafkaDestinationOptions): Promise<true> {
  try {
    await firstAnswer(door.testAuthentication(options))
  } catch (error) {
    if (!(error instanceof NoWayIn) || !error.isPassing) throw error
    printNote(`headrace: warning: ${error.message}; events get 503 until that changes`)
  }
  return true
}

function withPatience(options: KafkaDestinationOptions, { answerTimeoutMs }: ListenSettings): KafkaDestinationOptions {
  const isPatient = options.dedupe !== undefined && options.dedupe !== false
  const deliveryTimeoutMs = isPatient ? PATIENT_DELIVERY_MS : answerTimeoutMs
  return { ...options, producer: { deliveryTimeoutMs, ...options.producer } }
}

/** The second one ends the process. */
function firstSignal(): Promise<void> {
  return new Promise((resolve) => {
    onInterrupt((count) => {
      if (count > 1) process.exit(EXIT.undelivered)
      resolve()
    })
  })
}

function isLoopback(host: string): boolean {
  if (host === 'localhost') return true
  return isIP(host) === 4 ? host.startsWith('127.') : host === '::1'
}
