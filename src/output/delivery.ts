import { DeliveryError, KafkaError, type OfferCallback, type Producer } from '../index.ts'
import type { OutputClock } from './output-clock.ts'
import type { OutputMessage } from './output-message.ts'
import { growingDelayMs, orAborted, sleep } from './waiting.ts'

export interface DeliveryParts {
  /** One that was never used. */
  readonly createProducer: () => Producer
  readonly clock: OutputClock
  /** Rows were not delivered, and are given to the producer again. */
  readonly onRetry: (rows: number, delayMs: number, error: KafkaError) => void
}

/** A record that failed for want of these is not helped by trying again: somebody must do something. */
const PERMANENT = new Set(['UNKNOWN_TOPIC_OR_PARTITION', 'UNKNOWN_TOPIC_ID'])
/** What a producer does not send again lest it be there twice. At least once means that we do. */
const GIVEN_UP = new Set(['DELIVERY_UNCERTAIN', 'CLOSED'])

interface Failed {
  readonly message: OutputMessage
  readonly error: KafkaError
}

/**
 * Gives messages to a producer, in order, and sees each through: what failed for reasons that pass is given again, until it
 * is delivered. While that is so nothing new is taken, so that rows keep their order as far as the brokers allow.
 */
export class Delivery {
  readonly #parts: DeliveryParts
  readonly #ending = new AbortController()
  #producer: Producer | null = null
  /** Hears what becomes of the messages of `#producer`. */
  #onSettled: OfferCallback<OutputMessage> = () => undefined
  #inFlight = 0
  #failed: Failed[] = []
  #recovery: Promise<void> | null = null
  #onQuiet: (() => void) | null = null

  constructor(parts: DeliveryParts) {
    this.#parts = parts
  }

  /** Made at first use, and anew when the one before can do nothing more. */
  get producer(): Producer {
    if (this.#producer !== null) return this.#producer
    const producer = this.#parts.createProducer()
    this.#onSettled = (error, _metadata, message) => this.#settled(producer, error, message)
    return (this.#producer = producer)
  }

  /** Takes a message, unless there is no room, or others must go before it: then `ready` says when to come back. */
  offer(message: OutputMessage): boolean {
    return this.#recovery === null && this.#offer(message)
  }

  async ready(signal: AbortSignal): Promise<void> {
    // One that is at its end says so to the next message, which is then sent by another.
    await orAborted(this.#recovery ?? this.producer.ready().catch(toldToOwners), signal)
  }

  /** Gives up what has not settled; its owners are told. */
  async end(): Promise<void> {
    this.#ending.abort(new DeliveryError('CLOSED', 'KafkaOutput: CLOSED: the output was closed'))
    for (const { message, error } of this.#failed.splice(0)) message.owner.abandoned(message, error.maybeWritten)
    await this.#producer?.close({ timeoutMs: 0 }).catch(toldToOwners)
  }

  #offer(message: OutputMessage): boolean {
    const { producer } = this
    try {
      if (!producer.offer(message.record, this.#onSettled, message)) return false
      this.#inFlight++
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      this.#judge(producer, { message, error })
    }
    return true
  }

  #settled(producer: Producer, error: KafkaError | null, message: OutputMessage): void {
    this.#inFlight--
    if (error === null) message.owner.delivered(message)
    else this.#judge(producer, { message, error })
    if (this.#inFlight === 0) this.#onQuiet?.()
  }

  #judge(producer: Producer, { message, error }: Failed): void {
    if (this.#ending.signal.aborted) {
      message.owner.abandoned(message, error.maybeWritten)
      return
    }
    if (error.fatal) this.#letGo(producer)
    if (!isPassing(error)) {
      message.owner.refused(message, error)
      return
    }
    this.#failed.push({ message, error })
    this.#recovery ??= this.#recover().finally(() => (this.#recovery = null))
  }

  /** All that failed, in order, as often as it takes. */
  async #recover(): Promise<void> {
    for (let attempts = 1; ; attempts++) {
      await this.#quiet()
      const [first] = this.#failed.sort((a, b) => a.message.order - b.message.order)
      if (first === undefined) return
      const rows = this.#failed.reduce((sum, { message }) => sum + message.rowCount, 0)
      const delayMs = growingDelayMs(attempts)
      this.#parts.onRetry(rows, delayMs, first.error)
      const isOver = await sleep(this.#parts.clock, delayMs, this.#ending.signal).then(
        () => false,
        () => true,
      )
      if (isOver) return
      for (const failed of this.#failed.splice(0)) await this.#again(failed)
    }
  }

  async #again({ message, error }: Failed): Promise<void> {
    message.owner.retried(message, error.maybeWritten)
    // Where it belongs is decided: another partition would break the order, and the rotation.
    if (error.partition !== undefined) message.record = { ...message.record, partition: error.partition }
    while (!this.#ending.signal.aborted) {
      if (this.#offer(message)) return
      await orAborted(this.producer.ready(), this.#ending.signal).catch(toldToOwners)
    }
    message.owner.abandoned(message, error.maybeWritten)
  }

  /** Resolves when nothing is in flight. */
  async #quiet(): Promise<void> {
    if (this.#inFlight > 0) await new Promise<void>((resolve) => (this.#onQuiet = resolve))
    this.#onQuiet = null
  }

  #letGo(broken: Producer): void {
    if (this.#producer !== broken) return
    this.#producer = null
    void broken.close({ timeoutMs: 0 }).catch(toldToOwners)
  }
}

function isPassing({ code, retriable, fatal }: KafkaError): boolean {
  return (retriable || fatal || GIVEN_UP.has(code)) && !PERMANENT.has(code)
}

/** What a closed producer gives up, the owners of the messages hear one by one. */
function toldToOwners(): void {
  return undefined
}
