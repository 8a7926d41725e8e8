import { existsSync } from 'node:fs'
import path from 'node:path'
import { InvalidArgumentError } from 'commander'
import { compileJava } from '../../test/support/kafka/java-classes.ts'
import { BrokersUnavailable, findJava } from '../../test/support/kafka/java-installation.ts'
import { ensureJars } from '../../test/support/kafka/jars.ts'
import { NEWEST_VERSION } from '../../test/support/kafka/versions.ts'
import type { Cell } from './cells.ts'
import { BUILT, BUNDLES, librdkafka, NEWER_NODE, newerNodeVersion, peerFolder } from './peers.ts'

export interface Command {
  readonly program: string
  readonly args: readonly string[]
  /** What it runs on, for the table: `Node 20.19.0`, `C`, `Java 17`. */
  readonly runtime: string
}

export type ContenderKind = 'headrace' | 'node' | 'native' | 'limit'

export interface Contender {
  readonly name: string
  readonly title: string
  /** Which of them the best Node peer is looked for among. */
  readonly kind: ContenderKind
  /** Times as long as the others' warm-up: a Java machine compiles for seconds what Node has ready in one. */
  readonly warmFactor?: number
  /** Why it cannot do this; null: it can. */
  readonly refuses: (cell: Cell) => string | null
  /** @throws {Missing} it is not installed or cannot be built here. */
  readonly command: () => Promise<Command>
}

/** The message says what is missing and how to get it. */
export class Missing extends Error {
  override readonly name = 'Missing'
}

const SET_UP = 'npm run bench -- setup'
const able = (): null => null
/** Of the package `node` in bench/peers/package.json. */
const NEWER_NODE_MAJOR = '24'

export const CONTENDERS: readonly Contender[] = [
  { ...headrace('send'), title: 'headrace, awaited sends' },
  {
    ...headrace('send-all'),
    title: 'headrace, sendAll',
    refuses: needsFlood('sendAll() answers for all its records at once'),
  },
  { ...headrace('offer'), title: 'headrace, offer', refuses: needsFlood('measured by its form send') },
  { ...peer('kafkajs', 'kafkajs'), title: 'kafkajs', refuses: kafkajsRefuses },
  { ...peer('platformatic-1', 'platformatic-kafka-1'), title: '@platformatic/kafka 1', refuses: noZstdBeforeNode22 },
  { ...peer('platformatic-2', 'platformatic-kafka-2', NEWER_NODE), title: '@platformatic/kafka 2' },
  { ...peer('confluent', '@confluentinc/kafka-javascript'), title: '@confluentinc/kafka-javascript' },
  { ...peer('node-rdkafka', 'node-rdkafka'), title: 'node-rdkafka' },
  { name: 'librdkafka', title: 'librdkafka in C', kind: 'native', refuses: able, command: librdkafkaCommand },
  { name: 'java', title: "Kafka's Java producer", kind: 'native', warmFactor: 3, refuses: able, command: javaCommand },
  { name: 'raw', title: 'ready-made requests', kind: 'limit', refuses: rawRefuses, command: () => nodeCommand('raw') },
]

/** `name@24` runs a contender on the newer Node of the set-up. */
export function contendersNamed(names: readonly string[]): Contender[] {
  return names.map((full) => {
    const [name, node] = full.split('@')
    const found = CONTENDERS.find((each) => each.name === name)
    const known = CONTENDERS.map((each) => each.name).join(', ')
    if (found === undefined) throw new InvalidArgumentError(`no contender ${JSON.stringify(full)}; there are ${known}`)
    return node === undefined ? found : onNewerNode(found, full)
  })
}

function onNewerNode(contender: Contender, name: string): Contender {
  if (contender.kind === 'native' || !name.endsWith(`@${NEWER_NODE_MAJOR}`)) {
    throw new InvalidArgumentError(`${name}: only @${NEWER_NODE_MAJOR}, and only of what runs in Node`)
  }
  return {
    ...contender,
    name,
    title: `${contender.title}${name.slice(name.indexOf('@'))}`,
    command: () => nodeCommand(contender.name, NEWER_NODE),
  }
}

function headrace(form: string): Pick<Contender, 'name' | 'kind' | 'refuses' | 'command'> {
  const name = `headrace-${form}`
  return { name, kind: 'headrace', refuses: able, command: () => nodeCommand(name) }
}

function peer(name: string, folder: string, node?: string): Pick<Contender, 'name' | 'kind' | 'refuses' | 'command'> {
  const command = (): Promise<Command> => {
    if (!existsSync(peerFolder(folder))) throw new Missing(`${name} is not installed: ${SET_UP}`)
    return nodeCommand(name, node)
  }
  return { name, kind: 'node', refuses: able, command: async () => command() }
}

function needsFlood(reason: string): (cell: Cell) => string | null {
  return ({ load }) => (load === 'closed' ? null : reason)
}

function kafkajsRefuses({ compression }: Cell): string | null {
  return compression === 'none' ? null : `has no ${compression} of its own`
}

function noZstdBeforeNode22({ compression }: Cell): string | null {
  return compression === 'zstd' ? 'has no zstd before Node 22.15' : null
}

function rawRefuses({ target, compression, keyed, load }: Cell): string | null {
  if (target === 'kafka-3') return 'speaks to one broker only'
  if (compression !== 'none' || keyed) return 'its requests are ready-made: neither keys nor compression'
  return load === 'closed' || load === 'serial' ? null : 'it knows no latencies but those of one by one'
}

async function nodeCommand(name: string, node: string = process.execPath): Promise<Command> {
  if (!existsSync(node)) throw new Missing(`the newer Node is not installed: ${SET_UP}`)
  const args = [path.join(BUNDLES, `${name}.js`)]
  return Promise.resolve({
    program: node,
    args,
    runtime: node === NEWER_NODE ? `Node v${newerNodeVersion()}` : `Node ${process.version}`,
  })
}

async function librdkafkaCommand(): Promise<Command> {
  const program = path.join(BUILT, 'librdkafka')
  const library = librdkafka()
  if (library === null || !existsSync(program)) throw new Missing(`librdkafka is not built: ${SET_UP}`)
  return Promise.resolve({ program, args: [], runtime: 'C, gcc -O2' })
}

async function javaCommand(): Promise<Command> {
  try {
    const [installation, jars] = await Promise.all([findJava(), ensureJars(NEWEST_VERSION)])
    const classes = await compileJava('../../../../bench/contenders/java', installation, jars)
    const args = [
      '-Xmx1g',
      '-Dorg.slf4j.simpleLogger.defaultLogLevel=error',
      '-cp',
      `${jars.classPath}${path.delimiter}${classes}`,
    ]
    return { program: installation.java, args: [...args, 'ProducerContender'], runtime: 'Java' }
  } catch (error) {
    if (error instanceof BrokersUnavailable) throw new Missing(error.message)
    throw error
  }
}
