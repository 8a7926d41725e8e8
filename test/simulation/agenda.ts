/** Something that happens at a moment of virtual time. */
export interface Appointment {
  readonly atMs: number
  /** Breaks ties. */
  readonly order: number
  readonly act: () => void
  isCancelled: boolean
}

/** What will happen, earliest first: a binary heap. What is cancelled stays in it until its time comes. */
export class Agenda {
  readonly #heap: Appointment[] = []

  /** How many there are that are not cancelled. */
  get liveCount(): number {
    return this.#heap.reduce((count, { isCancelled }) => count + (isCancelled ? 0 : 1), 0)
  }

  /** When the next one is due; Infinity: there is none. */
  get nextAtMs(): number {
    while (this.#heap[0]?.isCancelled === true) this.#take()
    return this.#heap[0]?.atMs ?? Infinity
  }

  add(atMs: number, order: number, act: () => void): Appointment {
    const appointment: Appointment = { atMs, order, act, isCancelled: false }
    const heap = this.#heap
    let at = heap.push(appointment) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (isBefore(heap[parent]!, appointment)) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = appointment
    return appointment
  }

  /** Takes the next one out if it is due. */
  takeDue(nowMs: number): Appointment | null {
    return this.nextAtMs <= nowMs ? this.#take() : null
  }

  #take(): Appointment | null {
    const heap = this.#heap
    const [first] = heap
    const last = heap.pop()
    if (first === undefined || last === undefined || heap.length === 0) return first ?? null
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++
      if (isBefore(last, heap[child]!)) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = last
    return first
  }
}

function isBefore(a: Appointment, b: Appointment): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
}
