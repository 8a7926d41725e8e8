import { brokerRuntime, javaArguments } from './broker-runtime.ts'
import { compileJava } from './java-classes.ts'
import { runCommand } from './run-command.ts'

/**
 * What old brokers have no API for, by the tools of their own version, which write to ZooKeeper behind the brokers'
 * backs. Each call is a JVM of its own: about a second.
 */
export interface AtZooKeeper {
  readonly version: string
  /** `host:port`: see `RealCluster.zookeeper`. */
  readonly zookeeper: string
}

export interface TopicToCreate {
  readonly topic: string
  readonly partitions: number
  readonly replicationFactor: number
  readonly configs?: Readonly<Record<string, string>>
}

export async function createTopic(at: AtZooKeeper, topic: TopicToCreate): Promise<void> {
  const configs = Object.entries(topic.configs ?? {}).flatMap(([name, value]) => ['--config', `${name}=${value}`])
  const counts = ['--partitions', String(topic.partitions), '--replication-factor', String(topic.replicationFactor)]
  await topicCommand(at, ['--create', '--topic', topic.topic, ...counts, ...configs])
}

export async function deleteTopic(at: AtZooKeeper, topic: string): Promise<void> {
  await topicCommand(at, ['--delete', '--topic', topic])
}

export async function createPartitions(at: AtZooKeeper, topic: string, partitions: number): Promise<void> {
  await topicCommand(at, ['--alter', '--topic', topic, '--partitions', String(partitions)])
}

/** Asks the controller to give every partition of the cluster back to its preferred leader; it does so later. */
export async function electLeaders(at: AtZooKeeper): Promise<void> {
  await run(at, 'kafka.admin.PreferredReplicaLeaderElectionCommand', [])
}

/** Names and new passwords, for both kinds of SCRAM; null: the user has none any more. One JVM for all. */
export async function alterUsers(
  at: AtZooKeeper,
  users: readonly (readonly [name: string, password: string | null])[],
): Promise<void> {
  if (users.length === 0) return
  const runtime = await brokerRuntime(at.version)
  const runner = await compileJava('commands', runtime.java, runtime.jars)
  const java = await javaArguments(runtime, at.version, [runner])
  const commands = users.map(([name, password]) => {
    const entity = ['--zookeeper', at.zookeeper, '--alter', '--entity-type', 'users', '--entity-name', name]
    return ['kafka.admin.ConfigCommand', ...entity, ...scramChange(password)].join('\u001f')
  })
  const said = await runCommand(runtime.java.java, [...java, 'Commands'], { input: `${commands.join('\n')}\n` })
  // The oldest ones report a refusal on stdout and exit with 0.
  if (said.split('Completed').length - 1 !== users.length) throw new Error(`ConfigCommand: ${said.trim()}`)
}

function scramChange(password: string | null): string[] {
  if (password === null) return ['--delete-config', 'SCRAM-SHA-256,SCRAM-SHA-512']
  return ['--add-config', `SCRAM-SHA-256=[password=${password}],SCRAM-SHA-512=[password=${password}]`]
}

async function topicCommand(at: AtZooKeeper, args: readonly string[]): Promise<void> {
  const said = await run(at, 'kafka.admin.TopicCommand', args)
  // The oldest ones report a refusal on stdout and exit with 0.
  if (/^Error/m.test(said)) throw new Error(`TopicCommand ${args.join(' ')}: ${said.trim()}`)
}

async function run({ version, zookeeper }: AtZooKeeper, tool: string, args: readonly string[]): Promise<string> {
  const runtime = await brokerRuntime(version)
  const java = await javaArguments(runtime, version)
  return runCommand(runtime.java.java, [...java, tool, '--zookeeper', zookeeper, ...args])
}
