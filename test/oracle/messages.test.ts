import { afterAll, beforeAll, expect, it } from 'vitest'
import { apis } from '../../src/protocol/apis.ts'
import type { Direction } from '../../src/protocol/layout.ts'
import type { Api } from '../../src/protocol/schema.ts'
import { versionsOf } from '../support/arbitraries.ts'
import { startOracle, VERSION_BEFORE_DROPS, type Oracle } from '../support/kafka/java-oracle.ts'
import { describeBrokers } from '../support/kafka/require-brokers.ts'
import { NEWEST_VERSION } from '../support/kafka/versions.ts'
import { disagreement, Tally, VALUES } from './comparison.ts'
import { kafkaRange, type VersionSpan } from './definitions.ts'

const DIRECTIONS = ['request', 'response'] as const satisfies readonly Direction[]

describeBrokers("messages by Kafka's own classes", () => {
  const tally = new Tally()
  const oracles = new Map<string, Oracle>()
  const ranges = new Map<string, VersionSpan>()

  /** The newest Kafka that still has this version. */
  function judgeOf(api: Api, version: number): { oracle: Oracle; range: VersionSpan } {
    for (const kafka of [NEWEST_VERSION, VERSION_BEFORE_DROPS]) {
      const range = ranges.get(`${kafka} ${api.name}`)
      const oracle = oracles.get(kafka)
      if (range && oracle && version >= range.min && version <= range.max) return { oracle, range }
    }
    throw new Error(`neither Kafka ${NEWEST_VERSION} nor ${VERSION_BEFORE_DROPS} has ${api.name} v${version}`)
  }

  beforeAll(async () => {
    for (const kafka of [NEWEST_VERSION, VERSION_BEFORE_DROPS]) {
      const oracle = await startOracle(kafka)
      oracles.set(kafka, oracle)
      for (const { name } of apis) ranges.set(`${kafka} ${name}`, await kafkaRange(oracle, name))
    }
  })

  afterAll(async () => {
    tally.print('messages')
    for (const oracle of oracles.values()) await oracle.close()
  })

  for (const api of apis as readonly Api[]) {
    for (const version of versionsOf(api)) {
      for (const direction of DIRECTIONS) {
        const message = `${api.name} v${version} ${direction}`

        it(`${message}: the same bytes, and the same values out of them`, async () => {
          const { oracle } = judgeOf(api, version)
          const subject = { api, direction, version, valuesOf: version }
          expect(await disagreement(subject, VALUES, oracle, tally)).toBeNull()
        })

        it(`${message}, of values of other versions: the same bytes, or refused by both`, async () => {
          const { oracle, range } = judgeOf(api, version)
          const count = Math.ceil(VALUES / 10)
          for (const valuesOf of otherVersions(api, version, range)) {
            expect(await disagreement({ api, direction, version, valuesOf }, count, oracle, tally)).toBeNull()
          }
        })
      }
    }
  }
})

/** The neighbours of a version, and the first and the last, as far as Kafka's classes have them. */
function otherVersions(api: Api, version: number, { min, max }: VersionSpan): number[] {
  const [first, last] = [Math.max(min, api.minVersion), Math.min(max, api.maxVersion)]
  const others = new Set([first, version - 1, version + 1, last])
  return [...others].filter((other) => other !== version && other >= first && other <= last)
}
