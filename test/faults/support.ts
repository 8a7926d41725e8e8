import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { expect } from 'vitest'
import { Producer, type KafkaError, type ProducerOptions, type ProducerRecord } from '../../src/index.ts'
import type { RecordMetadata } from '../../src/producer/record-metadata.ts'
import { TestCluster, type LoggedRecord, type TestClusterOptions } from '../../src/testing/test-cluster.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { Ledger, watchProcess, type LedgerOptions, type VerdictCounts } from '../support/oracles.ts'
import { advanceUntilSettled } from '../support/settling.ts'
import { FaultSocket } from './fault-socket.ts'

export interface Scenario {
  readonly cluster?: Partial<TestClusterOptions>
  readonly producer?: Partial<ProducerOptions>
  readonly ledger?: Partial<LedgerOptions>
  /** Where sequences begin. Default 0. */
  readonly firstSequence?: number
  /** Of these topics the log is judged. Default: all. */
  readonly judged?: readonly string[]
}

export interface SendPlan {
  readonly topic?: string
  /** null: the partitioner decides. Default 0. */
  readonly partition?: number | null
  readonly sizeBytes?: number
  /** The rest of the record. */
  readonly record?: Partial<ProducerRecord>
}

/** A record's end: where it went, or why it did not. */
export type End = RecordMetadata | KafkaError

/** What one scenario has in hand. Everything is judged when it is over (`runWithLedger`). */
export class FaultRun {
  readonly cluster: TestCluster
  readonly clock: FakeClock
  readonly producer: Producer
  readonly ledger: Ledger
  /** Of the producer, in the order in which they were opened. */
  readonly sockets: FaultSocket[]
  readonly #ends: Promise<End>[] = []

  constructor(parts: Pick<FaultRun, 'cluster' | 'clock' | 'producer' | 'ledger' | 'sockets'>) {
    this.cluster = parts.cluster
    this.clock = parts.clock
    this.producer = parts.producer
    this.ledger = parts.ledger
    this.sockets = parts.sockets
  }

  /** Sends a value that the ledger knows. Never rejects. */
  send({ topic = 't', partition = 0, sizeBytes = 0, record = {} }: SendPlan = {}): Promise<End> {
    const { id, value } = this.ledger.next(topic, partition, sizeBytes)
    this.ledger.accepted(id)
    const where = partition === null ? { topic } : { topic, partition }
    const end = this.producer.send({ ...where, value, ...record }).then(
      (at) => {
        this.ledger.delivered(id, at)
        return at
      },
      (error: unknown) => {
        this.ledger.failed(id, error as KafkaError)
        return error as KafkaError
      },
    )
    this.#ends.push(end)
    return end
  }

  sendMany(count: number, plan: SendPlan = {}): Promise<End[]> {
    return Promise.all(Array.from({ length: count }, () => this.send(plan)))
  }

  /** Lets time pass until it has settled. */
  async settle<T>(promise: Promise<T>, stepMs = 50): Promise<T> {
    await advanceUntilSettled(this.clock, promise, stepMs)
    return promise
  }

  allSettled(): Promise<End[]> {
    return Promise.all(this.#ends)
  }

  /** The newest connection to a broker. */
  socketTo(broker = 1): FaultSocket {
    const port = this.cluster.ports[broker - 1]
    const socket = this.sockets.filter((candidate) => candidate.port === port && !candidate.destroyed).at(-1)
    if (socket === undefined) throw new Error(`no connection to broker ${broker} is open`)
    return socket
  }

  records(partition = 0, topic = 't'): LoggedRecord[] {
    return this.cluster.records(topic).filter((row) => row.partition === partition)
  }

  produceRequests(): number {
    return this.cluster.requests.filter(({ api }) => api === 'Produce').length
  }
}

/**
 * A peer that hangs up in the handshake is asked whether it speaks TLS (tls-probe.ts): 0x160301 as the beginning of a length. Its
 * last byte belongs to the length of the greeting, which is over 1.5 kB in Node 24 (keys for after quantum computers).
 */
const TLS_RECORD = 0x160301

function isTlsGreeting(violation: string): boolean {
  return Number(/a length of (\d+)/.exec(violation)?.[1]) >>> 8 === TLS_RECORD
}

let seed = 0

/**
 * Plays one scenario against a TestCluster in fake time, then waits until everything has settled, reads the log back
 * and judges it by the oracles O1 to O6, O8 and O12; also a protocol violation that a broker noted fails it.
 *
 * @returns what the ledger counted, for what the scenario itself claims.
 */
export async function runWithLedger(
  { cluster: clusterOptions, producer: producerOptions, ledger: ledgerOptions, firstSequence, judged }: Scenario,
  work: (run: FaultRun) => Promise<void>,
): Promise<VerdictCounts> {
  const clock = new FakeClock()
  const watch = watchProcess()
  await using cluster = await TestCluster.start({
    ...{ brokers: 2, topics: { t: 4 }, autoCreateTopics: false, clock },
    ...clusterOptions,
  })
  const sockets: FaultSocket[] = []
  const createSocket = ({ host, port }: { host: string; port: number }): FaultSocket => {
    const socket = new FaultSocket(host, port)
    sockets.push(socket)
    return socket
  }
  // One batch a record, so that a pipeline of five is five records.
  const options: ProducerOptions = { brokers: cluster.bootstrap, batchBytes: 1, createSocket, ...producerOptions }
  const producer = new Producer(options, clock, firstSequence)
  const { idempotent = true } = options
  const ledger = new Ledger({
    ...{ idempotent, acks: 'all', seed: ++seed, countsRetries: !idempotent },
    ...ledgerOptions,
  })
  const onRetry = (event: unknown): void => {
    const { topic, partition, records, maybeWritten } = event as RetryEvent
    if (maybeWritten) ledger.retried(topic, partition, records)
  }
  subscribe('headrace:batch:retry', onRetry)
  const run = new FaultRun({ cluster, clock, producer, ledger, sockets })
  try {
    await work(run)
    await run.settle(run.allSettled())
    await run.settle(producer.close())
    const rows = (judged ?? cluster.topics).flatMap((topic) => cluster.records(topic).map((row) => ({ ...row, topic })))
    const { violations, counts } = ledger.judge(rows)
    expect(violations).toEqual([])
    expect(cluster.violations.filter((violation) => !isTlsGreeting(violation))).toEqual([])
    expect(watch.problems).toEqual([])
    expect(clock.pendingMs, 'timers that were left behind').toEqual([])
    return counts
  } finally {
    unsubscribe('headrace:batch:retry', onRetry)
    watch.stop()
    await producer.close({ timeoutMs: 0 }).catch(() => undefined) // a scenario that failed leaves it open
  }
}

interface RetryEvent {
  readonly topic: string
  readonly partition: number
  readonly records: number
  readonly maybeWritten: boolean
}

/** An event of the engine, each time with the time of the scenario's clock. */
export async function timesOf(channel: string, clock: FakeClock, work: () => Promise<unknown>): Promise<number[]> {
  const times: number[] = []
  const listen = (): void => void times.push(clock.now())
  subscribe(channel, listen)
  await work().finally(() => unsubscribe(channel, listen))
  return times
}

/** Was it delivered? @throws if it was not: the error. */
export function deliveredAt(end: End | undefined): RecordMetadata {
  if (end === undefined) throw new Error('nothing was sent')
  if (end instanceof Error) throw end
  return end
}

/** @throws if it was delivered. */
export function errorOf(end: End | undefined): KafkaError {
  if (!(end instanceof Error)) throw new Error('it did not fail')
  return end
}
