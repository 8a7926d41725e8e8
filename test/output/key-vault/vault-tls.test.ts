import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createVault } from '../../../src/output/key-vault/vault.ts'
import { VaultTls, type VaultRefresh, type VaultTlsOptions } from '../../../src/output/key-vault/vault-tls.ts'
import { tlsSource } from '../../../src/tls/tls-settings.ts'
import { expectNoSecret } from '../../support/canary.ts'
import { FakeClock, until } from '../../support/fake-clock.ts'
import { FakeVault, vaultError, type VaultFault } from '../../support/fake-vault.ts'
import { Authority, type Issued } from '../../support/tls/authority.ts'
import { settings, vaultErrorOf } from './support.ts'

const HOUR_MS = 3_600_000

let root: Authority
let first: Issued
let second: Issued
let clock: FakeClock
let fake: FakeVault
let told: VaultRefresh[]

/** The certificates are of today, whatever the fake clock says of monotonic time. */
class ClockOfToday extends FakeClock {
  readonly #startMs = Date.now() - this.now()

  override wallNow(): number {
    return this.#startMs + this.now()
  }
}

beforeAll(async () => {
  root = await Authority.root('vault root')
  first = await root.issue({ usage: 'clientAuth' })
  second = await root.issue({ usage: 'clientAuth' })
})
afterAll(() => root.remove())

beforeEach(async () => {
  clock = new ClockOfToday()
  told = []
  fake = new FakeVault(() => clock.wallNow())
  await fake.listen()
  fake.set('ca', root.cert)
  fake.set('own', first.cert + first.key)
})
afterEach(() => fake.close())

function tlsWith(given: object = {}): VaultTls {
  const checked = settings({ clientCertificateSecret: 'own', ...given })
  const vault = createVault(checked, { fetch: fake.fetch, clock, env: {} })
  return new VaultTls(checked, vault, { clock, onRefresh: (refresh) => told.push(refresh) })
}

function read(tls: VaultTls): Promise<VaultTlsOptions> {
  return fake.settle(clock, tls.options())
}

describe('tls from the vault', () => {
  it('is made of both secrets, read once for all connections', async () => {
    const tls = tlsWith()
    const [options] = await fake.settle(clock, Promise.all([tls.options(), tls.options(), tls.options()]))
    expect(options).toEqual({ ca: [root.cert], cert: first.cert, key: first.key })
    expect(fake.requestsTo()).toHaveLength(2)
    expectNoSecret(tls)
  })

  it('is made of what is named', async () => {
    expect(Object.keys(await read(tlsWith({ truststoreSecret: undefined })))).toEqual(['cert', 'key'])
    expect(Object.keys(await read(tlsWith({ clientCertificateSecret: undefined })))).toEqual(['ca'])
  })

  it('fails while it cannot be had, and is there as soon as it can', async () => {
    fake.delete('own')
    const tls = tlsWith()
    expect((await vaultErrorOf(read(tls))).code).toBe('SECRET_DELETED')
    fake.set('own', first.cert + other(first.key))
    expect((await vaultErrorOf(read(tls))).code).toBe('PEM_INVALID')
    fake.set('own', first.cert + first.key)
    expect((await read(tls)).key).toBe(first.key)
    expect(told).toEqual([])
  })

  it('stays as it is for ever, without the option', async () => {
    const tls = tlsWith()
    await read(tls)
    fake.set('own', second.cert + second.key)
    await clock.advance(1000 * HOUR_MS)
    expect((await read(tls)).key).toBe(first.key)
    expect(fake.requestsTo()).toHaveLength(2)
  })

  it('changes with the version of a secret, after the interval and not before', async () => {
    const tls = tlsWith({ refreshIntervalMs: HOUR_MS })
    const before = await read(tls)
    const version = fake.set('own', second.cert + second.key)
    await clock.advance(HOUR_MS - 5000)
    expect(await read(tls)).toBe(before)
    await clock.advance(5000)
    expect((await read(tls)).key).toBe(second.key)
    expect(told).toMatchObject([{ kind: 'renewed', versions: { own: version } }])
    expectNoSecret(told)
    await clock.advance(HOUR_MS)
    await read(tls)
    expect(told).toHaveLength(1)
    expect(fake.requestsTo()).toHaveLength(6)
  })

  it('is looked at once, and told once, for all connections that are made at the same time', async () => {
    const tls = tlsWith({ refreshIntervalMs: HOUR_MS })
    await read(tls)
    fake.set('own', second.cert + second.key)
    await clock.advance(HOUR_MS)
    const all = await fake.settle(clock, Promise.all([tls.options(), tls.options(), tls.options()]))
    expect(all.map(({ key }) => key)).toEqual([second.key, second.key, second.key])
    expect(told).toHaveLength(1)
  })

  it("is what a producer's option tls takes", async () => {
    const tls = tlsWith()
    const source = tlsSource(() => fake.settle(clock, tls.options()))
    expect(await source('broker:9093')).toMatchObject({ hasClientCertificate: true, authorities: ['vault root'] })
  })

  it('stays as it is if what is new cannot be used, and says so', async () => {
    const tls = tlsWith({ refreshIntervalMs: HOUR_MS })
    const before = await read(tls)
    fake.set('own', first.cert + second.key)
    await clock.advance(HOUR_MS)
    expect(await read(tls)).toBe(before)
    expect(told).toMatchObject([{ kind: 'failed', error: { code: 'KEY_MISMATCH' } }])
    expectNoSecret(told)
    expect(await read(tls)).toBe(before)
    expect(told).toHaveLength(1)
    fake.set('own', second.cert + second.key)
    await clock.advance(HOUR_MS)
    expect((await read(tls)).key).toBe(second.key)
  })

  it('does not hold up a connection for longer than two seconds while there is an old one', async () => {
    const tls = tlsWith({ refreshIntervalMs: HOUR_MS })
    const before = await read(tls)
    await clock.advance(HOUR_MS)
    fake.faults.vault.push(...Array<VaultFault>(20).fill('silence'))
    const startMs = clock.now()
    expect(await read(tls)).toBe(before)
    expect(clock.now() - startMs).toBe(2000)
    await fake.settle(
      clock,
      until(() => told.length > 0, 'a failed refresh'),
    )
    expect(told).toMatchObject([{ kind: 'failed', error: { code: 'VAULT_UNREACHABLE' } }])
    expect(clock.now() - startMs).toBeLessThanOrEqual(30_000)
  })

  it('outlives a listener that throws, and a vault that refuses', async () => {
    const checked = settings({ refreshIntervalMs: HOUR_MS })
    const vault = createVault(checked, { fetch: fake.fetch, clock, env: {} })
    const tls = new VaultTls(checked, vault, {
      clock,
      onRefresh: () => {
        throw new Error('mine')
      },
    })
    const before = await read(tls)
    await clock.advance(HOUR_MS)
    fake.faults.vault.push(vaultError(403, 'Forbidden'))
    expect(await read(tls)).toBe(before)
  })
})

/** The same key, damaged. */
function other(key: string): string {
  return key.replace(/\n[^-\n]{20}/, '\n')
}
