/** What the hot path spends its time, its memory or its instructions on. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { bundleContenders } from './bundle.ts'
import type { Cell } from './cells.ts'
import { jobOf } from './compare.ts'
import type { Contender } from './contenders.ts'
import type { Job, Measures } from './job.ts'
import { runContender } from './run-contender.ts'
import { startTarget } from './targets.ts'

export interface ProfilePlan {
  readonly cell: Cell
  readonly contender: Contender
  readonly inspect: Exclude<Job['inspect'], 'none'>
  readonly warmMs: number
  readonly measureMs: number
  readonly headrace: string
}

interface CallFrame {
  readonly functionName: string
  readonly url: string
  readonly lineNumber: number
}

interface CpuProfile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: CallFrame }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

interface HeapNode {
  readonly callFrame: CallFrame
  readonly selfSize: number
  readonly children: readonly HeapNode[]
}

/** A function, by name and place, with what it used itself. */
export interface Use {
  readonly place: string
  readonly amount: number
}

/** One run of one contender with the inspector on; its figures are worth nothing, so only the profile is given. */
export async function runInspected(plan: ProfilePlan): Promise<Measures> {
  await bundleContenders()
  const command = await plan.contender.command()
  const target = await startTarget(plan.cell.target)
  try {
    const bench = await target.prepare(plan.cell, `profile-${process.pid}`)
    try {
      return await runContender(command, { ...jobOf(plan, plan.cell, bench), inspect: plan.inspect })
    } finally {
      await bench.clear()
    }
  } finally {
    await target.close()
  }
}

/** Self time in microseconds, most first. */
export function cpuUses(profile: CpuProfile): Use[] {
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]))
  const uses = new Map<string, number>()
  profile.samples.forEach((id, i) => {
    const frame = frames.get(id)
    // A sample's delta is the time since the one before, which is what that one lasted: the next delta is its own.
    if (frame !== undefined) add(uses, placeOf(frame), Math.max(0, profile.timeDeltas[i + 1] ?? 0))
  })
  return sorted(uses)
}

/** Bytes allocated, most first; what is no longer alive is in it. */
export function heapUses({ head }: { readonly head: HeapNode }): Use[] {
  const uses = new Map<string, number>()
  const open = [head]
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (node.selfSize > 0) add(uses, placeOf(node.callFrame), node.selfSize)
    open.push(...node.children)
  }
  return sorted(uses)
}

export function readUses({ inspection = '' }: Measures, inspect: 'cpu' | 'heap'): Use[] {
  const profile: unknown = JSON.parse(readFileSync(inspection, 'utf8'))
  return inspect === 'cpu' ? cpuUses(profile as CpuProfile) : heapUses(profile as { head: HeapNode })
}

function add(uses: Map<string, number>, place: string, amount: number): void {
  uses.set(place, (uses.get(place) ?? 0) + amount)
}

function sorted(uses: ReadonlyMap<string, number>): Use[] {
  return [...uses].map(([place, amount]) => ({ place, amount })).sort((a, b) => b.amount - a.amount)
}

function placeOf({ functionName, url, lineNumber }: CallFrame): string {
  const name = functionName === '' ? '(anonymous)' : functionName
  if (url === '') return name
  return `${name} ${moduleAt(url, lineNumber)}`
}

const bundles = new Map<string, readonly string[]>()

/** esbuild names each module of a bundle in a comment: `// src/producer/batch.ts`. */
function moduleAt(url: string, line: number): string {
  const short = url.split('/').slice(-2).join('/')
  if (!url.startsWith('file:')) return url
  try {
    const lines = bundles.get(url) ?? readFileSync(fileURLToPath(url), 'utf8').split('\n')
    bundles.set(url, lines)
    for (let at = line; at >= 0; at--) {
      const path = /^\/\/ (?:\.\.\/)*((?:src|bench)\/\S+\.ts)$/.exec(lines[at] ?? '')?.[1]
      if (path !== undefined) return path
    }
  } catch {
    return short // a file that is gone by now
  }
  return short
}

/** Instructions, from what `perf stat -x,` said; null: this machine does not count them. */
export function instructionsIn(said: string): number | null {
  const count = Number(/^(\d+),[^,]*,instructions/m.exec(said)?.[1])
  return Number.isFinite(count) ? count : null
}
