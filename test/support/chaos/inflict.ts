import { setTimeout as delay } from 'node:timers/promises'
import { NODES, SIDE_PARTITIONS, SIDE_TOPIC, TOPICS, type Arena } from './arena.ts'
import type { ClusterState, Placement } from './chaos-admin.ts'
import type { Disturbance } from './proxy.ts'
import type { Fault } from './schedule.ts'

/** Resolves after `holdMs`, or when the run is over. */
export type Hold = (holdMs: number) => Promise<void>

/** What a fault is told: `begin` marks its start, when what it has to wait for is there. */
export interface Occasion {
  readonly begin: () => void
  readonly hold: Hold
}

const JUDGED = TOPICS.map(({ name }) => name)
const ALL_TOPICS = [...JUDGED, SIDE_TOPIC]

/**
 * Does one fault of the cluster track and undoes it.
 *
 * Whatever takes a replica away waits until all are in sync: with two down and `min.insync.replicas` 2 nothing could be
 * written, and an acknowledged record could lie on a single disk.
 *
 * @returns what was hit, in words.
 */
export async function inflictClusterFault(fault: Fault, arena: Arena, occasion: Occasion): Promise<string> {
  switch (fault.kind) {
    case 'kill':
    case 'term':
    case 'stop':
      return takeBrokerAway(fault, arena, occasion)
    case 'leader':
      return moveLeaders(fault, arena, occasion)
    case 'reassign':
      return reassign(fault, arena, occasion)
    case 'topic':
      return recreateTopic(fault, arena, occasion)
    default:
      throw new RangeError(`${fault.kind} is no fault of the cluster`)
  }
}

/** Does one fault of the proxy track and undoes it. @returns what was hit, in words. */
export async function inflictProxyFault(fault: Fault, arena: Arena, { begin, hold }: Occasion): Promise<string> {
  const proxy = arena.proxies[fault.node - 1]
  if (proxy === undefined) throw new RangeError(`no proxy before node ${fault.node}`)
  const { broken } = proxy
  begin()
  const disturbance = disturbanceOf(fault)
  if (disturbance === null) proxy.cut()
  else {
    proxy.disturb(disturbance)
    await hold(fault.holdMs)
    proxy.calm()
  }
  const detail = disturbance !== null && 'direction' in disturbance ? `${disturbance.direction}, ` : ''
  return `${detail}${proxy.broken - broken} connections reset`
}

function disturbanceOf({ kind, choice }: Fault): Disturbance | null {
  const direction = choice % 2 === 0 ? 'requests' : 'answers'
  switch (kind) {
    case 'delay':
      return { kind, delayMs: 5 + (choice % 300) }
    case 'reset':
      // An answer to Produce has some hundred bytes, a request any number.
      return { kind, direction, afterBytes: (choice >> 1) % (direction === 'requests' ? 20_000 : 400) }
    case 'mute-requests':
      return { kind: 'mute', direction: 'requests' }
    case 'mute-answers':
      return { kind: 'mute', direction: 'answers' }
    case 'drip':
    case 'hold':
    case 'refuse':
      return { kind }
    default:
      return null
  }
}

async function takeBrokerAway({ kind, node, holdMs }: Fault, arena: Arena, { begin, hold }: Occasion): Promise<string> {
  const { cluster, admin } = arena
  await admin.awaitInSync(ALL_TOPICS)
  let state = await admin.state(JUDGED)
  if (ledBy(node, state) === 0) {
    // It came back a moment ago: without it nobody would miss anything.
    await admin.electPreferred(JUDGED)
    state = await admin.state(JUDGED)
  }
  begin()
  if (kind === 'stop') {
    await cluster.pause(node)
    await hold(holdMs)
    await cluster.resume(node)
    await cluster.ready()
  } else {
    await (kind === 'kill' ? cluster.kill(node) : cluster.stop(node))
    await hold(holdMs)
    await cluster.start(node)
  }
  const controller = state.controller === node ? ', active controller' : ''
  return `led ${ledBy(node, state)} of ${state.partitions.length} partitions${controller}`
}

function ledBy(node: number, { partitions }: ClusterState): number {
  return partitions.filter(({ leader }) => leader === node).length
}

/** Another order of the same replicas makes another one preferred, and an election makes it leader. */
async function moveLeaders({ choice }: Fault, { admin }: Arena, { begin }: Occasion): Promise<string> {
  const before = await admin.state(JUDGED)
  begin()
  const turn = 1 + (choice % (NODES - 1))
  const rotated = before.partitions.map(({ topic, partition, replicas }) => ({
    ...{ topic, partition },
    replicas: [...replicas.slice(turn), ...replicas.slice(0, turn)],
  }))
  await admin.place(rotated)
  await admin.electPreferred(JUDGED)
  const after = await admin.state(JUDGED)
  return `${movedLeaders(before, after)} of ${after.partitions.length} leaders moved`
}

function movedLeaders(before: ClusterState, after: ClusterState): number {
  const leaders = new Map(before.partitions.map(({ topic, partition, leader }) => [`${topic}-${partition}`, leader]))
  return after.partitions.filter(({ topic, partition, leader }) => leaders.get(`${topic}-${partition}`) !== leader)
    .length
}

/** Three partitions lose one replica each, its data too, and get it back: a copy of all they hold. */
async function reassign({ choice }: Fault, { admin }: Arena, { begin }: Occasion): Promise<string> {
  await admin.awaitInSync(ALL_TOPICS)
  const { partitions } = await admin.state(JUDGED)
  const first = choice % partitions.length
  const chosen = [...partitions, ...partitions].slice(first, first + 3)
  const dropped = (choice >> 4) % NODES
  const fewer: Placement[] = chosen.map(({ topic, partition, replicas }) => ({
    ...{ topic, partition },
    replicas: replicas.filter((_, index) => index !== dropped),
  }))
  begin()
  await admin.place(fewer)
  await admin.place(chosen.map(({ topic, partition, replicas }) => ({ topic, partition, replicas })))
  return `${chosen.map(({ topic, partition }) => `${topic}-${partition}`).join(', ')}: one replica away and back`
}

async function recreateTopic({ holdMs }: Fault, { admin }: Arena, { begin, hold }: Occasion): Promise<string> {
  begin()
  await admin.deleteTopic(SIDE_TOPIC)
  await hold(holdMs)
  await admin.createTopic(SIDE_TOPIC, SIDE_PARTITIONS, NODES)
  return `${SIDE_TOPIC} deleted and created again`
}

/** Everything undone: no broker is missing, every replica in sync, the network quiet. */
export async function heal({ cluster, admin, proxies }: Arena): Promise<void> {
  for (const proxy of proxies) proxy.calm()
  await cluster.ready()
  await admin.awaitInSync(ALL_TOPICS)
}

/** A hold that a signal ends. */
export function holdUntil(signal: AbortSignal): Hold {
  return async (holdMs) => {
    // Aborted: the run is over, and what follows is the undoing.
    await delay(holdMs, undefined, { signal }).catch(() => undefined)
  }
}
