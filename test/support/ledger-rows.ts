/** How far a value has come. */
export const Status = { made: 0, accepted: 1, delivered: 2, refused: 3, maybeWritten: 4 } as const
export type Status = (typeof Status)[keyof typeof Status]

const PAGE_ROWS = 4096
const MAX_COPIES = 255

/** 35 bytes a value, whatever its size: five million of them take 175 MB. */
class Page {
  readonly status = new Uint8Array(PAGE_ROWS)
  readonly copies = new Uint8Array(PAGE_ROWS)
  readonly isBorneOut = new Uint8Array(PAGE_ROWS)
  /** Where it was meant to go. */
  readonly lane = new Uint32Array(PAGE_ROWS)
  readonly counter = new Uint32Array(PAGE_ROWS)
  /** Its place in the order of acceptance. */
  readonly rank = new Uint32Array(PAGE_ROWS)
  /** Where it was said to be. */
  readonly deliveredLane = new Uint32Array(PAGE_ROWS)
  readonly offset = new Float64Array(PAGE_ROWS)
  readonly timestamp = new Float64Array(PAGE_ROWS)
}

/** What a ledger keeps of each value: columns instead of objects, so that it can judge millions. */
export class LedgerRows {
  readonly #pages: Page[] = []
  /** A lane is a topic and a partition, -1: whichever the partitioner chooses. */
  readonly #lanes = new Map<string, Map<number, number>>()
  readonly #laneNames: string[] = []
  #count = 0

  get count(): number {
    return this.#count
  }

  lane(topic: string, partition: number): number {
    let partitions = this.#lanes.get(topic)
    if (partitions === undefined) this.#lanes.set(topic, (partitions = new Map<number, number>()))
    let lane = partitions.get(partition)
    if (lane === undefined) {
      lane = this.#laneNames.push(partition < 0 ? `${topic} (any partition)` : `${topic}-${partition}`) - 1
      partitions.set(partition, lane)
    }
    return lane
  }

  laneName(lane: number): string {
    return this.#laneNames[lane] ?? '?'
  }

  /** @returns its id: 0, 1, 2 and so on. */
  add(lane: number, counter: number): number {
    const id = this.#count++
    if (id % PAGE_ROWS === 0) this.#pages.push(new Page())
    const page = this.#page(id)
    page.lane[id % PAGE_ROWS] = lane
    page.counter[id % PAGE_ROWS] = counter
    return id
  }

  accept(id: number, rank: number): void {
    this.#page(id).status[id % PAGE_ROWS] = Status.accepted
    this.#page(id).rank[id % PAGE_ROWS] = rank
  }

  deliver(id: number, lane: number, offset: bigint, timestamp: number): void {
    const page = this.#page(id)
    const row = id % PAGE_ROWS
    page.status[row] = Status.delivered
    page.deliveredLane[row] = lane
    page.offset[row] = Number(offset)
    page.timestamp[row] = timestamp
  }

  fail(id: number, maybeWritten: boolean): void {
    this.#page(id).status[id % PAGE_ROWS] = maybeWritten ? Status.maybeWritten : Status.refused
  }

  status(id: number): Status {
    return (this.#page(id).status[id % PAGE_ROWS] ?? 0) as Status
  }

  laneOf(id: number): number {
    return this.#page(id).lane[id % PAGE_ROWS] ?? 0
  }

  counter(id: number): number {
    return this.#page(id).counter[id % PAGE_ROWS] ?? 0
  }

  rank(id: number): number {
    return this.#page(id).rank[id % PAGE_ROWS] ?? 0
  }

  copies(id: number): number {
    return this.#page(id).copies[id % PAGE_ROWS] ?? 0
  }

  /** One more copy was read. @returns how many that makes. */
  countCopy(id: number): number {
    const copies = Math.min(this.copies(id) + 1, MAX_COPIES)
    this.#page(id).copies[id % PAGE_ROWS] = copies
    return copies
  }

  /** Where a delivered value was said to be, in words. */
  coordinates(id: number): string {
    const { deliveredLane, offset, timestamp } = this.#page(id)
    const row = id % PAGE_ROWS
    return `to ${this.laneName(deliveredLane[row] ?? 0)} offset ${offset[row] ?? 0} timestamp ${timestamp[row] ?? 0}`
  }

  /** Whether what was said of it is true of a copy. An offset that nobody knew is not wrong; the partition can be. */
  isAt(id: number, at: { lane: number; offset: bigint; timestamp: number }): boolean {
    const { deliveredLane, offset, timestamp } = this.#page(id)
    const row = id % PAGE_ROWS
    if (deliveredLane[row] !== at.lane) return false
    return offset[row] === -1 || (offset[row] === Number(at.offset) && timestamp[row] === at.timestamp)
  }

  bearOut(id: number): void {
    this.#page(id).isBorneOut[id % PAGE_ROWS] = 1
  }

  isBorneOut(id: number): boolean {
    return this.#page(id).isBorneOut[id % PAGE_ROWS] === 1
  }

  #page(id: number): Page {
    const page = this.#pages[Math.floor(id / PAGE_ROWS)]
    if (page === undefined || id >= this.#count) throw new Error(`ledger: there is no value ${id}`)
    return page
  }
}
