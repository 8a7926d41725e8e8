import { Random } from '../../fuzz/random.ts'

/** What `--faults` names. */
export const FAULT_GROUPS = ['kill', 'term', 'stop', 'leader', 'reassign', 'topic', 'proxy'] as const
export type FaultGroup = (typeof FAULT_GROUPS)[number]

/** What the proxies do to connections: see `proxy.ts`. */
export const PROXY_FAULTS = [
  'cut',
  'reset',
  'delay',
  'drip',
  'mute-requests',
  'mute-answers',
  'hold',
  'refuse',
] as const
export type ProxyFault = (typeof PROXY_FAULTS)[number]

export type ClusterFault = Exclude<FaultGroup, 'proxy'>

/** One fault as planned: flat, so that a schedule is a table. */
export interface Fault {
  /** From 1, within its track. */
  readonly number: number
  readonly kind: ClusterFault | ProxyFault
  /** Milliseconds between the end of the fault before it and its start. */
  readonly afterMs: number
  /** How long it lasts: until the broker is started or continued, the topic comes back, the network heals. */
  readonly holdMs: number
  /** The broker it hits, from 1; 0: none in particular. */
  readonly node: number
  /** Further choice of the fault: which partitions, after how many bytes, how many ms of delay. Below 2^16. */
  readonly choice: number
}

/** How often each fault lies in a deck: a long run gets all of them in these shares, a short one a mixture. */
const CLUSTER_DECK: Readonly<Record<ClusterFault, number>> = {
  kill: 4,
  term: 1,
  stop: 1,
  leader: 2,
  reassign: 1,
  topic: 1,
}
const PROXY_DECK: Readonly<Record<ProxyFault, number>> = {
  ...{ cut: 2, reset: 3, delay: 1, drip: 1 },
  ...{ 'mute-requests': 1, 'mute-answers': 1, hold: 1, refuse: 1 },
}

type Range = readonly [number, number]

/** A pause beyond 3 s makes the controller take the broker's leaderships away; a shorter one is only a hiccup. */
const HOLD_MS: Readonly<Record<Fault['kind'], Range>> = {
  ...{ kill: [200, 4000], term: [200, 3000], stop: [500, 8000], leader: [0, 0], reassign: [0, 0], topic: [200, 2000] },
  ...{ cut: [0, 0], reset: [500, 2500], delay: [500, 3000], drip: [500, 2500] },
  ...{ 'mute-requests': [300, 7000], 'mute-answers': [300, 7000], hold: [300, 7000], refuse: [300, 2000] },
}
const CLUSTER_PAUSE_MS: Range = [500, 4000]
const PROXY_PAUSE_MS: Range = [500, 4000]
const PROXY_TRACK = 0x50524f58

/**
 * What happens to brokers and topics, one after the other and without end: never are two brokers down.
 *
 * @returns the same for the same seed and choice of faults.
 */
export function clusterFaults(seed: number, groups: readonly FaultGroup[], nodes: number): Generator<Fault> {
  const kinds = groups.filter((group) => group !== 'proxy')
  return track(new Random(seed), deckOf(kinds, CLUSTER_DECK), nodes, CLUSTER_PAUSE_MS)
}

/** What happens to connections, beside that. */
export function proxyFaults(seed: number, groups: readonly FaultGroup[], nodes: number): Generator<Fault> {
  const deck = groups.includes('proxy') ? deckOf(PROXY_FAULTS, PROXY_DECK) : []
  return track(new Random(seed ^ PROXY_TRACK), deck, nodes, PROXY_PAUSE_MS)
}

/** `12. after 1.4 s: kill node 2 for 0.8 s` */
export function describeFault({ number, kind, afterMs, holdMs, node }: Fault): string {
  const where = node === 0 ? '' : ` node ${node}`
  const length = holdMs === 0 ? '' : ` for ${seconds(holdMs)}`
  return `${number}. after ${seconds(afterMs)}: ${kind}${where}${length}`
}

function* track(random: Random, deck: readonly Fault['kind'][], nodes: number, pauseMs: Range): Generator<Fault> {
  if (deck.length === 0) return
  for (let number = 1; ;) {
    for (const kind of shuffled(deck, random)) {
      const concernsNode = kind !== 'leader' && kind !== 'reassign' && kind !== 'topic'
      yield {
        ...{ number: number++, kind, afterMs: between(pauseMs, random), holdMs: between(HOLD_MS[kind], random) },
        // Drawn whether it is needed or not, so that the numbers behind it do not depend on the kind.
        ...{ node: (random.below(nodes) + 1) * Number(concernsNode), choice: random.below(2 ** 16) },
      }
    }
  }
}

function deckOf<Kind extends Fault['kind']>(kinds: readonly Kind[], counts: Readonly<Record<Kind, number>>): Kind[] {
  return kinds.flatMap((kind) => Array.from({ length: counts[kind] }, () => kind))
}

function shuffled<T>(deck: readonly T[], random: Random): T[] {
  const cards = [...deck]
  for (let last = cards.length - 1; last > 0; last--) {
    const other = random.below(last + 1)
    ;[cards[last], cards[other]] = [cards[other] as T, cards[last] as T]
  }
  return cards
}

function between([least, most]: Range, random: Random): number {
  return least + random.below(most - least + 1)
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
