import { describe, expect, it } from 'vitest'
import { DeliveryError, type KafkaError, type OfferCallback, type Producer } from '../../src/index.ts'
import { Delivery } from '../../src/output/delivery.ts'
import type { OutputMessage } from '../../src/output/output-message.ts'
import { FakeClock, turns } from '../support/fake-clock.ts'

interface Taken {
  readonly message: OutputMessage
  settle(error: KafkaError | null): void
}

/** What a delivery asks of producers, and says to owners. */
class Stage {
  readonly clock = new FakeClock()
  /** Of each producer that was made, what it was offered. */
  readonly producers: { taken: Taken[]; isClosed: boolean; refusal: Error | null }[] = []
  readonly told: string[] = []
  readonly delivery = new Delivery({
    createProducer: () => this.#newProducer(),
    clock: this.clock,
    onRetry: (rows, delayMs, { code }) => void this.told.push(`${rows} again in ${delayMs} ms: ${code}`),
  })

  message(order: number): OutputMessage {
    const tell = (what: string) => (): void => void this.told.push(`${order} ${what}`)
    return {
      owner: {
        ...{ delivered: tell('delivered'), refused: tell('refused') },
        ...{ abandoned: tell('abandoned'), retried: tell('retried') },
      },
      ...{ order, record: { topic: 't', value: null }, rowCount: 1, row: order, lastRow: order, bornMs: 0 },
      ...{ isSettled: false, isSafe: false },
    }
  }

  #newProducer(): Producer {
    const producer = { taken: [] as Taken[], isClosed: false, refusal: null as Error | null }
    this.producers.push(producer)
    const played = {
      offer(_record: unknown, done: OfferCallback<OutputMessage>, message: OutputMessage): boolean {
        if (producer.refusal !== null) throw producer.refusal
        producer.taken.push({ message, settle: (error) => done(error, null, message) })
        return true
      },
      ready: () => (producer.refusal === null ? Promise.resolve() : Promise.reject(producer.refusal)),
      close(): Promise<void> {
        producer.isClosed = true
        return Promise.resolve()
      },
    }
    return played as unknown as Producer
  }
}

const desync = new DeliveryError('SEQUENCE_DESYNC', 'desync', { fatal: true, maybeWritten: true })

describe('a delivery', () => {
  it.each(['DELIVERY_UNCERTAIN', 'CLOSED'] as const)(
    'tries again what a producer gave up for safety: %s',
    async (code) => {
      const stage = new Stage()
      stage.delivery.offer(stage.message(1))
      stage.producers[0]?.taken[0]?.settle(new DeliveryError(code, 'given up', { maybeWritten: true }))
      await turns(1)
      await stage.clock.advance(1000)
      stage.producers[0]?.taken[1]?.settle(null)
      expect(stage.told).toEqual([`1 again in 1000 ms: ${code}`, '1 retried', '1 delivered'])
    },
  )

  it('lets a producer go that is at its end, once, however many messages say so', async () => {
    const stage = new Stage()
    for (const order of [1, 2, 3]) stage.delivery.offer(stage.message(order))
    stage.producers[0]?.taken[2]?.settle(desync)
    // Somebody else asks for the next one before all have heard of it.
    expect(stage.delivery.producer).toBeDefined()
    stage.producers[0]?.taken[0]?.settle(desync)
    stage.producers[0]?.taken[1]?.settle(desync)
    await turns(1)
    await stage.clock.advance(1000)
    expect(stage.producers.map(({ isClosed }) => isClosed)).toEqual([true, false])
    expect(stage.producers[1]?.taken.map(({ message }) => message.order)).toEqual([1, 2, 3])
  })

  it('does not tell who waits for room that a producer is at its end: the next message goes to another', async () => {
    const stage = new Stage()
    stage.delivery.offer(stage.message(1))
    const [first] = stage.producers
    if (first !== undefined) first.refusal = desync
    await stage.delivery.ready(new AbortController().signal)
    expect(stage.delivery.offer(stage.message(2))).toBe(true)
    first?.taken[0]?.settle(desync)
    await turns(1)
    await stage.clock.advance(1000)
    expect(stage.producers[1]?.taken.map(({ message }) => message.order)).toEqual([1, 2])
  })
})
