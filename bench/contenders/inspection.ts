import { spawn } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { Session } from 'node:inspector/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Job } from '../compare/job.ts'

const CPU_INTERVAL_US = 200
const HEAP_INTERVAL_BYTES = 16_384
const PERF_ATTACH_MS = 500

/** Looks into this process until the function it returns is called, which says where the profile is, or what it counted. */
export async function startInspection(what: Job['inspect']): Promise<() => Promise<string | null>> {
  if (what === 'none') return () => Promise.resolve(null)
  if (what === 'instructions') return countInstructions()
  const session = new Session()
  session.connect()
  return what === 'cpu' ? cpuProfile(session) : heapProfile(session)
}

async function cpuProfile(session: Session): Promise<() => Promise<string>> {
  await session.post('Profiler.enable')
  await session.post('Profiler.setSamplingInterval', { interval: CPU_INTERVAL_US })
  await session.post('Profiler.start')
  return async () => keep('headrace.cpuprofile', (await session.post('Profiler.stop')).profile)
}

/** Everything that is allocated, also what no longer lives. */
async function heapProfile(session: Session): Promise<() => Promise<string>> {
  await session.post('HeapProfiler.enable')
  await session.post('HeapProfiler.startSampling', {
    samplingInterval: HEAP_INTERVAL_BYTES,
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true,
  })
  return async () => keep('headrace.heapprofile', (await session.post('HeapProfiler.stopSampling')).profile)
}

/** With `perf`, attached from outside; what it says is kept, also that the machine does not count. */
async function countInstructions(): Promise<() => Promise<string>> {
  const args = ['stat', '-x,', '-e', 'instructions:u', '-p', String(process.pid)]
  const perf = spawn('perf', args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  perf.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  const ended = new Promise<void>((resolve) => {
    perf.once('close', () => resolve())
    perf.once('error', (error) => {
      said += error.message
      resolve()
    })
  })
  await new Promise((resolve) => setTimeout(resolve, PERF_ATTACH_MS))
  return async () => {
    perf.kill('SIGINT')
    await ended
    return said.trim()
  }
}

function keep(name: string, profile: object): string {
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'headrace-profile-')), name)
  writeFileSync(file, JSON.stringify(profile))
  return file
}
