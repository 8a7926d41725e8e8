import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { settingsKey } from '../../../src/destination/settings/settings-key.ts'
import { expectNoSecret } from '../../support/canary.ts'
import { aws, plain } from './valid-settings.ts'

describe('settingsKey', () => {
  test('does not depend on the order of the settings', () => {
    const entries = Object.entries({ ...plain, ssl_enabled: true, ssl_ca: 'x', accessKeyId: 'y' })
    const shuffled = fc.shuffledSubarray(entries, { minLength: entries.length })
    fc.assert(
      fc.property(shuffled, (some) => {
        expect(settingsKey(Object.fromEntries(some))).toBe(settingsKey(Object.fromEntries(entries)))
      }),
    )
  })

  const certificate = { ...plain, mechanism: 'client-cert-auth', ssl_cert: 'c', ssl_key: 'k' }
  const plaintext = { ...plain, ssl_enabled: false }

  test.each<[string, object, object]>([
    ['order and spaces of the brokers', { ...plain, brokers: 'a:1,b:2' }, { ...plain, brokers: ' b:2 , a:1,,a:1' }],
    ['switches left out', plain, { ...plain, ssl_enabled: true, ssl_reject_unauthorized_ca: 'true' }],
    ['empty and missing', plain, { ...plain, ssl_ca: '', accessKeyId: null, nobodyKnows: 1 }],
    ['white space around PEM', { ...plain, ssl_ca: 'x' }, { ...plain, ssl_ca: ' x\n' }],
    ['fields of another mechanism', plain, { ...plain, secretAccessKey: 'k', ssl_key: 'k', ssl_cert: 'c' }],
    ['TLS that is off', plaintext, { ...plaintext, ssl_ca: 'x', ssl_reject_unauthorized_ca: false }],
  ])('is the same: %s', (_, one, other) => {
    expect(settingsKey(one)).toBe(settingsKey(other))
  })

  test('differs with everything that has an effect', () => {
    const all = [
      plain,
      { ...plain, clientId: 'b' },
      { ...plain, brokers: 'b:1' },
      { ...plain, brokers: 'b:1,c:1' },
      { ...plain, mechanism: 'scram-sha-256' },
      { ...plain, username: 'b' },
      { ...plain, password: 'b' },
      { ...plain, password: 'b ' },
      plaintext,
      { ...plain, ssl_ca: 'x' },
      { ...plain, ssl_reject_unauthorized_ca: false },
      aws,
      { ...aws, accessKeyId: 'b' },
      { ...aws, secretAccessKey: 'b' },
      { ...aws, authorizationIdentity: 'b' },
      certificate,
      { ...certificate, ssl_cert: 'd' },
      { ...certificate, ssl_key: 'd' },
      { ...certificate, ssl_cert: 'k', ssl_key: 'c' },
      {},
    ]
    expect(new Set(all.map(settingsKey)).size).toBe(all.length)
  })

  test('settings cannot be made to look like others: what is in one field stays there', () => {
    const text = fc.string({ unit: fc.constantFrom('"', ',', ':', '\\', 'a') })
    fc.assert(
      fc.property(text, text, text, text, (a, b, c, d) => {
        const keys = [
          settingsKey({ ...plain, username: a, password: b }),
          settingsKey({ ...plain, username: c, password: d }),
        ]
        expect(keys[0] === keys[1]).toBe(a === c && b === d)
      }),
    )
  })

  test('gives nothing away, and is another one in the next process', async () => {
    expectNoSecret([settingsKey(plain), settingsKey(aws)])
    // A module that is loaded anew stands for a process: its random key is another one.
    const anew = (await import(
      /* @vite-ignore */ `../../../src/destination/settings/settings-key.ts?anew=${process.pid}`
    )) as { settingsKey: typeof settingsKey }
    expect(anew.settingsKey).not.toBe(settingsKey)
    expect(anew.settingsKey(plain)).toHaveLength(settingsKey(plain).length)
    expect(anew.settingsKey(plain)).not.toBe(settingsKey(plain))
  })
})
