import { startForeignBroker } from './foreign-broker.ts'

/** A process that owns a broker of each kind, says so and waits to be killed: see the harness's own test. */
const brokers = await Promise.all([startForeignBroker('kfake'), startForeignBroker('librdkafka-mock')])
process.stdout.write(`${JSON.stringify(brokers.map(({ pid }) => pid))}\n`)
setInterval(() => undefined, 60_000)
