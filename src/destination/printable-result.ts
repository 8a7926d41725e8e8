import type { RecordMetadata } from '../index.ts'
import type { DeliveryResult } from './delivery-result.ts'

/** The result of an event that arrived, by far the most: built at once, in one shape, because every event has one. */
export class DeliveredResult implements DeliveryResult {
  readonly event: number
  readonly mapping: string | null
  readonly status = 200
  readonly topic: string
  readonly partition: number
  readonly offset: bigint

  constructor(event: number, mapping: string | null, { topic, partition, offset }: RecordMetadata) {
    this.event = event
    this.mapping = mapping
    this.topic = topic
    this.partition = partition
    this.offset = offset
  }

  /** JSON has no 64-bit integers: offsets are decimal strings. */
  toJSON(): object {
    return toJson.call(this)
  }
}

function toJson(this: DeliveryResult): object {
  const { deadLetter } = this
  return {
    ...this,
    ...(this.offset === undefined ? {} : { offset: String(this.offset) }),
    ...(deadLetter !== undefined && 'offset' in deadLetter
      ? { deadLetter: { ...deadLetter, offset: String(deadLetter.offset) } }
      : {}),
  }
}

const printable = Object.freeze({ toJSON: toJson })

/** The same result, which can be written as JSON. */
export function printableResult(result: DeliveryResult): DeliveryResult {
  if (result instanceof DeliveredResult) return result
  return Object.assign(Object.create(printable) as object, result)
}
