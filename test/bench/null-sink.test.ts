import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startSink, type Bench } from '../../bench/compare/targets.ts'
import { Producer } from '../../src/index.ts'
import {
  apiNamed,
  decodeResponseFrame,
  encodeRecordBatch,
  encodeRequestFrame,
  FrameReader,
} from '../../src/protocol/protocol.ts'

const SOURCE = fileURLToPath(new URL('../../bench/sink/null-sink.c', import.meta.url))
const hasCompiler = spawnSync('gcc', ['--version']).status === 0
const PARTITIONS = 3

describe.skipIf(!hasCompiler)('null sink', () => {
  let folder: string
  let sink: Bench

  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'headrace-null-sink-'))
    execFileSync('gcc', ['-O1', '-Wall', '-Wextra', '-Werror', '-o', path.join(folder, 'null-sink'), SOURCE])
  })
  afterAll(() => rmSync(folder, { recursive: true }))
  beforeEach(async () => {
    sink = await startSink(path.join(folder, 'null-sink'), PARTITIONS)
  })
  afterEach(() => sink.clear())

  /** Sends one frame, bytes as they are, and gives what comes back; null: the sink hung up. */
  function exchange(bytes: Uint8Array): Promise<Buffer | null> {
    const [host = '', port = ''] = sink.brokers.split(':')
    return new Promise((resolve, reject) => {
      const reader = new FrameReader(1 << 20)
      const socket = connect({ host, port: Number(port) }, () => socket.write(bytes))
      socket.on('error', reject).on('close', () => resolve(null))
      socket.on('data', (chunk) => {
        reader.push(chunk)
        const frame = reader.next()
        if (frame === null) return
        resolve(frame)
        socket.destroy()
      })
    })
  }

  const header = { correlationId: 7, clientId: 'test' }
  const bytesOf = ({ chunks }: { chunks: readonly Uint8Array[] }): Buffer => Buffer.concat(chunks)

  it('answers ApiVersions in every version it claims, and an unknown one with the way back', async () => {
    const api = apiNamed('ApiVersions')
    const body = { clientSoftwareName: 'test', clientSoftwareVersion: '1' }
    for (const version of [0, 1, 2, 3]) {
      const frame = await exchange(bytesOf(encodeRequestFrame(api, version, header, body)))
      const answer = decodeResponseFrame(api, version, frame!)
      expect(answer.errorCode).toBe(0)
      expect(answer.apiKeys.map(({ apiKey }) => apiKey)).toEqual([0, 1, 3, 10, 18, 22])
    }
    const frame = await exchange(bytesOf(encodeRequestFrame(api, 4, header, body)))
    expect(decodeResponseFrame(api, 0, frame!)).toMatchObject({ errorCode: 35 })
  })

  it('answers Metadata in every version it claims, for any topic', async () => {
    const api = apiNamed('Metadata')
    for (let version = 1; version <= 9; version++) {
      const frame = await exchange(
        bytesOf(encodeRequestFrame(api, version, header, { topics: [{ name: 'a' }, { name: 'b' }] })),
      )
      const { brokers, topics } = decodeResponseFrame(api, version, frame!)
      expect(brokers).toMatchObject([{ nodeId: 1, host: '127.0.0.1' }])
      expect(topics.map(({ name, partitions }) => [name, partitions.length])).toEqual([
        ['a', PARTITIONS],
        ['b', PARTITIONS],
      ])
    }
  })

  it('acknowledges Produce in every version it claims, with offsets that count', async () => {
    const api = apiNamed('Produce')
    const records = encodeRecordBatch(Array.from({ length: 5 }, () => ({ key: null, value: 'x', timestamp: 1 })))
    const topicData = [{ name: 't', partitionData: [{ index: 2, records }] }]
    for (let version = 3; version <= 8; version++) {
      const frame = await exchange(
        bytesOf(encodeRequestFrame(api, version, header, { acks: -1, timeoutMs: 1, topicData })),
      )
      const [partition] = decodeResponseFrame(api, version, frame!).responses[0]!.partitionResponses
      expect(partition).toMatchObject({ index: 2, errorCode: 0, baseOffset: BigInt((version - 3) * 5) })
    }
    expect(await sink.stored()).toBe(30)
  })

  it('hangs up on a partition that it does not have', async () => {
    const records = encodeRecordBatch([{ key: null, value: 'x', timestamp: 1 }])
    const body = { acks: -1, timeoutMs: 1, topicData: [{ name: 't', partitionData: [{ index: 3, records }] }] }
    expect(await exchange(bytesOf(encodeRequestFrame(apiNamed('Produce'), 8, header, body)))).toBeNull()
    expect(await sink.stored()).toBe(0)
  })

  it('takes what a producer sends, and has counted it', async () => {
    const producer = new Producer({ brokers: sink.brokers })
    const report = await producer.sendAll(
      Array.from({ length: 1000 }, (_, i) => ({ topic: 't', key: `k${i}`, value: 'v' })),
    )
    expect(report.count).toBe(1000)
    await producer.close()
    expect(await sink.stored()).toBe(1000)
  })
})
