import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Metadata, NO_TOPIC_ID, type RecreatedTopic } from '../../src/cluster/metadata.ts'
import type { LeanMetadata, LeanTopic } from '../../src/protocol/metadata-decode.ts'

/** Every topic is asked about. */
const all = (): boolean => true

const ID = 'bGVhZGVyIG9mIHRoZSBwYQ'
const OTHER_ID = 'YW5vdGhlciBsaWZlIG9mIA'

interface PartitionSpec {
  readonly index: number
  readonly leader: number
  readonly epoch: number
}

type TopicAnswer = LeanTopic

function topicOf(name: string, partitions: readonly PartitionSpec[], parts: Partial<TopicAnswer> = {}): TopicAnswer {
  const count = partitions.length
  const leaders = new Int32Array(count).fill(-1)
  const leaderEpochs = new Int32Array(count).fill(-1)
  for (const { index, leader, epoch } of partitions) {
    leaders[index] = leader
    leaderEpochs[index] = epoch
  }
  return { ...{ errorCode: 0, name, topicId: ID, leaders, leaderEpochs }, ...parts }
}

function answerOf(...topics: TopicAnswer[]): LeanMetadata {
  const brokers = [1, 2, 3].map((nodeId) => ({ nodeId, host: `b${nodeId}`, port: 9092 }))
  return {
    ...{ throttleTimeMs: 0, errorCode: 0, brokers, clusterId: 'c', topics },
  }
}

function after(...answers: LeanMetadata[]): Metadata {
  return answers.reduce((metadata, answer) => metadata.merge(answer, all), new Metadata())
}

const p = (index: number, leader: number, epoch = 0): PartitionSpec => ({ index, leader, epoch })

describe('Metadata', () => {
  it('knows brokers, topics and leaders', () => {
    const metadata = after(answerOf(topicOf('t', [p(1, 2), p(0, 1)])))
    expect(metadata.brokers.get(2)).toEqual({ host: 'b2', port: 9092 })
    expect([metadata.leader('t', 0), metadata.leader('t', 1), metadata.leader('t', 2)]).toEqual([1, 2, -1])
    expect(metadata.leader('u', 0)).toBe(-1)
    expect([metadata.topicCount, metadata.clusterId]).toEqual([1, 'c'])
  })

  it('does not change; every answer gives a new one', () => {
    const first = after(answerOf(topicOf('t', [p(0, 1)])))
    const second = first.merge(answerOf(topicOf('t', [p(0, 2, 1)])), all)
    expect([first.leader('t', 0), second.leader('t', 0)]).toEqual([1, 2])
  })

  it('C9: keeps a topic that vanishes for a moment, and notes the problem', () => {
    const gone = answerOf(topicOf('t', [], { errorCode: 3 }))
    const metadata = after(answerOf(topicOf('t', [p(0, 1)])), gone)
    expect(metadata.leader('t', 0)).toBe(1)
    expect(metadata.problem('t')).toEqual({ errorCode: 3 })
    expect(metadata.merge(answerOf(topicOf('t', [p(0, 1)])), all).problem('t')).toBeUndefined()
    expect(metadata.merge(answerOf(), all).leader('t', 0)).toBe(1)
  })

  it('forgets brokers that are gone', () => {
    const metadata = after(answerOf()).merge({ ...answerOf(), brokers: [] }, all)
    expect(metadata.brokers.size).toBe(0)
  })

  it('does not believe in an older leader', () => {
    const metadata = after(answerOf(topicOf('t', [p(0, 2, 5)])), answerOf(topicOf('t', [p(0, 1, 4)])))
    expect(metadata.leader('t', 0)).toBe(2)
    expect(metadata.topic('t')?.leaderEpochs[0]).toBe(5)
  })

  it('begins anew with a topic that was made anew', () => {
    const again = topicOf('t', [p(0, 1, 0)], { topicId: OTHER_ID })
    const metadata = after(answerOf(topicOf('t', [p(0, 2, 5)])), answerOf(again))
    expect([metadata.leader('t', 0), metadata.topic('t')?.topicId]).toEqual([1, OTHER_ID])
  })

  it('C8: is told of a topic that was made anew, once, and does not go back to the old one', () => {
    const told: RecreatedTopic[] = []
    const hear = (topic: RecreatedTopic): void => void told.push(topic)
    const old = answerOf(topicOf('t', [p(0, 2, 5), p(1, 2, 5), p(2, 2, 5)]))
    const again = answerOf(topicOf('t', [p(0, 1, 0), p(1, 1, 0)], { topicId: OTHER_ID }))
    const metadata = new Metadata().merge(old, all, hear).merge(again, all, hear)
    expect(told).toEqual([{ topic: 't', topicId: OTHER_ID, formerTopicId: ID }])
    expect([metadata.topicId('t'), metadata.topic('t')?.leaders.length]).toEqual([OTHER_ID, 2])
    // A broker that lags behind still tells of the old one.
    const lagged = metadata.merge(old, all, hear)
    expect([lagged.topicId('t'), lagged.leader('t', 0), told.length]).toEqual([OTHER_ID, 1, 1])
  })

  it('C8: takes a topic without ids that was gone for another one', () => {
    const none = { topicId: NO_TOPIC_ID }
    const told: RecreatedTopic[] = []
    const answers = [
      answerOf(topicOf('t', [p(0, 2, 5), p(1, 2, 5)], none)),
      answerOf(topicOf('t', [], { errorCode: 3, ...none })),
      answerOf(topicOf('t', [p(0, 1, 0)], none)),
    ]
    const metadata = answers.reduce((before, answer) => before.merge(answer, all, (t) => told.push(t)), new Metadata())
    expect([metadata.leader('t', 0), metadata.topic('t')?.leaders.length, told.length]).toEqual([1, 1, 1])
  })

  it('C6: grows with its topics, and never shrinks for an answer that is older', () => {
    const [few, many] = [[p(0, 1, 3)], [p(0, 1, 3), p(1, 3, 2)]]
    const metadata = after(answerOf(topicOf('t', few)), answerOf(topicOf('t', many)), answerOf(topicOf('t', few)))
    expect([metadata.leader('t', 0), metadata.leader('t', 1)]).toEqual([1, 3])
    const none = { topicId: NO_TOPIC_ID }
    const older = answerOf(topicOf('t', [p(0, 1, 2)], none))
    expect(after(answerOf(topicOf('t', many, none)), older).topic('t')?.leaders).toHaveLength(2)
    const newer = answerOf(topicOf('t', [p(0, 1, 4)], none))
    expect(after(answerOf(topicOf('t', many, none)), newer).topic('t')?.leaders).toHaveLength(1)
  })

  it('keeps the address of a leader that is newer than the answer, which does not have it', () => {
    const known = after(answerOf(topicOf('t', [p(0, 1, 3)])))
    const endpoint = { host: 'b9', port: 1 }
    const hinted = known.withLeader({ topic: 't', partition: 0, leader: 9, leaderEpoch: 4, endpoint })
    const older = hinted.merge(answerOf(topicOf('t', [p(0, 1, 3)])), all)
    expect([older.leader('t', 0), older.brokers.get(9)]).toEqual([9, endpoint])
    const newer = older.merge(answerOf(topicOf('t', [p(0, 1, 5)])), all)
    expect([newer.leader('t', 0), newer.brokers.has(9)]).toEqual([1, false])
  })

  it('keeps an epoch that a broker without epochs cannot know', () => {
    const blind = answerOf(topicOf('t', [p(0, 2, -1)], { topicId: NO_TOPIC_ID }))
    const metadata = after(answerOf(topicOf('t', [p(0, 1, 7)])), blind)
    expect([metadata.leader('t', 0), metadata.topic('t')?.leaderEpochs[0], metadata.topicId('t')]).toEqual([2, 7, ID])
  })

  it('leaves an answer as it was', () => {
    const answer = topicOf('t', [p(0, 1, 2)])
    after(answerOf(topicOf('t', [p(0, 2, 5)])), answerOf(answer))
    expect([answer.leaders[0], answer.leaderEpochs[0]]).toEqual([1, 2])
  })

  it('C17: copies little for one change of many topics', () => {
    const names = Array.from({ length: 2000 }, (_, i) => `t${i}`)
    let metadata = after(answerOf(...names.map((name) => topicOf(name, [p(0, 1)]))))
    const copied = countingSets(() => {
      for (const topic of names) {
        metadata = metadata.withLeader({ topic, partition: 0, leader: 2, leaderEpoch: 1, endpoint: null })
      }
      for (const topic of names) metadata = metadata.without([topic])
    })
    expect(metadata.topicCount).toBe(0)
    expect(copied).toBeLessThan(2 * names.length * 250) // a copy for each would be 2 * 2000 * 2000
  })

  it('takes what a broker says that is too old for epochs and ids', () => {
    const old = (leader: number): TopicAnswer => topicOf('t', [p(0, leader, -1)], { topicId: NO_TOPIC_ID })
    expect(after(answerOf(old(1)), answerOf(old(2))).leader('t', 0)).toBe(2)
  })

  it('calls partitions with a leader available, or all of them if none has one', () => {
    expect(after(answerOf(topicOf('t', [p(0, -1), p(1, 1)]))).topic('t')?.available).toEqual([1])
    expect(after(answerOf(topicOf('t', [p(0, -1), p(1, -1)]))).topic('t')?.available).toEqual([0, 1])
  })

  describe('withLeader', () => {
    const known = after(answerOf(topicOf('t', [p(0, 1, 3)])))
    const hint = { topic: 't', partition: 0, leader: 2, leaderEpoch: 4, endpoint: null }

    it('believes a newer leader', () => {
      const metadata = known.withLeader(hint)
      expect([metadata.leader('t', 0), known.leader('t', 0)]).toEqual([2, 1])
    })

    it.each([
      ['an epoch that is known', { leaderEpoch: 3 }],
      ['an older epoch', { leaderEpoch: 2 }],
      ['an unknown topic', { topic: 'u' }],
      ['an unknown partition', { partition: 1 }],
      ['a broker without an address', { leader: 9 }],
      ['an address without a host', { endpoint: { host: '', port: 9092 } }],
      ['port 0', { leader: 9, endpoint: { host: 'b9', port: 0 } }],
      ['a negative port', { leader: 9, endpoint: { host: 'b9', port: -1 } }],
      ['port 65536', { leader: 9, endpoint: { host: 'b9', port: 65_536 } }],
    ])('does not believe %s', (_what, change) => {
      expect(known.withLeader({ ...hint, ...change })).toBe(known)
    })

    it('learns the address of a new broker', () => {
      const metadata = known.withLeader({ ...hint, leader: 9, endpoint: { host: 'b9', port: 1 } })
      expect([metadata.leader('t', 0), metadata.brokers.get(9)]).toEqual([9, { host: 'b9', port: 1 }])
    })
  })

  describe('a leader that only a hint has named', () => {
    const endpoint = { host: 'nowhere', port: 1 }
    const told = after(answerOf(topicOf('t', [p(0, 1, 3), p(1, 2, 3)])))
    const hinted = told
      .withLeader({ topic: 't', partition: 0, leader: 8, leaderEpoch: 500, endpoint })
      .withLeader({ topic: 't', partition: 0, leader: 9, leaderEpoch: 900, endpoint })
    const nobody = (): boolean => false
    const nine = (nodeId: number): boolean => nodeId === 9
    const merged = (metadata: Metadata, epoch: number, isUnreachable: (nodeId: number) => boolean): unknown => {
      const next = metadata.merge(answerOf(topicOf('t', [p(0, 1, epoch), p(1, 2, 3)])), all, undefined, isUnreachable)
      return [next.leader('t', 0), next.topic('t')?.leaderEpochs[0], next.brokers.has(9)]
    }

    it('stands against an older answer while it can be reached', () => {
      expect(merged(hinted, 3, nobody)).toEqual([9, 900, true])
    })

    it('gives way, if it cannot be reached, to any answer that is not older than those before the hint', () => {
      expect(merged(hinted, 3, nine)).toEqual([1, 3, false])
      expect(merged(hinted, 4, nine)).toEqual([1, 4, false])
      expect(merged(hinted, 2, nine)).toEqual([9, 3, true])
      const later = hinted.merge(answerOf(topicOf('t', [p(0, 1, 3), p(1, 2, 3)])), all)
      expect(merged(later, 3, nine)).toEqual([1, 3, false])
    })

    it('does not, once an answer has named it, too', () => {
      const confirmed = hinted.merge(answerOf(topicOf('t', [p(0, 9, 900), p(1, 2, 3)])), all)
      expect(merged(confirmed, 3, nine)).toEqual([9, 900, false]) // as any broker that the answers do not have
    })

    it('is the only one: others stay, reachable or not', () => {
      const older = answerOf(topicOf('t', [p(0, 1, 3), p(1, 1, 2)]))
      expect(hinted.merge(older, all, undefined, () => true).leader('t', 1)).toBe(2)
    })
  })

  it('never goes back to an older leader of the same topic, in whatever order the news comes', () => {
    const news = fc.record({ leader: fc.integer({ min: 1, max: 3 }), epoch: fc.nat(20), isHint: fc.boolean() })
    fc.assert(
      fc.property(fc.array(news, { minLength: 1 }), (list) => {
        let metadata = after(answerOf(topicOf('t', [p(0, 1, 0)])))
        let newest = 0
        for (const { leader, epoch, isHint } of list) {
          metadata = isHint
            ? metadata.withLeader({ topic: 't', partition: 0, leader, leaderEpoch: epoch, endpoint: null })
            : metadata.merge(answerOf(topicOf('t', [p(0, leader, epoch)])), all)
          newest = Math.max(newest, epoch)
          expect(metadata.topic('t')?.leaderEpochs[0]).toBe(newest)
        }
      }),
    )
  })
})

/** How many entries are put into maps meanwhile, copies included. */
function countingSets(work: () => void): number {
  const original = Object.getOwnPropertyDescriptor(Map.prototype, 'set')!
  const set = original.value as (this: Map<unknown, unknown>, key: unknown, value: unknown) => Map<unknown, unknown>
  let count = 0
  Map.prototype.set = function (key, value) {
    count++
    return set.call(this, key, value)
  }
  try {
    work()
  } finally {
    Object.defineProperty(Map.prototype, 'set', original)
  }
  return count
}
