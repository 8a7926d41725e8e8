import { describe, expect, it } from 'vitest'
import type { Arena } from '../support/chaos/arena.ts'
import { heal, inflictClusterFault, inflictProxyFault } from '../support/chaos/inflict.ts'
import type { PartitionState } from '../support/chaos/chaos-admin.ts'
import type { Fault } from '../support/chaos/schedule.ts'

/** An arena that writes down what is done to it. */
function recorder(change = (row: PartitionState) => row) {
  const calls: string[] = []
  const note =
    (name: string) =>
    (...args: unknown[]) => {
      calls.push([name, ...args.map((arg) => JSON.stringify(arg))].join(' '))
      return Promise.resolve()
    }
  let partitions: PartitionState[] = [0, 1, 2, 3].map((partition) => {
    const replicas = [1, 2, 3, 1, 2].slice(partition % 3, (partition % 3) + 3)
    return change({ topic: 'chaos-a', partition, leader: replicas[0] ?? 0, replicas, isr: replicas })
  })
  const admin = {
    awaitInSync: () => note('in sync')(),
    state: () => Promise.resolve({ controller: 2, partitions }),
    place: (wanted: { partition: number; replicas: number[] }[]) => {
      const replicasOf = new Map(wanted.map(({ partition, replicas }) => [partition, replicas]))
      partitions = partitions.map((row) => ({ ...row, replicas: replicasOf.get(row.partition) ?? row.replicas }))
      return note('place')(wanted.map(({ partition, replicas }) => `${partition}:${replicas.join('')}`).join(' '))
    },
    electPreferred: () => {
      partitions = partitions.map((row) => ({ ...row, leader: row.replicas[0] ?? 0 }))
      return note('elect')()
    },
    deleteTopic: note('delete'),
    createTopic: note('create'),
  }
  const names = ['kill', 'stop', 'start', 'pause', 'resume', 'ready'] as const
  const cluster = Object.fromEntries(names.map((name) => [name, note(name)]))
  const proxies = [1, 2, 3].map((node) => ({
    broken: 0,
    cut: () => void note(`cut ${node}`)(),
    disturb: (disturbance: object) => void note(`disturb ${node}`)(disturbance),
    calm: () => void note(`calm ${node}`)(),
  }))
  const occasion = { begin: () => void note('begin')(), hold: note('hold') }
  return { calls, occasion, arena: { cluster, admin, proxies } as unknown as Arena }
}

function fault(kind: Fault['kind'], node = 0, choice = 0): Fault {
  return { number: 1, kind, afterMs: 1, holdMs: 700, node, choice }
}

describe('a fault of the cluster', () => {
  it.each([
    ['kill', ['in sync', 'begin', 'kill 2', 'hold 700', 'start 2']],
    ['term', ['in sync', 'begin', 'stop 2', 'hold 700', 'start 2']],
    ['stop', ['in sync', 'begin', 'pause 2', 'hold 700', 'resume 2', 'ready']],
  ] as const)('%s: only when all replicas are in sync, and undone', async (kind, expected) => {
    const { calls, arena, occasion } = recorder()
    expect(await inflictClusterFault(fault(kind, 2), arena, occasion)).toBe('led 1 of 4 partitions, active controller')
    expect(calls).toEqual(expected)
  })

  it('kill: a broker that leads nothing gets its leaderships back first', async () => {
    const { calls, arena, occasion } = recorder((row) => ({ ...row, leader: 1 }))
    expect(await inflictClusterFault(fault('kill', 3), arena, occasion)).toBe('led 1 of 4 partitions')
    expect(calls).toEqual(['in sync', 'elect', 'begin', 'kill 3', 'hold 700', 'start 3'])
  })

  it('leader: another order of the same replicas, and an election', async () => {
    const { calls, arena, occasion } = recorder()
    expect(await inflictClusterFault(fault('leader'), arena, occasion)).toBe('4 of 4 leaders moved')
    expect(calls).toEqual(['begin', 'place "0:231 1:312 2:123 3:231"', 'elect'])
  })

  it('reassign: one replica away from three partitions, and back', async () => {
    const { calls, arena, occasion } = recorder()
    await inflictClusterFault(fault('reassign', 0, 2), arena, occasion)
    expect(calls).toEqual(['in sync', 'begin', 'place "2:12 3:23 0:23"', 'place "2:312 3:123 0:123"'])
  })

  it('topic: the one that is not judged', async () => {
    const { calls, arena, occasion } = recorder()
    await inflictClusterFault(fault('topic'), arena, occasion)
    expect(calls).toEqual(['begin', 'delete "chaos-side"', 'hold 700', 'create "chaos-side" 2 3'])
  })
})

describe('a fault of the network', () => {
  it.each([
    ['delay', 7, { kind: 'delay', delayMs: 12 }],
    ['reset', 100, { kind: 'reset', direction: 'requests', afterBytes: 50 }],
    ['reset', 101, { kind: 'reset', direction: 'answers', afterBytes: 50 }],
    ['mute-requests', 0, { kind: 'mute', direction: 'requests' }],
    ['mute-answers', 0, { kind: 'mute', direction: 'answers' }],
    ['drip', 0, { kind: 'drip' }],
    ['hold', 0, { kind: 'hold' }],
    ['refuse', 0, { kind: 'refuse' }],
  ] as const)('%s (%i): one proxy, and calm after that', async (kind, choice, disturbance) => {
    const { calls, arena, occasion } = recorder()
    await inflictProxyFault(fault(kind, 3, choice), arena, occasion)
    expect(calls).toEqual(['begin', `disturb 3 ${JSON.stringify(disturbance)}`, 'hold 700', 'calm 3'])
  })

  it('cut: over at once', async () => {
    const { calls, arena, occasion } = recorder()
    await inflictProxyFault(fault('cut', 1), arena, occasion)
    expect(calls).toEqual(['begin', 'cut 1'])
  })
})

it('healing ends with all replicas in sync', async () => {
  const { calls, arena } = recorder()
  await heal(arena)
  expect(calls).toEqual(['calm 1', 'calm 2', 'calm 3', 'ready', 'in sync'])
})
