import { describe, expect, it } from 'vitest'
import { Refusal } from '../../src/sasl/exchange.ts'
import { createMechanism, type Mechanism } from '../../src/sasl/mechanism.ts'
import { resolveSasl } from '../../src/sasl/options.ts'
import { FakeClock, turns } from '../support/fake-clock.ts'
import { converse, messageOf } from './conversation.ts'
import { canarySecret, leaksIn } from '../support/canary.ts'
import { ScramServer } from './scram-server.ts'

const CANARY = canarySecret('password, token, key')
const HOST = 'b-1.demo.abcdef.c2.kafka.eu-west-1.amazonaws.com'
const inputs = {
  PLAIN: { mechanism: 'plain', username: 'alice', password: CANARY },
  'SCRAM-SHA-256': { mechanism: 'scram-sha-256', username: 'alice', password: CANARY },
  'SCRAM-SHA-512': { mechanism: 'scram-sha-512', username: 'alice', password: CANARY },
  OAUTHBEARER: { mechanism: 'oauthbearer', token: CANARY },
  AWS_MSK_IAM: { mechanism: 'aws-msk-iam', credentials: { accessKeyId: 'AKID', secretAccessKey: CANARY } },
} as const

function mechanismOf(input: object, clock = new FakeClock()): Mechanism {
  return createMechanism(resolveSasl(input), { clock, env: {} })
}

describe.each(Object.entries(inputs))('%s', (name, input) => {
  const mechanism = mechanismOf(input)

  it('has the name of SaslHandshake, the user, and what it exposes', () => {
    const exposure = { PLAIN: 'secret', OAUTHBEARER: 'secret', AWS_MSK_IAM: 'tls' }[name] ?? 'none'
    expect(mechanism).toMatchObject({ name, exposure, user: 'username' in input ? 'alice' : null })
  })

  it('shows no secret', () => {
    expect(leaksIn(mechanism, [CANARY])).toEqual([])
  })

  it('gives errors without secret, whatever the broker does', async () => {
    const answers = [new Refusal(58, `wrong ${CANARY}`), new Refusal(58, null), '\0', CANARY, `{"status":"${CANARY}"}`]
    for (const answer of [...answers, `e=${CANARY}`, `r=${CANARY},s=QUJD,i=4096`, Buffer.alloc(70_000), '']) {
      const { error } = await converse(mechanism.begin({ host: HOST }), [answer, new Refusal(58, CANARY)])
      expect(leaksIn(error, [CANARY])).toEqual([])
    }
  })
})

describe('a mechanism', () => {
  it('of SCRAM logs in with its hash', async () => {
    for (const hash of ['sha256', 'sha512'] as const) {
      const server = new ScramServer({
        hash,
        user: 'alice',
        password: CANARY,
        salt: Buffer.from('salt'),
        iterations: 4096,
      })
      const mechanism = mechanismOf(inputs[hash === 'sha256' ? 'SCRAM-SHA-256' : 'SCRAM-SHA-512'])
      const exchange = mechanism.begin({ host: HOST })
      const { error } = await converse(exchange, [(said) => server.first(said), (said) => server.final(said)])
      expect([error, server.isIn]).toEqual([null, true])
    }
  })

  it('of AWS signs the name of the broker it is begun for', async () => {
    const { said } = await converse(mechanismOf(inputs.AWS_MSK_IAM).begin({ host: HOST }), [''])
    expect(JSON.parse(String(said[0]))).toMatchObject({
      host: HOST,
      'user-agent': expect.stringMatching(/^headrace\/\d/),
    })
  })

  it('asks a function for the password at each login', async () => {
    const passwords = ['first', 'second']
    const mechanism = mechanismOf({ ...inputs.PLAIN, password: () => Promise.resolve(passwords.shift()) })
    const said: string[] = []
    for (let i = 0; i < 2; i++) said.push(String((await converse(mechanism.begin({ host: HOST }), [''])).said))
    expect(said).toEqual(['\0alice\0first', '\0alice\0second'])
  })

  it.each<[string, () => unknown, RegExp, boolean]>([
    ['gives nothing', () => undefined, /sasl.password: the function gave nothing, not a string/, false],
    ['gives an empty string', () => '', /the function gave an empty string/, false],
    ['gives an object', () => ({ password: CANARY }), /the function gave an object/, false],
    [
      'throws',
      () => {
        throw new Error('vault is sealed')
      },
      /the function failed: vault is sealed/,
      true,
    ],
  ])(
    'fails without a word to the broker if the function for the password %s',
    async (_, password, message, retriable) => {
      for (const mechanism of ['plain', 'scram-sha-256']) {
        const { said, error } = await converse(
          mechanismOf({ ...inputs.PLAIN, mechanism, password }).begin({ host: HOST }),
          [''],
        )
        expect(said).toEqual([])
        expect(messageOf(error)).toMatch(message)
        expect(error).toMatchObject({ retriable })
        expect(leaksIn(error, [CANARY])).toEqual([])
      }
    },
  )

  it('does not wait longer than 30 s for the function for the password', async () => {
    const clock = new FakeClock()
    const mechanism = mechanismOf({ ...inputs.PLAIN, password: () => new Promise(() => undefined) }, clock)
    const failed = converse(mechanism.begin({ host: HOST }), [''])
    await turns(2)
    await clock.advance(30_000)
    expect(messageOf((await failed).error)).toMatch(/not done after 30000 ms/)
  })
})
