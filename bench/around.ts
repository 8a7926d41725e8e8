/**
 * What surrounds a send, from outside: every figure is a process of its own that runs the built package. Wall times
 * start when the process is spawned, as a user would count them.
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { startCluster } from '../test/support/kafka/cluster.ts'

const INDEX = new URL('../dist/index.js', import.meta.url)

export interface AroundOptions {
  readonly brokers?: string
  readonly kafka: string
  readonly runs: string
}

interface Ran {
  readonly marks: ReadonlyMap<string, number>
  readonly endMs: number
  readonly output: string
}

/** Runs a program; a line `mark NAME [VALUE]` on its stdout is noted with its value, or with the time it came. */
function run(program: string): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const startedMs = performance.now()
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'pipe'] })
    const marks = new Map<string, number>()
    let output = ''
    const take = (text: string): void => {
      for (const [line, name, value] of text.matchAll(/^mark (\S+) ?(\S*)$/gm)) {
        output = output.replace(line, '')
        marks.set(name ?? '', value === '' || value === undefined ? performance.now() - startedMs : Number(value))
      }
    }
    child.stdout.setEncoding('utf8').on('data', take)
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text))
    child.once('error', reject)
    child.once('close', () => resolve({ marks, endMs: performance.now() - startedMs, output }))
  })
}

export async function benchAround(options: AroundOptions): Promise<void> {
  if (!existsSync(fileURLToPath(INDEX))) throw new Error('dist/ is not built: npm run build')
  const cluster = options.brokers === undefined ? await startCluster({ version: options.kafka, nodes: 1 }) : null
  const brokers = options.brokers ?? cluster?.listeners.plaintext ?? ''
  const begin = `const { Producer } = await import(${JSON.stringify(INDEX.href)})
    const producer = new Producer({ brokers: ${JSON.stringify(brokers)} })
    const topic = 'around'
    await producer.send({ topic, value: 'x' })
    console.log('mark ack')`
  await run(`${begin}; await producer.close()`) // the topic is there from now on
  const programs = {
    empty: '',
    import: `await import(${JSON.stringify(INDEX.href)})`,
    close: `${begin}; await producer.close(); console.log('mark closed')`,
    forgets: begin,
    memory: `${begin}
      for (let i = 0; i < 100; i++) await Promise.all(Array.from({ length: 1000 }, () => producer.send({ topic, value: 'x'.repeat(100) })))
      console.log('mark rss', process.memoryUsage.rss() / 2 ** 20)
      await producer.close()`,
  }
  try {
    const results: Record<string, Ran[]> = {}
    for (let i = 0; i < Number(options.runs); i++) {
      for (const [name, program] of Object.entries(programs)) (results[name] ??= []).push(await run(program))
    }
    report(results)
  } finally {
    await cluster?.close()
  }
}

function report(results: Readonly<Record<string, readonly Ran[]>>): void {
  const of = (name: string, figure: (ran: Ran) => number): number[] => (results[name] ?? []).map(figure)
  const mark = (name: string) => (ran: Ran) => ran.marks.get(name) ?? NaN
  const emptyMs = median(of('empty', ({ endMs }) => endMs))
  const rows = {
    'import, ms over an empty script': median(of('import', ({ endMs }) => endMs)) - emptyMs,
    'process start to first ack, ms': median(of('close', mark('ack'))),
    'process ends after close, ms': median(of('close', (ran) => ran.endMs - mark('closed')(ran))),
    'process ends after the last ack without close, ms': median(of('forgets', (ran) => ran.endMs - mark('ack')(ran))),
    'RSS after 100 000 awaited records of 100 B, MiB': median(of('memory', mark('rss'))),
    'bytes printed by a healthy start': median(of('close', ({ output }) => output.length)),
  }
  console.log(`Node ${process.version}, median of ${results['empty']?.length ?? 0} runs`)
  console.table(Object.fromEntries(Object.entries(rows).map(([name, value]) => [name, Number(value.toFixed(1))])))
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? NaN
}
