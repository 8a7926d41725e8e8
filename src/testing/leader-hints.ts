import type { BrokerNode, ClusterState, Partition } from './cluster-state.ts'

/** The new leaders that an answer speaks of, each with its address once (KIP-951). */
export class LeaderHints {
  readonly #state: ClusterState
  readonly #brokers = new Map<number, BrokerNode>()

  constructor(state: ClusterState) {
    this.#state = state
  }

  get endpoints(): { nodeId: number; host: string; port: number }[] {
    return [...this.#brokers.values()].map(({ nodeId, host, port }) => ({ nodeId, host, port }))
  }

  add({ leader, leaderEpoch }: Partition): { leaderId: number; leaderEpoch: number } {
    const broker = this.#state.liveBroker(leader)
    if (broker !== undefined) this.#brokers.set(leader, broker)
    return { leaderId: leader, leaderEpoch }
  }
}
