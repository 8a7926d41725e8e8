/**
 * The process around a contender in Node: reads a job, warms up, measures, answers. Bundled with each contender.
 */
import { readFileSync, readSync } from 'node:fs'
import { monitorEventLoopDelay, performance, PerformanceObserver } from 'node:perf_hooks'
import { KEY_COUNT, type Job, type Latency, type Measures } from '../compare/job.ts'
import { LatencyHistogram } from '../compare/latency.ts'
import { Schedule } from '../compare/schedule.ts'
import type { Client, Connect, Supply, Until } from './client.ts'
import { startInspection } from './inspection.ts'

const LOOP_RESOLUTION_MS = 2
const TICK_MS = 1

export async function contend(connect: Connect): Promise<void> {
  const answer = await answerTo(readJob(), connect).catch((error: unknown) => ({ error: describe(error) }))
  process.stdout.write(`${JSON.stringify(answer)}\n`, () => process.exit('error' in answer ? 1 : 0))
}

async function answerTo(job: Job, connect: Connect): Promise<Measures> {
  const client = await connect(job, supplyOf(job))
  const measures = await measured(job, client)
  await client.close()
  return measures
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const inner = error instanceof AggregateError ? error.errors.map(describe) : []
  const cause = error.cause === undefined ? [] : [describe(error.cause)]
  return [`${error.name}: ${error.message}`, ...new Set([...inner, ...cause])].join('; ')
}

function readJob(): Job {
  const bytes = Buffer.alloc(1 << 16)
  return JSON.parse(bytes.toString('utf8', 0, readSync(0, bytes))) as Job
}

function supplyOf({ values, valueCount, valueBytes, keyed }: Job): Supply {
  const bytes = readFileSync(values)
  const valueAt = (i: number): Buffer => bytes.subarray(i * valueBytes, (i + 1) * valueBytes)
  const keyAt = (i: number): Buffer => Buffer.from(`key-${String(i).padStart(8, '0')}`)
  return {
    values: Array.from({ length: valueCount }, (_, i) => valueAt(i)),
    keys: keyed ? Array.from({ length: KEY_COUNT }, (_, i) => keyAt(i)) : [],
  }
}

interface Phase {
  readonly records: number
  readonly offeredPerSecond: number
  readonly latencyUs: Latency | null
}

async function measured(job: Job, client: Client): Promise<Measures> {
  const warm = job.load === 'serial' ? await serial(client, job.warmMs) : await flood(client, job.warmMs)
  const calibration = job.load === 'half' ? await flood(client, job.warmMs) : NOTHING
  const rate = job.load === 'half' ? calibration.records / calibration.seconds / 2 : job.ratePerSecond
  // At another rate everything settles into place once more: the compiler, the sizes of batches.
  const settling = isPaced(job) ? await atRate(client, rate, job.warmMs / 2) : NOTHING
  const { result, ...around } = await watched(job, () => phaseOf(job, client, rate))
  const acked = warm.records + calibration.records + settling.records + result.records
  return { version: client.version, settings: settingsText(client.settings), acked, ...result, ...around }
}

const NOTHING = { records: 0, seconds: 0 }

const isPaced = ({ load }: Job): boolean => load === 'half' || load === 'rate'

function phaseOf(job: Job, client: Client, ratePerSecond: number): Promise<Phase> {
  if (isPaced(job)) return atRate(client, ratePerSecond, job.measureMs)
  return job.load === 'serial' ? serial(client, job.measureMs) : closed(client, job.measureMs)
}

async function flood(client: Client, ms: number): Promise<{ records: number; seconds: number }> {
  const startMs = performance.now()
  const until: Until = { isOver: false }
  setTimeout(() => (until.isOver = true), ms)
  const records = await client.flood(until)
  return { records, seconds: (performance.now() - startMs) / 1000 }
}

async function closed(client: Client, ms: number): Promise<Phase> {
  const { records } = await flood(client, ms)
  return { records, offeredPerSecond: 0, latencyUs: null }
}

async function serial(client: Client, ms: number): Promise<Phase> {
  const burst = burstOf(client)
  const latencies = new LatencyHistogram()
  const endMs = performance.now() + ms
  for (let startMs = performance.now(), i = 0; startMs < endMs; startMs = performance.now(), i++) {
    await burst(i, 1, () => latencies.record((performance.now() - startMs) * 1000))
  }
  return { records: latencies.count, offeredPerSecond: 0, latencyUs: latencies.summary() }
}

function burstOf({ burst }: Client): NonNullable<Client['burst']> {
  if (burst === undefined) throw new Error('this contender cannot be offered a rate')
  return burst
}

async function atRate(client: Client, ratePerSecond: number, ms: number): Promise<Phase> {
  const burst = burstOf(client)
  const latencies = new LatencyHistogram()
  const startMs = performance.now()
  const schedule = new Schedule(startMs, ratePerSecond)
  const acked = (index: number): void => latencies.record(schedule.latencyUs(index, performance.now()))
  const underWay = new Set<Promise<void>>()
  let failure: unknown = null
  while (performance.now() - startMs < ms && failure === null) {
    const first = schedule.issued
    const count = schedule.take(performance.now())
    if (count > 0) {
      const promise: Promise<void> = burst(first, count, acked)
        .catch((error: unknown) => void (failure ??= error))
        .finally(() => underWay.delete(promise))
      underWay.add(promise)
    }
    await new Promise((resolve) => setTimeout(resolve, TICK_MS))
  }
  await Promise.all(underWay)
  if (failure !== null) throw failure as Error
  return { records: latencies.count, offeredPerSecond: ratePerSecond, latencyUs: latencies.summary() }
}

type Around = Pick<Measures, 'seconds' | 'cpuUs' | 'rssBytes' | 'loopDelayP99Us' | 'gcShare'> & { inspection?: string }

/** Runs a phase with the instruments on. */
async function watched<T>(job: Job, phase: () => Promise<T>): Promise<Around & { result: T }> {
  let gcMs = 0
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) gcMs += duration
  })
  observer.observe({ entryTypes: ['gc'] })
  const delay = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS })
  const stopInspection = await startInspection(job.inspect)
  delay.enable()
  const cpu = process.cpuUsage()
  const startMs = performance.now()
  const result = await phase()
  const seconds = (performance.now() - startMs) / 1000
  const { user, system } = process.cpuUsage(cpu)
  delay.disable()
  await new Promise((resolve) => setImmediate(resolve)) // the observer is told in a turn of its own
  const inspection = await stopInspection()
  return {
    ...{ result, seconds, cpuUs: user + system, rssBytes: process.resourceUsage().maxRSS * 1024 },
    // The histogram holds the time from one of its timers to the next, so the timer's own time is in it.
    loopDelayP99Us: Math.max(0, delay.percentile(99) / 1000 - LOOP_RESOLUTION_MS * 1000),
    gcShare: gcMs / 1000 / seconds,
    ...(inspection === null ? {} : { inspection }),
  }
}

export function settingsText(settings: Readonly<Record<string, unknown>>): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${String(value)}`)
    .join(' ')
}
