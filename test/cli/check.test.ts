import { describe, expect, test } from 'vitest'
import { check, exitCodeFor, type Diagnose } from '../../src/cli/check.ts'
import { SpokenError, UsageError } from '../../src/cli/exit-code.ts'
import { ConnectionError, OptionError, type DiagnosisStep } from '../../src/index.ts'

const LONG =
  'b-1:9093: the broker\'s certificate goes back to "Example CA", which is not trusted: set tls.ca to the certificate of that authority (it is not set)'
const STEPS: DiagnosisStep[] = [
  { step: 'resolve', ok: true, ms: 2.4, message: 'b-1:9093: b-1 is 10.0.0.7, 10.0.0.8' },
  { step: 'tcp', ok: true, ms: 0.3, message: 'b-1:9093: 10.0.0.7 takes connections (of 2 addresses)' },
  { step: 'tls', ok: false, ms: 12_345, message: LONG, code: 'CERTIFICATE_UNTRUSTED' },
]
const FINE = STEPS.slice(0, 2)

interface Seen {
  readonly code: number
  readonly lines: string[]
  readonly asked: unknown[]
}

async function run(steps: readonly DiagnosisStep[], more: object = {}, terminal = {}): Promise<Seen> {
  const [lines, asked]: [string[], unknown[]] = [[], []]
  const diagnose: Diagnose = async function* (options, target) {
    const { logger, ...rest } = options
    expect(typeof logger?.warn).toBe('function')
    asked.push(rest, target)
    for (const step of steps) {
      const before = lines.length
      yield await Promise.resolve(step)
      // It is told before the next one begins.
      expect(lines.length).toBeGreaterThan(before)
    }
  }
  const code = await check({ brokers: 'b-1:9093', ...more }, diagnose, { terminal, print: (line) => lines.push(line) })
  return { code, lines, asked }
}

describe('headrace check', () => {
  test('a line per step, what is wrong below it, and a verdict', async () => {
    expect((await run(STEPS)).lines).toEqual([
      'b-1:9093',
      'ok          2 ms  resolve        b-1 is 10.0.0.7, 10.0.0.8',
      'ok         <1 ms  tcp            10.0.0.7 takes connections (of 2 addresses)',
      'FAILED    12.3 s  tls            CERTIFICATE_UNTRUSTED',
      '        the broker\'s certificate goes back to "Example CA", which is not',
      '        trusted: set --tls-ca to the certificate of that authority (it is not',
      '        set)',
      'FAILED: 1 of 3 steps: tls (CERTIFICATE_UNTRUSTED).',
    ])
  })

  test('each address is a heading', async () => {
    const other = {
      step: 'resolve',
      ok: true,
      ms: 1,
      message: '[::1]:9093: it is an address, there is no name to resolve',
    }
    const topic = { step: 'topic', ok: true, ms: 1, message: 'topic "orders" has 3 partitions: 0: b-1:9093: yes' }
    expect((await run([...FINE, other, topic])).lines.slice(3, -2)).toEqual([
      '[::1]:9093',
      'ok          1 ms  resolve        it is an address, there is no name to resolve',
      'ok          1 ms  topic          topic "orders" has 3 partitions: 0: b-1:9093:',
      '                                 yes',
    ])
  })

  test('a long name of a step takes the room that it needs', async () => {
    const step = 'broker 1 at kafka-1.eu-west-1.example.com:9092'
    const { lines } = await run([{ step, ok: true, ms: 4, message: 'broker 1 can be reached' }])
    expect(lines.slice(0, 2)).toEqual([`ok          4 ms  ${step}`, '        broker 1 can be reached'])
  })

  test('when all is well', async () => {
    expect((await run(FINE)).lines.slice(-2)).toEqual([
      'ALL IS WELL: the cluster can be used (2 steps, 0.003 s). With --topic NAME a',
      'topic is looked at, too.',
    ])
    const { lines, asked, code } = await run(FINE, { topic: 'orders' })
    expect(lines.at(-1)).toBe('ALL IS WELL: nothing is in the way of records to "orders" (2 steps, 0.003 s).')
    expect(asked).toEqual([{ brokers: 'b-1:9093', clientId: 'headrace-cli' }, { topic: 'orders' }])
    expect(code).toBe(0)
  })

  test('what is to be warned of is no failure', async () => {
    const warning = { step: 'tls', ok: true, ms: 5, message: 'it expires in 3 days', code: 'CERTIFICATE_EXPIRES' }
    const { lines, code } = await run([...FINE, warning], { topic: 't' })
    expect(lines.slice(-4)).toEqual([
      'WARN        5 ms  tls            CERTIFICATE_EXPIRES',
      '        it expires in 3 days',
      'ALL IS WELL: nothing is in the way of records to "t" (3 steps, 0.008 s, 1',
      'warning).',
    ])
    expect(code).toBe(0)
  })

  test.each([40, 60, 100, 300])('fits a terminal with %i columns', async (columns) => {
    const { lines } = await run(STEPS, {}, { columns })
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(Math.min(columns, 110))
    expect(lines.join(' ').replaceAll(/\s+/g, ' ')).toContain('b-1 is 10.0.0.7, 10.0.0.8')
  })

  test('the code stands once, and a peer cannot move the cursor', async () => {
    const message = 'b-1:1: UNKNOWN_TOPIC_OR_PARTITION (3): no \u001b[2J\u202etopic\nTry another.'
    const { lines } = await run([
      { step: 'to\u0007pic', ok: false, ms: 1, message, code: 'UNKNOWN_TOPIC_OR_PARTITION' },
    ])
    expect(lines.slice(0, 4)).toEqual([
      'b-1:1',
      'FAILED      1 ms  to?pic         UNKNOWN_TOPIC_OR_PARTITION',
      '        no ?[2J?topic',
      '        Try another.',
    ])
  })

  test('colours on a terminal only', async () => {
    const { lines } = await run(STEPS, {}, { isTTY: true, columns: 80 })
    const isPlain = (process.env['NO_COLOR'] ?? '') !== '' || process.env['TERM'] === 'dumb'
    expect(lines.join('').includes('\u001b[')).toBe(!isPlain)
    expect((await run(STEPS)).lines.join('')).not.toContain('\u001b[')
  })

  test('--json: a document per step, and nothing else', async () => {
    const { lines, code } = await run(STEPS, { json: true })
    const told = STEPS.map((step) => ({ ...step, message: step.message.replace('tls.ca', '--tls-ca') }))
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(told)
    expect(code).toBe(3)
  })

  test('errors of the options are those of the command line', async () => {
    const failing = (error: Error): Diagnose =>
      async function* () {
        await Promise.reject(error)
      }
    const asked = (error: Error): Promise<unknown> =>
      check({ brokers: 'a:1' }, failing(error), { terminal: {}, print: () => undefined }).catch(
        (caught: unknown) => caught,
      )
    const usage = await asked(new OptionError('INVALID_OPTIONS', 'Producer: INVALID_OPTIONS: brokers: no port'))
    expect(usage).toBeInstanceOf(UsageError)
    expect((usage as Error).message).toBe('--brokers: no port')
    const broken = await asked(new ConnectionError('TLS_FAILED', 'a:1: TLS_FAILED: not in tls.ca'))
    expect(broken).toBeInstanceOf(SpokenError)
    expect((broken as Error).message).toContain('not in --tls-ca')
  })
})

describe('its exit code', () => {
  test.each<[{ step: string; code?: string }[], number]>([
    [[], 0],
    [[{ step: 'tls', code: 'CERTIFICATE_EXPIRED' }], 3],
    [[{ step: 'sasl', code: 'SASL_AUTHENTICATION_FAILED' }], 3],
    [[{ step: 'tcp' }], 3],
    [[{ step: 'topic', code: 'CONNECTION_CLOSED' }], 3],
    [[{ step: 'topic', code: 'LEADER_NOT_AVAILABLE' }], 1],
    [[{ step: 'authorization', code: 'CLUSTER_AUTHORIZATION_FAILED' }], 1],
    [[{ step: 'topic', code: 'UNKNOWN_TOPIC_OR_PARTITION' }], 1],
    [[{ step: 'authorization', code: 'TOPIC_AUTHORIZATION_FAILED' }], 1],
    [
      [
        { step: 'topic', code: 'UNKNOWN_TOPIC_OR_PARTITION' },
        { step: 'tcp', code: 'CONNECTION_REFUSED' },
      ],
      3,
    ],
  ])('of %j is %i', (failed, code) => {
    expect(exitCodeFor(failed)).toBe(code)
  })
})
