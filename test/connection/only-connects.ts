/** Prints why a producer cannot connect to an address, and has nothing else to do: its promise is all that waits. */
import { Producer } from '../../src/index.ts'

const producer = new Producer({ brokers: process.argv[2] ?? '' })
try {
  await producer.connect()
  console.log('connected')
} catch (error) {
  console.log((error as Error).message)
}
