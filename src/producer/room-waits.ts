/** So much of the limit is free before whoever waits for room in general goes on: not one record at a time. */
const READY_SHARE = 0.25

interface RoomWait {
  readonly isOver: () => boolean
  readonly resolve: () => void
}

/** Those who wait until there is room for something, without a record in hand. */
export class RoomWaits {
  #waits: RoomWait[] = []

  /** Resolves as soon as `isOver` is true when somebody looks; at once, if it is now. */
  until(isOver: () => boolean): Promise<void> {
    if (isOver()) return Promise.resolve()
    return new Promise((resolve) => this.#waits.push({ isOver, resolve }))
  }

  /** Something was given back. */
  look(): void {
    if (this.#waits.length === 0) return
    this.#waits = this.#waits.filter(({ isOver, resolve }) => {
      const isReady = isOver()
      if (isReady) resolve()
      return !isReady
    })
  }

  /** Nobody will bring room any more. */
  wakeAll(): void {
    for (const { resolve } of this.#waits.splice(0)) resolve()
  }
}

/** Room for what was refused, and for some more: whoever comes back should not be refused at once. */
export function isRoomy(usedBytes: number, limitBytes: number, refusedBytes: number): boolean {
  return usedBytes === 0 || usedBytes + Math.max(refusedBytes, READY_SHARE * limitBytes) <= limitBytes
}
