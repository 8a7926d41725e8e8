import { formatAddress, isSameAddress, type BrokerAddress } from '../connection/broker-address.ts'
import type { Connection } from '../connection/connection.ts'
import type { KafkaError } from '../errors.ts'
import type { Link } from './link.ts'
import { ReconnectBackoff, type ReconnectBackoffOptions } from './reconnect-backoff.ts'

type NewLink = (nodeId: number | null, target: BrokerAddress, backoff: ReconnectBackoff) => Link

/**
 * The ways to all brokers: by node id, which is how records are routed (two ids may share an address), and the bootstrap
 * addresses, of which nobody knows whose they are.
 */
export class Links {
  readonly #options: ReconnectBackoffOptions
  readonly #newLink: NewLink
  readonly #byNode = new Map<number, Link>()
  readonly #seeds = new Map<string, Link>()
  /** By address: a broker is spared whatever name it is dialled by. */
  readonly #backoffs = new Map<string, ReconnectBackoff>()
  #brokers: ReadonlyMap<number, BrokerAddress> = new Map()

  constructor(options: ReconnectBackoffOptions, newLink: NewLink) {
    this.#options = options
    this.#newLink = newLink
  }

  /** The link to a broker; null: nobody has told us where it is. One that moved gets a new link. */
  to(nodeId: number): Link | null {
    const target = this.#brokers.get(nodeId)
    const known = this.#byNode.get(nodeId)
    if (target === undefined) return known ?? null
    if (known !== undefined && isSameAddress(known.target, target)) return known
    known?.close() // the broker moved
    const link = this.#newLink(nodeId, target, this.#backoff(target))
    this.#byNode.set(nodeId, link)
    return link
  }

  /** As it is, whatever its address should be. */
  peek(nodeId: number): Link | undefined {
    return this.#byNode.get(nodeId)
  }

  /** One for each broker of the latest picture. */
  get known(): Link[] {
    return [...this.#brokers.keys()].map((nodeId) => this.to(nodeId)).filter((link) => link !== null)
  }

  /** Wherever one could begin one would hear the refusal of the last time. */
  get isEverySeedRefused(): boolean {
    return this.#seeds.size > 0 && [...this.#seeds.values()].every(({ isRefused }) => isRefused)
  }

  seed(address: BrokerAddress): Link {
    const name = formatAddress(address)
    const seed = this.#seeds.get(name) ?? this.#newLink(null, address, this.#backoff(address))
    this.#seeds.set(name, seed)
    return seed
  }

  /** Takes the brokers of a new picture. */
  update(brokers: ReadonlyMap<number, BrokerAddress>): void {
    this.#brokers = brokers
    this.#adoptSeeds()
    // A broker that is gone keeps its connection while there is one: an answer may still come.
    for (const [nodeId, link] of this.#byNode) {
      if (!brokers.has(nodeId) && link.isUnused) this.#byNode.delete(nodeId)
    }
    for (const [address, seed] of this.#seeds) if (seed.isUnused) this.#seeds.delete(address)
  }

  /** All links end, and nothing is known. */
  forget(reason?: KafkaError): void {
    for (const link of [...this.#byNode.values(), ...this.#seeds.values()]) link.close(reason)
    this.#byNode.clear()
    this.#seeds.clear()
    this.#backoffs.clear()
    this.#brokers = new Map()
  }

  #backoff(target: BrokerAddress): ReconnectBackoff {
    const address = formatAddress(target)
    const backoff = this.#backoffs.get(address) ?? new ReconnectBackoff(this.#options)
    this.#backoffs.set(address, backoff)
    return backoff
  }

  /** A bootstrap connection whose address is that of a broker is the connection to that broker. */
  #adoptSeeds(): void {
    for (const [nodeId, target] of this.#brokers) {
      const seed = this.#seeds.get(formatAddress(target))
      const known: Connection | null = this.#byNode.get(nodeId)?.ready ?? null
      if (seed === undefined || known !== null) continue
      const connection = seed.release()
      if (connection !== null) this.to(nodeId)?.adopt(connection)
    }
  }
}
