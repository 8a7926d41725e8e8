import { describe, expect, test } from 'vitest'
import { DEMO_TOPICS, LOAD_RECORDS, readData } from '../../src/cli/demo-data.ts'
import { runCli } from '../support/run-cli.ts'

interface DemoJson {
  sent: number
  returned: number
  unchanged: boolean
  recordsPerSecond: number
  topics: { topic: string; partition: number; records: number; firstOffset: string; lastOffset: string }[]
}

const linesOf = async (file: string): Promise<string[]> =>
  String(await readData(file))
    .trimEnd()
    .split('\n')

describe('demo', () => {
  test('fits on one screen, and says what came back and what to do next', async () => {
    const { code, stdout, stderr } = await runCli(['demo'], '', { isFromSource: true })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const lines = stdout.trimEnd().split('\n')
    expect(lines.length).toBeLessThanOrEqual(28)
    expect(lines.filter((line) => line.length > 100)).toEqual([])
    expect(stdout).toMatch(/read back {2}all 100,257 came back: every byte unchanged/)
    for (const { topic } of DEMO_TOPICS) expect(stdout).toMatch(new RegExp(`^${topic} +0 +[\\d,]+ {2}0 to \\d+ `, 'm'))
    expect(stdout).toContain('produce --brokers localhost:9092 --topic segment-events')
    expect(stdout).toContain('--file examples/data/segment-events.ndjson --format ndjson --key-field userId')
    expect(stdout).toContain("import { Producer } from 'headrace'")
    expect(stdout).not.toContain('\u001b')
  })

  test('--json has the counts', async () => {
    const { code, stdout } = await runCli(['demo', '--json'], '', { isFromSource: true })
    expect(code).toBe(0)
    const outcome = JSON.parse(stdout) as DemoJson
    const once = (await linesOf('segment-events.ndjson')).length + (await linesOf('asa-telco.ndjson.gz')).length
    expect(outcome).toMatchObject({ sent: once + LOAD_RECORDS, returned: once + LOAD_RECORDS, unchanged: true })
    expect(outcome.topics.reduce((sum, { records }) => sum + records, 0)).toBe(outcome.sent)
    for (const { records, firstOffset, lastOffset } of outcome.topics) {
      expect([firstOffset, lastOffset]).toEqual(['0', String(records - 1)])
    }
    expect(outcome.recordsPerSecond).toBeGreaterThan(1000)
  })

  test('every line of its data is JSON', async () => {
    for (const { file } of DEMO_TOPICS) {
      for (const line of await linesOf(file)) {
        expect(JSON.parse(line)).toBeTypeOf('object')
      }
    }
  })
})
