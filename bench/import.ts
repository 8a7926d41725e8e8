/**
 * What each door of the built package costs at import: processes that import one beside processes that import an empty
 * module, in turns. The machine's noise is mostly added, so that the minimum says what there is to do, and CPU time what of
 * it is ours. test/package/package.test.ts keeps an eye on the same without a clock.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { spreadOf } from './compare/statistics.ts'

const ROOT = new URL('..', import.meta.url)
const EMPTY = 'an empty module'

interface Manifest {
  readonly exports: Readonly<Record<string, string | { readonly default: string }>>
}

interface Cost {
  readonly wallMs: number
  readonly cpuMs: number
}

interface Program {
  readonly name: string
  readonly file: string
  readonly costs: Cost[]
}

export function benchImport({ runs }: { readonly runs: string }): void {
  const folder = mkdtempSync(join(tmpdir(), 'headrace-import-'))
  try {
    const programs = writePrograms(folder)
    for (let i = 0; i < Number(runs); i++) {
      const first = i % programs.length
      const inTurn = [...programs.slice(first), ...programs.slice(0, first)]
      for (const { file, costs } of inTurn) costs.push(run(file))
    }
    report(programs)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function writePrograms(folder: string): Program[] {
  writeFileSync(join(folder, 'empty.mjs'), '')
  const modules = new Map([[EMPTY, './empty.mjs'], ...doors()])
  return [...modules].map(([name, module], i) => {
    const file = join(folder, `${i}.mjs`)
    const spent = 'const { user, system } = process.cpuUsage()\nconsole.log((user + system) / 1000)'
    writeFileSync(file, `import ${JSON.stringify(module)}\n${spent}\n`)
    return { name, file, costs: [] }
  })
}

/** As package.json has them. */
function doors(): [name: string, module: string][] {
  const { exports } = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8')) as Manifest
  return Object.entries(exports).flatMap(([name, target]) => {
    if (typeof target === 'string') return []
    const module = new URL(target.default, ROOT)
    if (!existsSync(fileURLToPath(module))) throw new Error('dist/ is not built: npm run build')
    return [[name.replace('.', 'headrace'), module.href]]
  })
}

function run(file: string): Cost {
  const startedMs = performance.now()
  const { status, stdout, stderr } = spawnSync(process.execPath, [file], { encoding: 'utf8' })
  const wallMs = performance.now() - startedMs
  if (status !== 0) throw new Error(`${file} ended with ${status ?? 'a signal'}: ${stderr}`)
  return { wallMs, cpuMs: Number(stdout) }
}

function report(programs: readonly Program[]): void {
  const [empty, ...rest] = programs.map(({ name, costs }) => ({
    name,
    wall: spreadOf(costs.map(({ wallMs }) => wallMs)),
    cpu: spreadOf(costs.map(({ cpuMs }) => cpuMs)),
  }))
  const over = (figure: 'wall' | 'cpu', at: 'min' | 'median', row = empty): number =>
    Number(((row?.[figure]?.[at] ?? NaN) - (row === empty ? 0 : (empty?.[figure]?.[at] ?? NaN))).toFixed(1))
  const load = loadavg().map((each) => each.toFixed(1))
  console.log(
    `import, ms over ${EMPTY}; Node ${process.version}, ${programs[0]?.costs.length ?? 0} runs, load ${load.join(' ')}`,
  )
  console.table(
    Object.fromEntries(
      [...rest, empty].map((row) => [
        row === empty ? `(${EMPTY}, in all)` : row?.name,
        {
          'wall min': over('wall', 'min', row),
          'wall median': over('wall', 'median', row),
          'CPU min': over('cpu', 'min', row),
          'CPU median': over('cpu', 'median', row),
        },
      ]),
    ),
  )
}
