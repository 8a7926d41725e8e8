import { setTimeout as delay } from 'node:timers/promises'
import { LineProcess } from '../kafka/line-process.ts'
import { javaCommand } from './chaos-java.ts'

/** One partition as the controller sees it. */
export interface PartitionState {
  readonly topic: string
  readonly partition: number
  /** -1: none at the moment. */
  readonly leader: number
  /** The preferred leader first. */
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
}

export interface ClusterState {
  /** Node id of the active controller. */
  readonly controller: number
  readonly partitions: readonly PartitionState[]
}

export interface Placement {
  readonly topic: string
  readonly partition: number
  readonly replicas: readonly number[]
}

const RECOVERY_TIMEOUT_MS = 120_000
const ASK_PAUSE_MS = 100

/** Kafka's AdminClient during chaos: it retries, because the node it asks may be the one that was killed. */
export class ChaosAdmin {
  readonly #process: LineProcess

  private constructor(process: LineProcess) {
    this.#process = process
  }

  /** @throws {BrokersUnavailable} no Java, or no jars. */
  static async start(bootstrap: string, version: string): Promise<ChaosAdmin> {
    const { java, args } = await javaCommand('ChaosAdmin', version)
    return new ChaosAdmin(new LineProcess(java, [...args, bootstrap]))
  }

  /** Resolves when the topic exists and each partition has a leader. */
  async createTopic(topic: string, partitions: number, replicas: number): Promise<void> {
    await this.#retry('create', { topic, partitions, replicas }, /TopicExists/)
    await this.#until(`leaders of ${topic}`, async () =>
      (await this.state([topic])).partitions.every(({ leader }) => leader > 0),
    )
  }

  async deleteTopic(topic: string): Promise<void> {
    await this.#retry('delete', { topic }, /UnknownTopicOrPartition/)
  }

  async state(topics: readonly string[]): Promise<ClusterState> {
    return (await this.#retry('state', { topics })) as ClusterState
  }

  /** Gives partitions these replicas and resolves when the data are there. */
  async place(partitions: readonly Placement[]): Promise<void> {
    await this.#retry('place', { partitions })
    await this.#until('reassignment', async () => (await this.#retry('moving', {})) === 0)
  }

  /** Gives partitions back to their preferred leaders; how many got another leader. */
  async electPreferred(topics: readonly string[]): Promise<number> {
    return (await this.#retry('elect', { topics })) as number
  }

  /** Resolves when every replica of every partition is in sync: one more broker may fall. */
  async awaitInSync(topics: readonly string[]): Promise<void> {
    await this.#until('in-sync replicas', async () =>
      (await this.state(topics)).partitions.every(
        ({ leader, isr, replicas }) => leader > 0 && isr.length === replicas.length,
      ),
    )
  }

  async close(): Promise<void> {
    await this.#process.close()
  }

  async #until(what: string, isSo: () => Promise<boolean>): Promise<void> {
    const deadline = Date.now() + RECOVERY_TIMEOUT_MS
    while (!(await isSo())) {
      if (Date.now() > deadline) throw new Error(`The cluster: no ${what} in ${RECOVERY_TIMEOUT_MS} ms`)
      await delay(ASK_PAUSE_MS)
    }
  }

  /** What an earlier attempt has done already, though its answer was lost, is done. */
  async #retry(op: string, request: object, done?: RegExp): Promise<unknown> {
    const deadline = Date.now() + RECOVERY_TIMEOUT_MS
    for (let attempt = 1; ; attempt++) {
      try {
        return (await this.#process.ask(op, request)).result
      } catch (error) {
        if (attempt > 1 && done?.test(String(error)) === true) return null
        if (Date.now() > deadline || /the helper has ended/.test(String(error))) throw error
        await delay(ASK_PAUSE_MS)
      }
    }
  }
}
