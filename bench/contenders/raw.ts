/**
 * The limit: Produce requests that were made beforehand, as large as the others' largest, five in flight, on a bare
 * socket. Nothing in Node that makes its records can be faster. With one record under way it is the round trip.
 */
import { once } from 'node:events'
import { connect as connectSocket, type Socket } from 'node:net'
import { decodeResponseFrame, encodeRecordBatch, encodeRequestFrame, FrameReader } from '../../src/protocol/protocol.ts'
import { produce as produceApi } from '../../src/protocol/messages/produce.ts'
import { UNBOUNDED, type Job } from '../compare/job.ts'
import { chains, type Client, type Connect, type Supply } from './client.ts'
import { contend } from './harness.ts'

const VERSION = 8
const BATCH_BYTES = 1_000_000
const IN_FLIGHT = 5
const MAX_ANSWER_BYTES = 1 << 20

const connect: Connect = async (job, supply) => {
  const [host = '', port = ''] = job.brokers.split(',')[0]?.split(':') ?? []
  const socket = connectSocket({ host, port: Number(port), noDelay: true })
  await once(socket, 'connect')
  return clientOf(job, supply, socket)
}

/** One request for each partition; they differ in nothing else. */
function requestsOf(job: Job, { values }: Supply, records: number): Buffer[] {
  const timestamp = Date.now()
  const batch = encodeRecordBatch(
    Array.from({ length: records }, (_, i) => ({ key: null, value: values[i % values.length] ?? null, timestamp })),
  )
  return Array.from({ length: Math.min(job.partitions, 100) }, (_, index) => {
    const topicData = [{ name: job.topic, partitionData: [{ index, records: batch }] }]
    const header = { correlationId: index, clientId: 'raw' }
    const { chunks } = encodeRequestFrame(produceApi, VERSION, header, { acks: -1, timeoutMs: 30_000, topicData })
    return Buffer.concat(chunks)
  })
}

function clientOf(job: Job, supply: Supply, socket: Socket): Client {
  const records = Math.max(1, Math.min(job.concurrency, Math.floor(BATCH_BYTES / (job.valueBytes + 12))))
  const inFlight = job.concurrency >= UNBOUNDED ? IN_FLIGHT : 1
  const requests = requestsOf(job, supply, records)
  const answers = answersOn(socket)
  let next = 0
  const send = async (): Promise<void> => {
    socket.write(requests[next++ % requests.length] ?? Buffer.alloc(0))
    await answers()
  }
  return {
    version: '-',
    settings: { 'records a request': records, 'requests in flight': inFlight },
    async flood(until) {
      let count = 0
      await chains(inFlight, until, async () => {
        await send()
        count += records
      })
      return count
    },
    async burst(first, _count, acked) {
      await send()
      acked(first)
    },
    close: () => Promise.resolve(void socket.destroy()),
  }
}

/** Each call waits for the next answer; they come in the order of the requests. */
function answersOn(socket: Socket): () => Promise<void> {
  const waiting: { resolve: () => void; reject: (error: Error) => void }[] = []
  const reader = new FrameReader(MAX_ANSWER_BYTES)
  const fail = (error: Error): void => waiting.splice(0).forEach(({ reject }) => reject(error))
  socket.on('error', fail).on('close', () => fail(new Error('the broker hung up')))
  socket.on('data', (chunk: Buffer) => {
    reader.push(chunk)
    for (let frame = reader.next(); frame !== null; frame = reader.next()) {
      const { responses } = decodeResponseFrame(produceApi, VERSION, frame)
      const errorCode = responses[0]?.partitionResponses[0]?.errorCode
      if (errorCode === 0) waiting.shift()?.resolve()
      else fail(new Error(`the broker refused a request: ${String(errorCode)}`))
    }
  })
  return () => new Promise((resolve, reject) => waiting.push({ resolve, reject }))
}

await contend(connect)
