import { describe, expect, test } from 'vitest'
import { lastJson, runCli, startCli } from '../support/run-cli.ts'

describe('broker', () => {
  test('serves produce and topics, until it is told to stop', async () => {
    const broker = startCli([
      'broker',
      '--port',
      '0',
      '--brokers',
      '2',
      '--topic',
      'orders:3',
      '--topic',
      'logs',
      '--json',
    ])
    await expect.poll(broker.stdout, { timeout: 10_000 }).toContain('\n')
    const { bootstrap } = lastJson(broker.stdout()) as { bootstrap: string }
    expect(bootstrap).toMatch(/^127\.0\.0\.1:\d+,127\.0\.0\.1:\d+$/)
    const [listed, produced] = await Promise.all([
      runCli(['topics', '--brokers', bootstrap]),
      runCli(['produce', '--brokers', bootstrap, '--topic', 'orders', '--json'], 'a\nb\n'),
    ])
    expect(listed.stdout).toBe('TOPIC   PARTITIONS\nlogs             1\norders           3\n')
    expect(produced).toMatchObject({ code: 0 })
    // A port that is in use.
    const port = bootstrap.split(/[:,]/)[1] ?? ''
    const second = await runCli(['broker', '--port', port])
    expect(second).toMatchObject({ code: 2, stdout: '' })
    expect(second.stderr).toBe(`headrace: port ${port} is taken; choose another with --port, 0 finds a free one\n`)
    broker.child.kill('SIGTERM')
    const { code, stderr } = await broker.ended
    expect(code).toBe(0)
    expect(stderr).toBe('2 brokers up; Ctrl-C ends\ntopic orders: 2 records received\n')
  })

  test.each([
    [['--topic', 'a:b'], 'Expected a name, or name:partitions'],
    [['--topic', 'sla/sh'], 'not a legal topic name'],
    [['--port', '70000'], 'Expected a whole number, 0 to 65535'],
    [['--port', '65535', '--brokers', '3'], 'leaves no room for 3 brokers'],
  ])('%j exits 2', async (args, message) => {
    const { code, stderr } = await runCli(['broker', ...args])
    expect(code).toBe(2)
    expect(stderr).toContain(message)
  })
})
