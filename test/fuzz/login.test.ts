import { describe, expect, it } from 'vitest'
import type { Mechanism } from '../../src/sasl/mechanism.ts'
import { LoginFuzz, loginSubjects, type LoginSubject } from './login-fuzz.ts'

const SECONDS = 15

describe('a login with a broker that lies', () => {
  it('is taken or refused, 5000 times', async () => {
    const { findings, outcomes, executions } = await new LoginFuzz().run(36, { seconds: SECONDS, executions: 5000 })
    expect(findings).toEqual([])
    const names = loginSubjects().map(({ mechanism }) => mechanism.name)
    // Deep enough: each mechanism gets through now and then, and is refused in more than one way.
    const perName = names.map((name) => [...outcomes].filter(([outcome]) => outcome.startsWith(`${name}: `)))
    expect(perName.every((ends) => ends.length >= 6)).toBe(true)
    expect(names.every((name) => (outcomes.get(`${name}: taken`) ?? 0) > executions / 500)).toBe(true)
  })
})

const [plain] = loginSubjects().slice(0, 1) as [LoginSubject]
const scram = loginSubjects().at(-1) as LoginSubject

/** The mechanism with another exchange. */
function changed(subject: LoginSubject, begin: Mechanism['begin']): LoginSubject {
  return { ...subject, mechanism: { ...subject.mechanism, begin } }
}

describe('a planted bug is found:', () => {
  async function found(subject: LoginSubject, executions = 300): Promise<string> {
    const { findings } = await new LoginFuzz([subject], 50).run(1, { seconds: SECONDS, executions })
    return findings[0]?.what ?? 'nothing'
  }

  it('an error that is not ours', async () => {
    const broken = changed(plain, async function* () {
      const answer = yield await Promise.resolve(Buffer.from('x'))
      throw new TypeError(`an answer of ${answer.length} bytes`)
    })
    expect(await found(broken)).toMatch(/^not a KafkaError: TypeError/)
  })

  it('a secret in an error', async () => {
    const [secret = ''] = plain.secrets
    const leaking = changed(plain, async function* () {
      yield await Promise.resolve(Buffer.from('x'))
      throw Object.assign(new RangeError('no'), { secret })
    })
    expect(await found(leaking)).toMatch(/^not a KafkaError/)
    const named = { ...plain, mechanism: { ...plain.mechanism, user: Buffer.from(secret).toString('hex') } }
    expect(await found(named)).toMatch(/^a secret in an error: hex/)
  })

  it('a broker that is believed without proof', async () => {
    const trusting = changed(scram, async function* () {
      yield await Promise.resolve(Buffer.from('n,,n=a,r=x'))
      return {}
    })
    expect(await found(trusting)).toBe('a broker was believed that does not know the password')
  })

  it('a login that never ends', async () => {
    const hanging = changed(scram, async function* () {
      yield await new Promise<Buffer>(() => undefined)
      return {}
    })
    expect(await found(hanging, 4)).toMatch(/never settled/)
  })

  it('a secret that travels readable', async () => {
    const careless = { ...plain, mechanism: { ...plain.mechanism, exposure: 'none' as const } }
    expect(await found(careless)).toBe('a secret went over the network, readable')
  })
})
