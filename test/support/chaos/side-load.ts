import type { ProducerRecord, RecordMetadata } from '../../../src/index.ts'

const TICK_MS = 50
const RECORDS_A_TICK = 2
const MAX_UNSETTLED = 500

/** A trickle to the topic that is deleted and made again: it must settle, and need not arrive. */
export class SideLoad {
  accepted = 0
  delivered = 0
  readonly failures = new Map<string, number>()
  readonly #send: (record: ProducerRecord) => Promise<RecordMetadata>
  readonly #topic: string
  readonly #partitions: number
  #timer: NodeJS.Timeout | undefined

  constructor(send: (record: ProducerRecord) => Promise<RecordMetadata>, topic: string, partitions: number) {
    this.#send = send
    this.#topic = topic
    this.#partitions = partitions
  }

  get failed(): number {
    return [...this.failures.values()].reduce((sum, count) => sum + count, 0)
  }

  get unsettled(): number {
    return this.accepted - this.delivered - this.failed
  }

  start(): void {
    this.#timer = setInterval(() => this.#tick(), TICK_MS)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #tick(): void {
    for (let i = 0; i < RECORDS_A_TICK && this.unsettled < MAX_UNSETTLED; i++) {
      const partition = this.accepted % this.#partitions
      this.accepted++
      this.#send({ topic: this.#topic, partition, value: `side ${this.accepted}` }).then(
        () => this.delivered++,
        (error: unknown) => {
          const code = (error as { code?: string }).code ?? String(error)
          this.failures.set(code, (this.failures.get(code) ?? 0) + 1)
        },
      )
    }
  }
}
