import { describe, expect, it } from 'vitest'
import { SaltedPasswords, type SaltedPasswordRequest } from '../../src/sasl/salted-password.ts'
import { turns, until } from '../support/fake-clock.ts'

const REQUEST: SaltedPasswordRequest = { hash: 'sha256', password: 'p', salt: Buffer.from('salt'), iterations: 4096 }

/** Derivations that a test lets go. */
class Derivations {
  readonly begun: SaltedPasswordRequest[] = []
  readonly #ends: ((outcome: Buffer | Error) => void)[] = []
  readonly derive = (request: SaltedPasswordRequest): Promise<Buffer> => {
    this.begun.push(request)
    return new Promise((resolve, reject) => {
      this.#ends.push((outcome) => (outcome instanceof Error ? reject(outcome) : resolve(outcome)))
    })
  }
  async end(outcome: Buffer | Error = Buffer.alloc(32, this.begun.length)): Promise<void> {
    await until(() => this.#ends.length > 0, 'a derivation')
    this.#ends.shift()?.(outcome)
    await turns(1)
  }
}

describe('salted passwords', () => {
  it('are computed one at a time', async () => {
    const derivations = new Derivations()
    const passwords = new SaltedPasswords(derivations.derive)
    const all = ['a', 'b', 'c'].map((password) => passwords.get({ ...REQUEST, password }))
    for (let i = 1; i <= 3; i++) {
      await turns(2)
      expect(derivations.begun.map(({ password }) => password)).toEqual(['a', 'b', 'c'].slice(0, i))
      await derivations.end()
    }
    await Promise.all(all)
  })

  it('are computed once for all who ask at the same time, and later', async () => {
    const derivations = new Derivations()
    const passwords = new SaltedPasswords(derivations.derive)
    const both = [passwords.get(REQUEST), passwords.get(REQUEST)]
    await derivations.end(Buffer.from('salted'))
    const all = [...(await Promise.all(both)), await passwords.get({ ...REQUEST, salt: Buffer.from('salt') })]
    expect(all.map(String)).toEqual(['salted', 'salted', 'salted'])
    expect(derivations.begun).toHaveLength(1)
  })

  it('are others for another hash, salt, number of iterations or password', async () => {
    let count = 0
    const passwords = new SaltedPasswords(() => Promise.resolve(Buffer.of(++count)))
    const others: SaltedPasswordRequest[] = [
      ...[REQUEST, { ...REQUEST, hash: 'sha512' as const }, { ...REQUEST, salt: Buffer.from('Salt') }],
      ...[
        { ...REQUEST, iterations: 4097 },
        { ...REQUEST, password: 'P' },
      ],
    ]
    for (const request of [...others, ...others]) await passwords.get(request)
    expect(count).toBe(others.length)
  })

  it('are copies: what one login wipes the next one still has', async () => {
    const passwords = new SaltedPasswords(() => Promise.resolve(Buffer.from('salted')))
    for (let i = 0; i < 3; i++) {
      const salted = await passwords.get(REQUEST)
      expect(String(salted)).toBe('salted')
      salted.fill(0)
    }
  })

  it('are not computed for who has given up, and do not hold up the next', async () => {
    const derivations = new Derivations()
    const passwords = new SaltedPasswords(derivations.derive)
    const first = passwords.get(REQUEST)
    const reason = new Error('deadline')
    const ending = new AbortController()
    const second = passwords.get({ ...REQUEST, password: 'b' }, ending.signal)
    const third = passwords.get({ ...REQUEST, password: 'c' })
    const refused = expect(second).rejects.toBe(reason)
    ending.abort(reason)
    await derivations.end()
    await derivations.end()
    await Promise.all([first, refused, third])
    expect(derivations.begun.map(({ password }) => password)).toEqual(['p', 'c'])
  })

  it('are not remembered when they fail', async () => {
    const derivations = new Derivations()
    const passwords = new SaltedPasswords(derivations.derive)
    const failed = passwords.get(REQUEST)
    const error = new Error('no thread')
    await Promise.all([expect(failed).rejects.toBe(error), derivations.end(error)])
    const again = passwords.get(REQUEST)
    await derivations.end(Buffer.from('x'))
    expect(String(await again)).toBe('x')
  })

  it('are forgotten, the least used first, beyond a hundred', async () => {
    const begun: string[] = []
    const passwords = new SaltedPasswords(({ password }) => {
      begun.push(password)
      return Promise.resolve(Buffer.from(password))
    })
    const get = (i: number) => passwords.get({ ...REQUEST, password: String(i) })
    for (let i = 0; i < 100; i++) await get(i)
    await get(0)
    await get(100)
    await get(0)
    expect(begun).toHaveLength(101)
    await get(1)
    expect(begun.slice(101)).toEqual(['1'])
  })
})
