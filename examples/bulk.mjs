// A large file, line by line, without holding it in memory.  node examples/bulk.mjs localhost:9092 topic FILE
import { open } from 'node:fs/promises'
import { BatchDeliveryError, Producer } from 'headrace'

const [brokers, topic, path] = process.argv.slice(2)
const producer = new Producer({ brokers, batchBytes: 256 * 1024 })
const file = await open(path)

async function* records() {
  for await (const line of file.readLines()) yield { value: line }
}

try {
  // Reads on only while less than 32 MiB wait for acknowledgement.
  const report = await producer.sendAll(records(), { topic })
  console.log(`${report.count} records`)
} catch (error) {
  if (!(error instanceof BatchDeliveryError)) throw error
  for (const { index, error: reason } of error.report.failed.slice(0, 10))
    console.error(`line ${index + 1}: ${reason.message}`)
  process.exitCode = 1
} finally {
  await producer.close()
}
