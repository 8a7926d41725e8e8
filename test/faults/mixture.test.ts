/** Faults of all kinds in one scenario, by seed, on real sockets: what no single row thinks of. */
import { describe, it, expect } from 'vitest'
import { Random } from '../fuzz/random.ts'
import { turns } from '../support/fake-clock.ts'
import type { FaultOptions } from '../../src/testing/test-cluster.ts'
import { runWithLedger, type End, type FaultRun } from './support.ts'

/** HEADRACE_MIXTURE_SEEDS="from-to" for more. */
const [FROM = 1, TO = 8] = (process.env['HEADRACE_MIXTURE_SEEDS'] ?? '1-8').split('-').map(Number)
const SEEDS = Array.from({ length: TO - FROM + 1 }, (_, i) => FROM + i)
const PARTITIONS = 3
const ROUNDS = 25

const ERRORS = [
  ...['NOT_ENOUGH_REPLICAS', 'NOT_LEADER_OR_FOLLOWER', 'REQUEST_TIMED_OUT', 'NOT_ENOUGH_REPLICAS_AFTER_APPEND'],
  ...['OUT_OF_ORDER_SEQUENCE_NUMBER', 'UNKNOWN_PRODUCER_ID', 'INVALID_PRODUCER_EPOCH', 'UNKNOWN_TOPIC_OR_PARTITION'],
  ...['INVALID_TIMESTAMP', 'TOPIC_AUTHORIZATION_FAILED', 'CORRUPT_MESSAGE', 'KAFKA_STORAGE_ERROR', 'MESSAGE_TOO_LARGE'],
]
const MAYBE = ['REQUEST_TIMED_OUT', 'NOT_ENOUGH_REPLICAS_AFTER_APPEND', 'NOT_LEADER_OR_FOLLOWER', 'KAFKA_STORAGE_ERROR']

function anyFault(random: Random): Omit<FaultOptions, 'api'> {
  const after = random.below(6)
  const times = 1 + random.below(3)
  switch (random.below(6)) {
    case 0:
      return { after, times, closeBefore: true }
    case 1:
      return { after, times, closeAfterBytes: random.below(80) }
    case 2:
      return { after, times: 1, silent: true }
    case 3:
      return { after, times, delayMs: random.below(1500) }
    default: {
      const error = ERRORS[random.below(ERRORS.length)] ?? ''
      const partition = random.below(PARTITIONS)
      return { after, times, error, partition, isWritten: MAYBE.includes(error) && random.oneIn(2) }
    }
  }
}

async function anyDisturbance(run: FaultRun, random: Random): Promise<void> {
  const { cluster, sockets, clock } = run
  const socket = sockets.filter(({ destroyed }) => !destroyed)[random.below(2)]
  const broker = 1 + random.below(2)
  switch (random.below(7)) {
    case 0:
      return socket?.cutAfter(random.below(2000))
    case 1:
      socket?.stallAfter(random.below(500))
      await clock.advance(random.below(1500))
      return socket?.flow()
    case 2: {
      cluster.moveLeader('t', random.below(PARTITIONS), broker)
      return
    }
    case 3:
      cluster.blackHole(broker, random.oneIn(2) ? 'all' : 'answers')
      await clock.advance(random.below(2500))
      {
        cluster.blackHole(broker, 'none')
        return
      }
    case 4:
      await cluster.stopBroker(broker)
      await clock.advance(random.below(500))
      return cluster.startBroker(broker)
    case 5:
      return void cluster.fail({ api: 'Metadata', closeBefore: true, times: 1 + random.below(3) })
    default:
      return clock.advance(random.below(700))
  }
}

async function play(run: FaultRun, random: Random): Promise<void> {
  const ends: Promise<End[]>[] = []
  for (let round = 0; round < ROUNDS; round++) {
    for (let i = random.below(3); i > 0; i--) run.cluster.fail({ api: 'Produce', ...anyFault(random) })
    const partition = random.below(PARTITIONS)
    ends.push(run.sendMany(random.below(9), { partition, sizeBytes: random.below(400) }))
    await turns(random.below(12))
    await anyDisturbance(run, random)
    if (random.oneIn(4)) await run.settle(Promise.all(ends))
  }
}

describe.each([true, false])('a mixture of faults, idempotent: %s', (idempotent) => {
  it.each(SEEDS)('seed %i', async (seed) => {
    const random = new Random(seed)
    const producer = {
      ...{ idempotent, requestTimeoutMs: 1000, retryBackoffMs: 10, reconnectBackoffMs: 5 },
      deliveryTimeoutMs: [800, 3000, 60_000][seed % 3] ?? 3000,
      batchBytes: seed % 2 === 0 ? 1 : 700,
      maxInFlightRequests: [1, 5, 20][seed % 3] ?? 5,
    }
    const topics = { t: { partitions: PARTITIONS, replicationFactor: 2 } }
    const counts = await runWithLedger({ cluster: { topics }, producer }, (run) => play(run, random))
    expect(counts.unsettled).toBe(0)
  })
})
