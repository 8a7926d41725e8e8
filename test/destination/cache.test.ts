import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { describe, expect, test } from 'vitest'
import type { StatsClient } from '../../src/destination/destination.ts'
import { sharedProducers } from '../../src/destination/producer-cache.ts'
import type { TestCluster } from '../../src/testing/test-cluster.ts'
import { FakeClock, until } from '../support/fake-clock.ts'
import { newDestination, settingsFor, startCluster, track } from './harness.ts'

const openings = (cluster: TestCluster): number => cluster.requests.filter(({ api }) => api === 'InitProducerId').length

function counting(): { readonly stats: StatsClient; readonly said: string[] } {
  const said: string[] = []
  return { said, stats: { incr: (name) => said.push(name), histogram: (name, value) => said.push(`${name} ${value}`) } }
}

describe('seg-S17: the producers of a process', () => {
  test('concurrent first calls, later calls and other destinations with equal settings share one', async () => {
    const cluster = await startCluster()
    const one = newDestination(cluster)
    const other = newDestination(cluster, { settings: { ...settingsFor(cluster), brokers: ` ${cluster.bootstrap} ,` } })
    await Promise.all([one.deliver([track()]), other.deliver([track()]), one.deliver([track()])])
    const logins = cluster.loginStats()
    await other.deliver([track()])
    expect(openings(cluster)).toBe(1)
    expect(cluster.loginStats()).toEqual(logins)
    expect(sharedProducers.size).toBe(1)
    await one.close()
    expect(sharedProducers.size).toBe(1)
    expect(await other.deliver([track()])).toMatchObject([{ status: 200 }])
    await other.close()
    expect(sharedProducers.size).toBe(0)
  })

  test('other settings have another one', async () => {
    const cluster = await startCluster()
    await newDestination(cluster).deliver([track()])
    await newDestination(cluster, { settings: { ...settingsFor(cluster), clientId: 'x' } }).deliver([track()])
    expect(openings(cluster)).toBe(2)
  })

  test('and so have other options of the producer, in whatever order they come', async () => {
    const cluster = await startCluster()
    const mapAddress = ({ host, port }: { host: string; port: number }): { host: string; port: number } => ({
      host,
      port,
    })
    const given = [{ acks: 1, mapAddress }, { mapAddress, acks: 1 }, { acks: 1 }, {}] as const
    for (const producer of given) await newDestination(cluster, { producer }).deliver([track()])
    expect(sharedProducers.size).toBe(3)
  })

  test('one that is unused is closed without another call, and made anew by the next one', async () => {
    const cluster = await startCluster()
    const clock = new FakeClock()
    const { stats, said } = counting()
    const destination = newDestination(cluster, { clock, stats })
    await destination.deliver([track()])
    await clock.advance(20_000)
    await destination.deliver([track()])
    await clock.advance(29_999)
    expect(sharedProducers.size).toBe(1)
    await clock.advance(1)
    await until(() => said.includes('kafka_connection_closed'), 'the producer is closed')
    expect(sharedProducers.size).toBe(0)
    expect(await destination.deliver([track()])).toMatchObject([{ status: 200 }])
    expect(openings(cluster)).toBe(2)
    expect(said.filter((name) => name.startsWith('kafka_'))).toEqual([
      ...['kafka_connection_opened', 'kafka_connection_reused', 'kafka_connection_closed', 'kafka_connection_opened'],
    ])
  })

  test('one that is broken is given up', async () => {
    const cluster = await startCluster()
    const settings = { ...settingsFor(cluster), password: 'new password of ann' }
    const destination = newDestination(cluster, { settings })
    expect(await destination.deliver([track()])).toMatchObject([{ status: 401 }])
    expect(sharedProducers.size).toBe(0)
    cluster.setUser('ann', 'new password of ann')
    expect(await destination.deliver([track()])).toMatchObject([{ status: 200 }])
  })

  test('close waits for what is on its way, and nothing goes afterwards', async () => {
    const cluster = await startCluster()
    const destination = newDestination(cluster)
    const results = destination.deliver([track()])
    await destination.close()
    expect(cluster.recordCount('t')).toBe(1)
    expect(sharedProducers.size).toBe(0)
    expect(await results).toMatchObject([{ status: 200 }])
    await expect(destination.deliver([track()])).rejects.toMatchObject({ code: 'CLOSED' })
    await expect(destination.topics()).rejects.toMatchObject({ code: 'CLOSED' })
  })
})

test('seg-S21: the numbers of a call, and a client that throws harms nobody', async () => {
  const cluster = await startCluster()
  const { stats, said } = counting()
  const fields = { partition: { '@path': '$.properties.p' }, payload: { a: 'b' } }
  await newDestination(cluster, { fields, stats }).deliver([0, 1, 0].map((p) => track({ p })))
  expect(said).toContain('kafka.configurable_batch_keys.unique_keys 2')
  expect(said).toContain(`kafka.batch_bytes ${2 * '{"a":"b"}'.length}`)
  const fail = (): never => {
    throw new Error('no')
  }
  const heard: unknown[] = []
  const listen = (message: unknown): number => heard.push(message)
  subscribe('headrace:destination:delivered', listen)
  const results = await newDestination(cluster, { stats: { incr: fail, histogram: fail } }).deliver([track()])
  unsubscribe('headrace:destination:delivered', listen)
  expect(results).toMatchObject([{ status: 200 }])
  expect(heard).toEqual([{ events: 1, results }])
})
