import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TestCluster } from '../../src/testing/test-cluster.ts'
import { expected, run, scripts } from './producer-scripts.ts'

describe('a TestCluster knows its producers', () => {
  let cluster: TestCluster

  beforeAll(async () => {
    cluster = await TestCluster.start()
  })

  afterAll(async () => {
    await cluster.close()
  })

  it.each(scripts)('$name', async (script) => {
    const topic = `t-${scripts.indexOf(script)}`
    cluster.createTopic(topic, { partitions: 1, timestampType: script.timestampType })
    const target = {
      address: cluster.bootstrap,
      deleteBefore: (name: string, offset: number) => cluster.deleteRecords(name, 0, offset),
      restart: async () => {
        await cluster.stopBroker(1)
        await cluster.startBroker(1)
      },
    }
    expect(await run(script, topic, target)).toEqual(expected(script))
    expect(cluster.violations).toEqual([])
  })
})
