/**
 * One measured run, in a process of its own: `produce-run.ts BROKERS TOPIC VALUE_BYTES RECORDS BATCH_BYTES` sends, then
 * prints one line of JSON. CPU time is this process's, from the first record to the last acknowledgement.
 */
import { Producer } from '../src/index.ts'
import type { ProduceRun } from './bench.ts'

const [brokers = '', topic = '', ...numbers] = process.argv.slice(2)
const [valueBytes = 100, records = 0, batchBytes = 16_384] = numbers.map(Number)

const value = Buffer.alloc(valueBytes, 'abcdefghijklmnopqrstuvwxyz0123456789')
const producer = new Producer({ brokers, batchBytes })
await producer.sendAll(inputs(Math.min(records / 10, 50_000))) // warm: connections, metadata, compiled code

const cpuBefore = process.cpuUsage()
const startedMs = performance.now()
const report = await producer.sendAll(inputs(records))
const seconds = (performance.now() - startedMs) / 1000
const { user, system } = process.cpuUsage(cpuBefore)
if (report.count !== records) throw new Error(`sent ${report.count} of ${records}`)
await producer.close()

const run: ProduceRun = {
  recordsPerSecond: records / seconds,
  cpuUsPerRecord: (user + system) / records,
  rssMib: process.memoryUsage.rss() / 2 ** 20,
}
console.log(JSON.stringify(run))

function* inputs(count: number): Generator<{ topic: string; value: Buffer }> {
  for (let i = 0; i < count; i++) yield { topic, value }
}
