/** `npm run bench -- setup`: the peers, built here. Again: nothing that is there already. */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import path from 'node:path'
import { compileJava } from '../../test/support/kafka/java-classes.ts'
import { findJava } from '../../test/support/kafka/java-installation.ts'
import { ensureJars } from '../../test/support/kafka/jars.ts'
import { NEWEST_VERSION } from '../../test/support/kafka/versions.ts'
import { BUILT, CONTENDERS, librdkafka, NEWER_NODE, peerFolder, PEERS } from './peers.ts'

interface Step {
  readonly name: string
  readonly isDone: () => boolean
  readonly run: () => Promise<void>
}

const SINK = path.join(CONTENDERS, '..', 'sink', 'null-sink.c')

const STEPS: readonly Step[] = [
  {
    name: 'npm packages of the peers',
    isDone: () => existsSync(peerFolder('kafkajs')) && existsSync(peerFolder('echarts')),
    // Native parts are built one by one below, so that one that cannot be built does not take the others along.
    run: () => run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund']),
  },
  { name: 'a newer Node', isDone: () => existsSync(NEWER_NODE), run: () => run('npm', ['rebuild', 'node']) },
  { name: 'librdkafka from its sources', isDone: () => isBuilt('lib/librdkafka.so'), run: buildLibrdkafka },
  { name: 'the contender in C', isDone: () => existsSync(path.join(BUILT, 'librdkafka')), run: compileContender },
  { name: 'the null sink in C', isDone: () => existsSync(path.join(BUILT, 'null-sink')), run: compileSink },
  {
    name: "@confluentinc/kafka-javascript's addon",
    isDone: () =>
      existsSync(
        path.join(peerFolder('@confluentinc/kafka-javascript'), 'build/Release/confluent-kafka-javascript.node'),
      ),
    run: buildConfluent,
  },
  {
    name: "node-rdkafka's addon, with the librdkafka inside of it",
    isDone: () => existsSync(path.join(peerFolder('node-rdkafka'), 'build/Release/node-librdkafka.node')),
    run: () => run('npm', ['rebuild', 'node-rdkafka']),
  },
  { name: "Kafka's jars and the contender in Java", isDone: () => false, run: compileJavaContender },
]

/** What cannot be built is said at the end, with the reason, and the rest is there. */
export async function setUp(): Promise<void> {
  mkdirSync(BUILT, { recursive: true })
  const failed: string[] = []
  for (const { name, isDone, run: runStep } of STEPS) {
    if (isDone()) {
      process.stderr.write(`there     ${name}\n`)
      continue
    }
    process.stderr.write(`building  ${name}\n`)
    await runStep().catch((error: unknown) => {
      failed.push(`${name}: ${error instanceof Error ? error.message : String(error)}`)
    })
  }
  for (const reason of failed) process.stderr.write(`MISSING   ${reason}\n`)
  if (failed.length > 0) process.exitCode = 1
}

/** Our own programs in C: small, and compiled again whenever the bench begins. Without gcc those that are there are used. */
export async function compileOwn(): Promise<void> {
  mkdirSync(BUILT, { recursive: true })
  try {
    await compileSink()
    if (isBuilt('lib/librdkafka.so')) await compileContender()
  } catch (error) {
    process.stderr.write(`The programs in C are not new: ${String(error)}\n`)
  }
}

function isBuilt(file: string): boolean {
  const library = librdkafka()
  return library !== null && existsSync(path.join(library.home, file))
}

function required(): NonNullable<ReturnType<typeof librdkafka>> {
  const library = librdkafka()
  if (library === null) throw new Error('the npm packages are not there')
  return library
}

/** With the system's zlib, OpenSSL and zstd: what its own configure finds. lz4 is in its sources. */
async function buildLibrdkafka(): Promise<void> {
  const { sources, home } = required()
  if (!existsSync('/usr/include/zstd.h')) {
    process.stderr.write(
      '          without zstd: `apt-get install libzstd-dev` (or the like) first, for the cells with it\n',
    )
  }
  const work = await mkdtemp(path.join(tmpdir(), 'headrace-librdkafka-'))
  try {
    await cp(sources, work, { recursive: true })
    await run('./configure', [`--prefix=${home}`], { cwd: work })
    await run('make', [`-j${cpus().length}`, 'libs'], { cwd: work })
    for (const part of ['src', 'src-cpp']) await run('make', ['-C', part, 'install'], { cwd: work })
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

function compileContender(): Promise<void> {
  const { home } = required()
  const library = [`-I${home}/include/librdkafka`, `-L${home}/lib`, '-lrdkafka', `-Wl,-rpath,${home}/lib`]
  return run('gcc', ['-O2', '-o', path.join(BUILT, 'librdkafka'), path.join(CONTENDERS, 'librdkafka.c'), ...library])
}

function compileSink(): Promise<void> {
  return run('gcc', ['-O2', '-o', path.join(BUILT, 'null-sink'), SINK])
}

/** Its own build downloads zstd and OpenSSL; against the librdkafka built above it needs nothing. */
function buildConfluent(): Promise<void> {
  const { home } = required()
  const name = '@confluentinc/kafka-javascript'
  const include = `${home}/include/librdkafka:${home}/include`
  const linking = {
    BUILD_LIBRDKAFKA: '0',
    CKJS_LINKING: 'dynamic',
    CPLUS_INCLUDE_PATH: include,
    C_INCLUDE_PATH: include,
  }
  const env = {
    ...linking,
    LIBRARY_PATH: `${home}/lib`,
    LD_RUN_PATH: `${home}/lib`,
    npm_config_build_from_source: name,
  }
  return run('npm', ['rebuild', name], { env })
}

async function compileJavaContender(): Promise<void> {
  const [installation, jars] = await Promise.all([findJava(), ensureJars(NEWEST_VERSION)])
  await compileJava('../../../../bench/contenders/java', installation, jars)
}

interface RunOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
}

function run(command: string, args: readonly string[], { cwd = PEERS, env = {} }: RunOptions = {}): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const keep = (text: string): void => void (output = (output + text).slice(-1_500))
    child.stdout.setEncoding('utf8').on('data', keep)
    child.stderr.setEncoding('utf8').on('data', keep)
    child.once('error', reject)
    child.once('close', (code) => {
      if (code === 0) resolve()
      else reject(new Error(`${command} ${args.join(' ')} ended with ${String(code)}\n${output}`))
    })
  })
}
