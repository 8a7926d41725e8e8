import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { OptionError, Producer, type ProducerOptions } from '../../src/index.ts'
import { TestCluster } from '../../src/testing/test-cluster.ts'
import { TlsSettings } from '../../src/tls/tls-settings.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { brokerOf, closeLater, failureOf, guardTests, PLAIN, producerOf, SCRAM, SCRAM_USER } from './harness.ts'
import { NOTHING, OLD_KEYS, scramLogin } from './scripted-broker.ts'

/** Rules of security that no other file holds. */

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
/** What names of objects in JavaScript have of their own. */
const BUILT_INS = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', 'prototype']

guardTests()

describe('a login', () => {
  it('SaslHandshake is asked in v1, SaslAuthenticate in the newest common version; bare tokens only without it', async () => {
    const newer = await brokerOf({ login: () => scramLogin(SCRAM_USER) })
    await producerOf(newer.address, { sasl: SCRAM }).connect()
    const versions = newer.seen.map(({ api, version }) => `${api} v${version}`)
    expect(versions.slice(1, 4)).toEqual(['SaslHandshake v1', 'SaslAuthenticate v2', 'SaslAuthenticate v2'])
    const older = await brokerOf({ apiKeys: OLD_KEYS, login: () => scramLogin(SCRAM_USER) })
    await producerOf(older.address, { sasl: SCRAM }).connect()
    expect(older.seen.slice(1, 4).map(({ api, version }) => (api === 'token' ? api : `${api} v${version}`))).toEqual([
      'SaslHandshake v0',
      'token',
      'token',
    ])
  })

  it('before the login is done no frame is over 1 MiB: the length is enough to end it', async () => {
    const length = Buffer.alloc(4)
    length.writeInt32BE(1024 * 1024 + 1)
    const broker = await brokerOf({
      script({ api }, { socket }) {
        if (api !== 'SaslAuthenticate') return null
        socket.write(length)
        return NOTHING
      },
    })
    expect(await failureOf(producerOf(broker.address, { sasl: PLAIN }).connect())).toMatchObject({
      code: 'INVALID_FRAME',
    })
  })
})

describe('options', () => {
  it('TLS below 1.2 cannot be asked for', () => {
    for (const given of [{ minVersion: 'TLSv1.1' }, { minVersion: 'TLSv1' }, { maxVersion: 'TLSv1.1' }]) {
      expect(() => new TlsSettings(given, 'tls')).toThrow(/expected 'TLSv1.2' or 'TLSv1.3'/)
    }
    expect(() => new TlsSettings({ secureProtocol: 'TLSv1_method' }, 'tls')).toThrow(OptionError)
    expect(new TlsSettings({ minVersion: 'TLSv1.3' }, 'tls').connectOptions('b').rejectUnauthorized).toBe(true)
  })

  it.each(['', 'sasl', 'tls'])('__proto__ in options that JSON gave is an unknown option (%s)', (section) => {
    const own = { brokers: '127.0.0.1:9092', sasl: { ...PLAIN }, tls: {} }
    const poison = JSON.parse(
      '{"__proto__":{"isPolluted":true},"constructor":{"prototype":{"isPolluted":true}}}',
    ) as object
    const within = section === '' ? own : own[section as 'sasl']
    for (const name of ['__proto__', 'constructor']) {
      const value = (Object.getOwnPropertyDescriptor(poison, name) ?? {}).value as unknown
      Object.defineProperty(within, name, { value, enumerable: true, configurable: true })
      expect(() => new Producer(own as ProducerOptions)).toThrow(`${name}: unknown option`)
      Reflect.deleteProperty(within, name)
    }
    expect({}).not.toHaveProperty('isPolluted')
  })
})

it('names like those of built-ins are names, of topics, of headers, of what is left out', async () => {
  const cluster = await TestCluster.start({ topics: Object.fromEntries([['other', 1]]) })
  closeLater(() => cluster.close())
  const producer = new Producer({ brokers: cluster.bootstrap }, new FakeClock())
  closeLater(() => producer.close({ timeoutMs: 0 }).catch(() => undefined))
  for (const topic of BUILT_INS) {
    const headers = Object.defineProperty({ a: '1' }, topic, { value: 'x', enumerable: true }) as Record<string, string>
    const { topic: written } = await producer.send({ topic, value: topic, key: topic, headers })
    expect(written).toBe(topic)
    const [record] = cluster.records(topic)
    expect(record?.value?.toString()).toBe(topic)
    expect(record?.headers.map(([name, value]) => `${name}=${String(value)}`)).toContain(`${topic}=x`)
  }
  expect(Object.keys(Object.prototype)).toEqual([])
  expect(({} as Record<string, unknown>)['x']).toBeUndefined()
})

describe('what is written in the sources', () => {
  const files = readdirSync(`${ROOT}/src`, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
  const sources = files.map((name) => ({ name, text: withoutComments(readFileSync(`${ROOT}/src/${name}`, 'utf8')) }))
  const having = (pattern: RegExp): string[] => sources.flatMap(({ name, text }) => (pattern.test(text) ? [name] : []))

  it('no code is made of text, and no module chosen by an option', () => {
    expect(sources.length).toBeGreaterThan(100)
    expect(having(/\beval\s*\(|\bnew Function\b|\bFunction\s*\(|node:vm|setTimeout\(\s*['"`]/)).toEqual([])
    // Codecs: their packages are constants.
    expect(having(/\brequire\s*\(|\bcreateRequire\b|\bimport\s*\(\s*[^'")]/)).toEqual([
      'compression/codec-sources.ts',
      'destination/mapping/liquid.ts',
      'output/serialize/avsc.ts',
    ])
    expect(having(/node:child_process/).filter((name) => !name.startsWith('cli/'))).toEqual([])
    // The library reads no file; the command line reads those that it is told.
    expect(having(/node:fs/).filter((name) => !name.startsWith('cli/'))).toEqual([])
  })

  it('what proves a broker is compared by timingSafeEqual', () => {
    expect(having(/timingSafeEqual\(/)).toContain('sasl/scram-messages.ts')
    expect(having(/serverSignature\s*[!=]==/)).toEqual([])
  })

  it('no environment variable weakens anything', () => {
    expect(having(/NODE_TLS_REJECT_UNAUTHORIZED|NODE_EXTRA_CA_CERTS|KEYLOG/)).toEqual([])
    const library = having(/process\.env/).filter((name) => !name.startsWith('cli/'))
    // AWS's own variables, where no credentials are given; Azure's, which say where the identity of a service is had.
    expect(library.sort()).toEqual(['output/key-vault/vault.ts', 'sasl/mechanism.ts'])
  })
})

it('the package depends on nothing', () => {
  const manifest = JSON.parse(readFileSync(`${ROOT}/package.json`, 'utf8')) as Record<string, unknown>
  expect(manifest).not.toHaveProperty('dependencies')
  expect(manifest).not.toHaveProperty('optionalDependencies')
  const scripts = Object.keys(manifest['scripts'] as object)
  expect(scripts.filter((name) => /install|prepare/.test(name))).toEqual([])
})

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|\s)\/\/ .*$/gm, '')
}
