import type { DeliveryResult } from './delivery-result.ts'

const printable = Object.freeze({
  /** JSON has no 64-bit integers: offsets are decimal strings. */
  toJSON(this: DeliveryResult): object {
    const { deadLetter } = this
    return {
      ...this,
      ...(this.offset === undefined ? {} : { offset: String(this.offset) }),
      ...(deadLetter !== undefined && 'offset' in deadLetter
        ? { deadLetter: { ...deadLetter, offset: String(deadLetter.offset) } }
        : {}),
    }
  },
})

/** The same result, which can be written as JSON. */
export function printableResult(result: DeliveryResult): DeliveryResult {
  return Object.assign(Object.create(printable) as object, result)
}
