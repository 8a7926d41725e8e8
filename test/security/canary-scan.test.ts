import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { scanOutput } from '../support/canary-scan.ts'
import {
  CANARY_FOLDER_VARIABLE,
  canarySecret,
  expectNoSecret,
  formsOf,
  leaksIn,
  leaksInText,
} from '../support/canary.ts'

describe('formsOf', () => {
  it('finds a secret in all that was encoded with it, wherever it stands', () => {
    const secret = canarySecret('embedded')
    const found = (text: string): string[] => leaksInText(text, new Map([[secret, 'x']])).map(({ form }) => form)
    for (const before of ['', 'a', 'ab', 'abc', '\0alice\0']) {
      const message = Buffer.from(`${before}${secret}, and more`)
      expect(found(message.toString('base64'))).toContain('base64')
      expect(found(message.toString('base64url'))).toContain('base64url')
      expect(found(message.toString('hex'))).toEqual(['hex'])
      expect(found(encodeURIComponent(message.toString()))).toEqual(['percent-encoded'])
      expect(found(message.toString())).toEqual(['raw'])
    }
    expect(found(Array.from(secret).reverse().join(''))).toEqual(['reversed'])
    expect(found(secret.slice(1))).toEqual([])
  })

  it('has no form so short that it is anywhere', () => {
    expect(formsOf(canarySecret('long')).every(([, form]) => form.length >= 24)).toBe(true)
  })
})

describe('leaksIn', () => {
  it('sees what is hidden in a value, and says so without the secret', () => {
    const secret = canarySecret('hidden')
    const cause = Object.defineProperty(new Error('inside'), 'token', { value: Buffer.from(secret).toString('hex') })
    const values = [
      new Error(`no: ${secret}`),
      new Error('outside', { cause }),
      { deep: [{ map: new Map([['k', { secret }]]) }] },
      { toJSON: () => secret },
      Object.create(null, { secret: { get: () => secret, enumerable: false } }) as object,
    ]
    for (const value of values.slice(0, 4)) {
      expect(leaksIn(value, [secret]).some((leak) => leak.startsWith('hidden, '))).toBe(true)
      expect(leaksInText(leaksIn(value).join(), new Map([[secret, 'x']]))).toEqual([])
      expect(() => expectNoSecret(value, [secret])).toThrow(/hidden/)
    }
    expect(leaksIn({ fine: 'text' }, [secret])).toEqual([])
  })
})

describe('what a run has printed', () => {
  let folder: string

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'headrace-scan-'))
    vi.stubEnv(CANARY_FOLDER_VARIABLE, folder)
  })

  afterEach(() => {
    vi.unstubAllEnvs()
    rmSync(folder, { recursive: true, force: true })
  })

  it('is searched for every secret that a test made known, colours or not', () => {
    const secret = canarySecret('of the run')
    const lines = formsOf(secret).map(([, form]) => `\u001b[31m${form.slice(0, 5)}\u001b[39m${form.slice(5)}`)
    writeFileSync(join(folder, 'unit-tests stderr.log'), ['fine', ...lines].join('\n'))
    const { secrets, leaks } = scanOutput(folder)
    expect(secrets).toBe(1)
    expect(leaks[0]).toBe('unit-tests stderr, line 2: of the run, raw')
    const forms = ['raw', 'hex', 'percent-encoded', 'reversed', 'base64', 'base64url']
    expect(leaks.map((leak) => leak.split(', ').at(-1))).toEqual(forms)
    expect(leaksInText(leaks.join('\n'), new Map([[secret, 'x']]))).toEqual([])
  })

  it('is fine where there is none of them', () => {
    canarySecret('quiet')
    writeFileSync(join(folder, 'unit-tests stdout.log'), 'all is well\n')
    expect(scanOutput(folder)).toEqual({ secrets: 1, bytes: 12, leaks: [] })
  })
})
