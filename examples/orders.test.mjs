// Your own code against an in-process cluster, faults included.  node --test examples/orders.test.mjs
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Producer } from 'headrace'
import { TestCluster } from 'headrace/testing'

test('an order survives a change of leader', async () => {
  const cluster = await TestCluster.start({ brokers: 2, topics: { orders: 3 } })
  const producer = new Producer({ brokers: cluster.bootstrap })
  const rule = cluster.fail({ api: 'Produce', topic: 'orders', error: 'NOT_LEADER_OR_FOLLOWER' })

  await producer.send({ topic: 'orders', key: 'o-17', value: 'x' })

  assert.equal(rule.hits, 1)
  assert.deepEqual(
    cluster.records('orders').map(({ value }) => String(value)),
    ['x'],
  )
  await producer.close()
  await cluster.close()
})
