// One record, and what to do when it fails.  node examples/send.mjs localhost:9092
import { Producer } from 'headrace'

const producer = new Producer({ brokers: process.argv[2] ?? 'localhost:9092' })
try {
  const { topic, partition, offset } = await producer.send({
    topic: 'orders',
    key: 'customer-17',
    value: JSON.stringify({ total: 3 }),
    headers: { source: 'example' },
  })
  console.log(`${topic}, partition ${partition}, offset ${offset}`)
} catch (error) {
  // retriable: sending again may succeed; maybeWritten: it may be in the log already.
  console.error(`${error.message}\n(retriable: ${error.retriable}, maybe written: ${error.maybeWritten})`)
  process.exitCode = 1
} finally {
  await producer.close()
}
