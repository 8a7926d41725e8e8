import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { apis } from '../../src/protocol/apis.ts'
import type { Direction } from '../../src/protocol/layout.ts'
import { api as newApi, array, int16, int32, string, struct, type Api } from '../../src/protocol/schema.ts'
import { startOracle, VERSION_BEFORE_DROPS, type Oracle } from '../support/kafka/java-oracle.ts'
import { describeBrokers } from '../support/kafka/require-brokers.ts'
import { NEWEST_VERSION } from '../support/kafka/versions.ts'
import { definitionOf, spanOf, type MessageDefinition } from './definitions.ts'
import { droppedVersions, flexibleFrom, schemaDifferences } from './schema-differences.ts'

/** Versions that Kafka defines and we leave out, with the reason: `{ Produce: { 14: 'unstable' } }`. */
const LEFT_OUT: Readonly<Record<string, Readonly<Record<number, string>>>> = {}

/** Versions that brokers offer only with `unstable.api.versions.enable`, and that may still change. */
const UNSTABLE: Readonly<Record<string, number>> = { InitProducerId: 6 }

describeBrokers("schemas beside Kafka's own definitions", () => {
  const ours: readonly Api[] = apis
  let newest: Oracle
  let older: Oracle

  beforeAll(async () => {
    newest = await startOracle(NEWEST_VERSION)
    older = await startOracle(VERSION_BEFORE_DROPS)
  })

  afterAll(async () => {
    await newest.close()
    await older.close()
  })

  async function definitions(
    api: Api,
    direction: Direction,
  ): Promise<{ newest: MessageDefinition; older: MessageDefinition }> {
    const name = api.name + (direction === 'request' ? 'Request' : 'Response')
    return { newest: await definitionOf(newest, name), older: await definitionOf(older, name) }
  }

  it('are of the same versions', async () => {
    const rows: string[] = []
    for (const api of ours) {
      const { newest, older } = await definitions(api, 'request')
      const before =
        droppedVersions(api, newest).length > 0 ? `, Kafka ${VERSION_BEFORE_DROPS} ${older.validVersions}` : ''
      const flexible = newest.flexibleVersions === 'none' ? 'never flexible' : `flexible ${newest.flexibleVersions}`
      const range = `${api.minVersion}-${api.maxVersion}`
      rows.push(`${api.name} ${range}: Kafka ${NEWEST_VERSION} ${newest.validVersions}${before}, ${flexible}`)
    }
    expect(rows).toEqual([
      'Produce 0-13: Kafka 4.3.1 3-13, Kafka 2.8.2 0-9, flexible 9+',
      'Metadata 0-13: Kafka 4.3.1 0-13, flexible 9+',
      'FindCoordinator 0-6: Kafka 4.3.1 0-6, flexible 3+',
      'SaslHandshake 0-1: Kafka 4.3.1 0-1, never flexible',
      'ApiVersions 0-4: Kafka 4.3.1 0-4, flexible 3+',
      'CreateTopics 0-7: Kafka 4.3.1 2-7, Kafka 2.8.2 0-7, flexible 5+',
      'InitProducerId 0-6: Kafka 4.3.1 0-6, flexible 2+',
      'AddPartitionsToTxn 0-5: Kafka 4.3.1 0-5, flexible 3+',
      'AddOffsetsToTxn 0-4: Kafka 4.3.1 0-4, flexible 3+',
      'EndTxn 0-5: Kafka 4.3.1 0-5, flexible 3+',
      'TxnOffsetCommit 0-5: Kafka 4.3.1 0-5, flexible 3+',
      'DescribeConfigs 0-4: Kafka 4.3.1 1-4, Kafka 2.8.2 0-4, flexible 4+',
      'SaslAuthenticate 0-2: Kafka 4.3.1 0-2, flexible 2+',
      'DescribeCluster 0-2: Kafka 4.3.1 0-2, flexible 0+',
    ])
  })

  for (const api of ours) {
    for (const direction of ['request', 'response'] as const) {
      it(`${api.name} ${direction}: every version that Kafka has`, async () => {
        const both = await definitions(api, direction)
        expect(rangeDifferences(api, both)).toEqual([])
      })

      it(`${api.name} ${direction}: every field`, async () => {
        expect(schemaDifferences(api, direction, await definitions(api, direction))).toEqual([])
      })
    }
  }
})

function rangeDifferences(api: Api, both: { newest: MessageDefinition; older: MessageDefinition }): string[] {
  const newest = spanOf(both.newest.validVersions)
  const older = spanOf(both.older.validVersions)
  const lines: string[] = []
  for (let version = 0; version <= Math.max(newest.max, older.max, api.maxVersion); version++) {
    const isKafkas = (version >= newest.min && version <= newest.max) || (version >= older.min && version <= older.max)
    const isOurs = version >= api.minVersion && version <= api.maxVersion
    const reason = LEFT_OUT[api.name]?.[version]
    if (isKafkas && !isOurs && reason === undefined) lines.push(`${api.name} v${version}: Kafka has it, we do not`)
    if (isOurs && !isKafkas) lines.push(`${api.name} v${version}: we have it, Kafka does not`)
    if (isOurs && reason !== undefined) lines.push(`${api.name} v${version}: left out (${reason}), and yet we have it`)
  }
  const unstable = both.newest.latestVersionUnstable === true ? newest.max : undefined
  // A response does not say it.
  if (unstable !== undefined && UNSTABLE[api.name] !== unstable)
    lines.push(`${api.name} v${unstable}: unstable, unlisted`)
  return lines
}

describe('the comparison', () => {
  const schema = newApi({
    name: 'Thing',
    key: 7,
    versions: [0, 3],
    flexible: 2,
    request: {
      id: int32,
      old: int16.until(0),
      note: string.nullable(1).since(1, null).ignorable(),
      parts: array({ size: int16.default(-1), name: string }).since(2),
      place: struct({ x: int32.default(7) }).tagged(0, 2),
    },
    response: {},
  })
  const fields = [
    { name: 'Id', type: 'int32', versions: '0+' },
    { name: 'Note', type: 'string', versions: '1+', nullableVersions: '0+', default: 'null', ignorable: true },
    { name: 'Parts', type: '[]Part', versions: '2+' },
    {
      ...{ name: 'Place', type: 'Place', versions: '2+', taggedVersions: '2+', tag: 0 },
      fields: [{ name: 'X', type: 'int32', versions: '2+', default: '7' }],
    },
  ]
  const commonStructs = [
    {
      ...{ name: 'Part', versions: '0+' },
      fields: [
        { name: 'Size', type: 'int16', versions: '0+', default: -1 },
        { name: 'Name', type: 'string', versions: '2+' },
      ],
    },
  ]
  const older = {
    ...{ apiKey: 7, validVersions: '0-1', flexibleVersions: '2+' },
    fields: [
      { name: 'Id', type: 'int32', versions: '0+' },
      { name: 'Old', type: 'int16', versions: '0' },
      { name: 'Note', type: 'string', versions: '1+', nullableVersions: '1+', default: 'null' },
    ],
  }
  const newest = { apiKey: 7, validVersions: '1-3', flexibleVersions: '2+', fields, commonStructs }
  const withField = (at: number, change: object) => ({
    ...newest,
    fields: fields.map((field, i) => (i === at ? { ...field, ...change } : field)),
  })

  it('finds nothing where there is nothing', () => {
    expect(schemaDifferences(schema, 'request', { newest, older })).toEqual([])
    expect(rangeDifferences(schema, { newest, older })).toEqual([])
    expect(flexibleFrom({})).toBe(Infinity)
  })

  it.each([
    [{ ...newest, apiKey: 8 }, 'Thing request: key: ours 7, Kafka 8'],
    [{ ...newest, flexibleVersions: '3+' }, 'Thing request: flexible from: ours 2, Kafka 3'],
    [withField(0, { type: 'int64' }), 'Thing request id: type: ours int32, Kafka int64'],
    [withField(0, { versions: '0-2' }), 'Thing request id: versions: ours 0+, Kafka 0-2'],
    [withField(0, { default: 1 }), 'Thing request id: default: ours 0, Kafka 1'],
    [withField(0, { default: 0 }), 'Thing request id: may be left out: ours false, Kafka true'],
    [withField(1, { nullableVersions: '2+' }), 'Thing request note: null in: ours 1+, Kafka 2+'],
    [withField(1, { default: '' }), 'Thing request note: default: ours null, Kafka ""'],
    [withField(1, { ignorable: false }), 'Thing request note: ignorable: ours true, Kafka false'],
    [
      withField(1, { flexibleVersions: 'none' }),
      'Thing request note: has flexibleVersions of its own, which we cannot say',
    ],
    [withField(3, { tag: 1 }), 'Thing request place: tag: ours 0, Kafka 1'],
    [withField(3, { taggedVersions: '3+' }), 'Thing request place: tagged in: ours 2+, Kafka 3+'],
    [
      { ...newest, fields: [...fields, { name: 'New', type: 'bool', versions: '3+' }] },
      'Thing request: fields in order: ours id note parts place, Kafka id note parts place new',
    ],
  ])('names difference %#', (changed, line) => {
    expect(schemaDifferences(schema, 'request', { newest: changed, older })).toContain(line)
  })

  it('asks the older Kafka about what the newest has dropped', () => {
    const changed = {
      ...older,
      fields: older.fields.map((field) => (field.name === 'Id' ? { ...field, type: 'int8' } : field)),
    }
    expect(schemaDifferences(schema, 'request', { newest, older: changed })).toEqual([
      'Thing request: v0: ours [["id","int32",false,-1,[]],["old","int16",false,-1,[]]], ' +
        'Kafka [["id","int8",false,-1,[]],["old","int16",false,-1,[]]]',
    ])
  })

  it('asks it about a field that only dropped versions have', () => {
    const cut = { ...newest, validVersions: '1-3' }
    const other = { ...older, fields: older.fields.map((field) => ({ ...field, ignorable: true })) }
    expect(schemaDifferences(schema, 'request', { newest: cut, older: other })).toEqual([
      'Thing request old: ignorable: ours false, Kafka true',
    ])
    const longer = newApi({
      ...schema,
      versions: [0, 3],
      flexible: 2,
      request: { ...schema.request, old: int16.until(1) },
    })
    expect(schemaDifferences(longer, 'request', { newest, older })).toContain(
      'Thing request old: versions: ours 0-1, Kafka 0',
    )
  })

  it('names versions that only one side has', () => {
    const newer = { ...newest, validVersions: '1-4' }
    expect(rangeDifferences(schema, { newest: newer, older })).toEqual(['Thing v4: Kafka has it, we do not'])
    const shorter = { ...newest, validVersions: '1-2', latestVersionUnstable: true }
    expect(rangeDifferences(schema, { newest: shorter, older })).toEqual([
      'Thing v3: we have it, Kafka does not',
      'Thing v2: unstable, unlisted',
    ])
  })
})
