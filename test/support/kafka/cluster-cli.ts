import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { brokerRuntime } from './broker-runtime.ts'
import { launchCluster, pidsOf, securityFiles, zookeeperOf } from './cluster.ts'
import { listenersOf, type ClusterPlan } from './cluster-plan.ts'
import { awaitReady, destroyCluster, isRunning, killNode, launchNode } from './node-control.ts'
import { changeCluster, forgetCluster, listClusters, saveCluster } from './running-clusters.ts'
import { startProgress } from './start-progress.ts'
import { KAFKA_VERSIONS, NEWEST_VERSION } from './versions.ts'

const EXIT = { ok: 0, failure: 1, usage: 2 } as const
const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 }

interface UpOptions {
  readonly version: string
  readonly nodes: 1 | 3
  readonly security: boolean
  readonly authorizer: boolean
  readonly ttl: number
  readonly property: Readonly<Record<string, string>>
}

interface NodeOptions {
  readonly id?: string
  readonly node: number[]
}

async function up({ version, nodes, security, authorizer, ttl, property }: UpOptions): Promise<void> {
  const progress = startProgress(version, nodes)
  const options = {
    version,
    nodes,
    security,
    authorizer,
    properties: property,
    ttlMs: ttl,
    onProgress: progress.report,
  }
  const { plan, processes } = await launchCluster(options).finally(progress.stop)
  // Until it is detached the cluster ends with this command, so that Ctrl-C at any moment leaves nothing behind.
  await saveCluster(plan)
  await Promise.all(processes.map((node) => node.detach()))
  printLine(describe(plan))
}

async function down({ id }: { readonly id?: string }): Promise<void> {
  const plans = id === undefined ? await listClusters() : [await findCluster(id)]
  for (const plan of plans) {
    await destroyCluster(plan)
    await forgetCluster(plan.id)
    process.stderr.write(`${plan.id} is down\n`)
  }
  if (plans.length === 0) process.stderr.write('No cluster is running\n')
}

async function kill({ id, node }: NodeOptions): Promise<void> {
  const plan = await findCluster(id)
  await Promise.all(node.map((nodeId) => killNode(plan, nodeId)))
  process.stderr.write(`${plan.id}: killed node ${node.join(', ')}\n`)
}

async function start({ id, node }: NodeOptions): Promise<void> {
  const found = await findCluster(id)
  const runtime = await brokerRuntime(found.version)
  const plan = await changeCluster(found.id, async (current) => {
    const processes = await Promise.all(node.map((nodeId) => launchNode(runtime, current, nodeId)))
    // At once: the other nodes go on, and the end of this command must not take their data along.
    await Promise.all(processes.map((process) => process.detach()))
    return current
  })
  await awaitReady(plan)
  process.stderr.write(`${plan.id}: started node ${node.join(', ')}\n`)
}

async function list(): Promise<void> {
  for (const plan of await listClusters()) {
    const states = plan.nodes.map((node) => (isRunning(node) ? 'running' : 'dead'))
    printLine({ ...describe(plan), states, expiresAt: new Date(plan.expiresAtMs ?? 0).toISOString() })
  }
}

async function findCluster(id: string | undefined): Promise<ClusterPlan> {
  const plans = await listClusters()
  const [only] = id === undefined ? plans : plans.filter((plan) => plan.id === id)
  if (only !== undefined && (id !== undefined || plans.length === 1)) return only
  const running = plans.map((plan) => plan.id).join(', ') || 'none'
  throw new InvalidArgumentError(`${id === undefined ? '--id is needed' : `no cluster ${id}`}; running: ${running}`)
}

function describe(plan: ClusterPlan): object {
  const { id, version, users } = plan
  const zookeeper = plan.zookeeper === undefined ? {} : { zookeeper: zookeeperOf(plan) }
  const common = { id, version, listeners: listenersOf(plan), users, files: securityFiles(plan), pids: pidsOf(plan) }
  return { ...common, ...zookeeper }
}

function printLine(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`)
}

function durationMs(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([smh])$/.exec(text)
  const ms = Number(match?.[1]) * (UNIT_MS[match?.[2] ?? ''] ?? Number.NaN)
  if (!(ms >= 1_000)) throw new InvalidArgumentError('expected a duration such as 90s, 30m or 4h')
  return ms
}

function nodeNumber(text: string, before: number[] | undefined): number[] {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError('nodes are numbered from 1')
  return [...(before ?? []), Number(text)]
}

function property(text: string, before: Readonly<Record<string, string>>): Record<string, string> {
  const equals = text.indexOf('=')
  if (equals < 1) throw new InvalidArgumentError('expected name=value')
  return { ...before, [text.slice(0, equals)]: text.slice(equals + 1) }
}

const EXAMPLES = `
Examples:
  npm run -s cluster -- up                                   one node of the newest version, for 4 hours
  npm run -s cluster -- up --version 3.9.1 --nodes 3 --security --ttl 30m
  npm run -s cluster -- up --property min.insync.replicas=2 --property auto.create.topics.enable=false
  npm run -s cluster -- up --version 0.10.0.1                an old one, and the ZooKeeper it needs
  npm run -s cluster -- list
  npm run -s cluster -- kill --id kafka-Ab12Cd --node 2      SIGKILL; its data and ports are kept
  npm run -s cluster -- start --id kafka-Ab12Cd --node 2
  npm run -s cluster -- down                                 all that \`up\` started; --id for one

\`up\` prints one line of JSON: {"id","version","listeners","users","files","pids"}, and of
versions that need one "zookeeper": {"address","pid"}. Everything else goes to stderr.
Exit codes: 0 done, 1 failed, 2 wrong usage. HEADRACE_CACHE moves the downloads out of ~/.cache/headrace.
HEADRACE_KEEP_LOGS=1 keeps a cluster's folder after its end.`

function buildProgram(): Command {
  const program = new Command('cluster').description('Real Apache Kafka clusters on this machine, on loopback only')
  program.exitOverride().addHelpText('after', EXAMPLES)
  program
    .command('up')
    .description('start a cluster that lives until `down` or the end of its time')
    .addOption(versionOption())
    .addOption(nodesOption())
    .option('--security', 'add SSL, mTLS, SASL_PLAINTEXT and SASL_SSL listeners', false)
    .option('--authorizer', 'with --security: whoever has a name may do nothing that no ACL allows', false)
    .option('--ttl <duration>', 'end it after this in any case (90s, 30m, 4h)', durationMs, durationMs('4h'))
    .option('--property <name=value>', 'a broker property, repeatable', property, {})
    .action(up)
  program.command('down').description('end clusters').option('--id <id>', 'only this one').action(down)
  program.command('list').description('print a line of JSON for each running cluster').action(list)
  nodeCommand(program, 'kill', 'end nodes with SIGKILL').action(kill)
  nodeCommand(program, 'start', 'start dead nodes again on their data').action(start)
  return program
}

function versionOption(): Option {
  const versions = KAFKA_VERSIONS.map((row) => row.version)
  return new Option('--version <version>', 'Kafka version').choices(versions).default(NEWEST_VERSION)
}

function nodesOption(): Option {
  const parse = (text: string) => {
    if (text !== '1' && text !== '3') throw new InvalidArgumentError('expected 1 or 3')
    return Number(text)
  }
  return new Option('--nodes <count>', '1 or 3').argParser(parse).default(1)
}

function nodeCommand(program: Command, name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .option('--id <id>', 'the cluster; not needed when only one runs')
    .requiredOption('--node <number>', 'which node, repeatable', nodeNumber)
}

function exitCodeOf(error: unknown): number {
  if (error instanceof InvalidArgumentError || error instanceof RangeError) {
    process.stderr.write(`error: ${error.message}\n`)
    return EXIT.usage
  }
  // Commander has written its own message already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
  process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`)
  return EXIT.failure
}

try {
  await buildProgram().parseAsync()
} catch (error) {
  process.exitCode = exitCodeOf(error)
}
