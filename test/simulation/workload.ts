import type { BatchDeliveryError, DeliveryReport, KafkaError, Producer, ProducerRecord } from '../../src/index.ts'
import type { Ledger } from '../support/oracles.ts'
import type { Random } from '../fuzz/random.ts'
import type { Plan } from './plan.ts'
import type { VirtualHost } from './virtual-host.ts'
import type { World } from './world.ts'

export interface WorkloadOptions {
  readonly world: World
  readonly plan: Plan
  readonly producer: Producer
  readonly ledger: Ledger
  /** The process in which the program runs that uses the producer. */
  readonly client: VirtualHost
}

const PROBE_BYTES = 100

/** The program that uses the producer: sends in all ways that there are, and tells the ledger. */
export class Workload {
  readonly #options: WorkloadOptions
  readonly #random: Random
  #waiting = 0
  /** What a call did that it must not do. */
  readonly problems: string[] = []

  constructor(options: WorkloadOptions) {
    this.#options = options
    this.#random = options.world.random
  }

  /** Calls that have not settled. */
  get waitingCount(): number {
    return this.#waiting
  }

  schedule(): void {
    const { plan, client } = this.#options
    for (let left = plan.recordCount; left > 0;) {
      const count = Math.min(left, 1 + this.#random.below(40))
      left -= count
      client.after(this.#random.below(plan.lastingMs), () => this.#burst(count))
    }
    for (let i = this.#random.below(3); i > 0; i--) {
      client.after(this.#random.below(plan.lastingMs), () => this.#flush())
    }
  }

  /** One record for every partition. @param mustArrive all is well, so each must be delivered. */
  sendToEach(mustArrive: boolean): void {
    for (const { name, partitions } of this.#options.plan.topics) {
      for (let partition = 0; partition < partitions; partition++) {
        const { id, record } = this.#make(name, partition, PROBE_BYTES)
        void this.#send(id, record).then((error) => {
          if (error !== null && mustArrive)
            this.problems.push(`L1 ${name}-${partition}: not delivered although all is well: ${error.message}`)
        })
      }
    }
  }

  #burst(count: number): void {
    this.#options.world.log('send', count)
    const kinds = [
      () => this.#sendMany(count, undefined),
      () => this.#sendMany(count, undefined),
      () => this.#sendMany(count, this.#signal()),
      () => this.#sendOneByOne(count),
      () => this.#sendAll(count),
      () => void this.#offerMany(count),
      () => this.#sendAside(count),
    ]
    this.#random.pick(kinds)()
  }

  #sendMany(count: number, signal: AbortSignal | undefined): void {
    for (let i = 0; i < count; i++) {
      const { id, record } = this.#make()
      void this.#send(id, record, signal)
    }
  }

  /** Offers, waits for room when there is none, and gives up what is not taken in then. */
  async #offerMany(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const { id, record } = this.#make()
      if (this.#offer(id, record)) continue
      await this.#settles(this.#options.producer.ready())
      this.#offer(id, record)
    }
  }

  #offer(id: number, record: ProducerRecord): boolean {
    const { ledger, producer } = this.#options
    try {
      const isTaken = producer.offer(record, (error, metadata) => {
        this.#waiting--
        if (metadata !== null) ledger.delivered(id, metadata)
        else if (error !== null) ledger.failed(id, error)
      })
      if (!isTaken) return false
    } catch {
      return true // closed, or too large: it was not taken in, and never will be
    }
    ledger.accepted(id)
    this.#waiting++
    return true
  }

  /** To a topic that comes and goes: what becomes of them is not judged, but that something does. */
  #sendAside(count: number): void {
    const topic = this.#options.plan.sideTopic
    if (topic === null) return
    for (let i = 0; i < count; i++) void this.#settles(this.#options.producer.send({ topic, value: 'aside' }))
  }

  /** Waits for a call of which only matters that it ends. */
  async #settles(call: Promise<unknown>): Promise<void> {
    this.#waiting++
    await call.catch(() => undefined)
    this.#waiting--
  }

  async #sendOneByOne(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const { id, record } = this.#make()
      await this.#send(id, record)
    }
  }

  #sendAll(count: number): void {
    const ids: number[] = []
    const records = function* (this: Workload): Generator<ProducerRecord> {
      for (let i = 0; i < count; i++) {
        const { id, record } = this.#make()
        ids.push(id)
        this.#options.ledger.accepted(id)
        yield record
      }
    }.call(this)
    this.#waiting++
    this.#options.producer.sendAllSettled(records).then(
      (report) => {
        this.#waiting--
        this.#report(ids, report)
      },
      (error: unknown) => {
        this.#waiting--
        const { report, message } = error as Partial<BatchDeliveryError> & Error
        if (report === undefined && ids.length > 0) this.problems.push(`sendAll: ${message}`)
        if (report !== undefined) this.#report(ids, report)
      },
    )
  }

  #report(ids: readonly number[], report: DeliveryReport): void {
    const failures = new Map(report.failed.map(({ index, error }) => [index, error]))
    for (const [index, id] of ids.entries()) {
      const error = failures.get(index)
      if (error === undefined) this.#options.ledger.delivered(id, report.metadata(index))
      else this.#options.ledger.failed(id, error)
    }
  }

  #flush(): void {
    const { producer, client, world } = this.#options
    const timeoutMs = this.#random.pick([undefined, 1, 500])
    world.log('flush', timeoutMs ?? null)
    this.#waiting++
    const startedMs = client.now()
    producer.flush({ timeoutMs }).then(
      () => this.#waiting--,
      (error: unknown) => {
        this.#waiting--
        const { code, message } = error as KafkaError
        const tookMs = client.now() - startedMs
        if (code !== 'FLUSH_TIMEOUT' || tookMs < (timeoutMs ?? Infinity) - 1) {
          this.problems.push(`flush: ${message} after ${tookMs} ms`)
        }
      },
    )
  }

  /** @returns the error, if it failed. */
  async #send(id: number, record: ProducerRecord, signal?: AbortSignal): Promise<KafkaError | null> {
    const { ledger, producer } = this.#options
    this.#waiting++
    ledger.accepted(id)
    return producer.send(record, { signal }).then(
      (metadata) => {
        this.#waiting--
        ledger.delivered(id, metadata)
        return null
      },
      (error: unknown) => {
        this.#waiting--
        ledger.failed(id, error as KafkaError)
        return error as KafkaError
      },
    )
  }

  #signal(): AbortSignal {
    const controller = new AbortController()
    this.#options.client.after(this.#random.below(this.#random.pick([5, 1000])), () => controller.abort())
    return controller.signal
  }

  /** A record, and its value in the ledger; whoever sends it says that it is accepted. */
  #make(topic?: string, partition?: number, sizeBytes = this.#sizeBytes()): { id: number; record: ProducerRecord } {
    const random = this.#random
    const { ledger, plan } = this.#options
    const to = topic === undefined ? random.pick(plan.topics) : { name: topic, partitions: 1 }
    const chosen = partition ?? (random.oneIn(3) ? random.below(to.partitions) : null)
    const { id, value } = ledger.next(to.name, chosen, sizeBytes)
    const record: ProducerRecord = {
      topic: to.name,
      value,
      ...(chosen === null ? {} : { partition: chosen }),
      ...(random.oneIn(3) ? { key: `key-${random.below(9)}` } : {}),
      ...(random.oneIn(8) ? { timestamp: 1_600_000_000_000 + random.below(1_000_000) } : {}),
      ...(random.oneIn(8) ? { headers: { source: 'simulation' } } : {}),
    }
    return { id, record }
  }

  #sizeBytes(): number {
    const random = this.#random
    if (random.oneIn(100)) return random.below(20_000)
    return random.oneIn(10) ? random.below(3000) : random.below(250)
  }
}
