import { brokerRuntime, javaArguments } from './broker-runtime.ts'
import { zookeeperAddress, type ClusterPlan } from './cluster-plan.ts'
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

/** In KRaft the users are in the first metadata; here they are written once ZooKeeper runs. */
export async function addScramUsers(plan: ClusterPlan): Promise<void> {
  const at = { version: plan.version, zookeeper: zookeeperAddress(plan) ?? '' }
  const added = Object.entries(plan.users).map(([name, password]) =>
    run(at, 'kafka.admin.ConfigCommand', [
      ...['--alter', '--entity-type', 'users', '--entity-name', name],
      ...['--add-config', `SCRAM-SHA-256=[password=${password}],SCRAM-SHA-512=[password=${password}]`],
    ]),
  )
  await Promise.all(added)
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
