/** What records are told that find no room in `bufferBytes`. */
import { DeliveryError } from '../errors.ts'

export function tooLargeForBuffer(topic: string, bytes: number, bufferBytes: number): DeliveryError {
  const what = `a record that takes ${bytes} bytes of memory for topic ${JSON.stringify(topic)} is over bufferBytes (${bufferBytes})`
  return new DeliveryError('RECORD_TOO_LARGE', `send: RECORD_TOO_LARGE: ${what}`, { topic })
}

export function bufferFull(topic: string, what: string): DeliveryError {
  const message = `send: BUFFER_FULL: topic ${JSON.stringify(topic)}: ${what}`
  return new DeliveryError('BUFFER_FULL', message, { topic, retriable: true })
}

/** It waited as long as it may. */
export function noRoomInTime(
  topic: string,
  options: { readonly bufferBytes: number; readonly maxBlockMs: number; readonly deliveryTimeoutMs: number },
): DeliveryError {
  const { bufferBytes, maxBlockMs, deliveryTimeoutMs } = options
  const bound = deliveryTimeoutMs < maxBlockMs ? 'deliveryTimeoutMs' : 'maxBlockMs'
  const within = `${bound} (${Math.min(maxBlockMs, deliveryTimeoutMs)} ms)`
  const what = `no room in bufferBytes (${bufferBytes}) within ${within}`
  return bufferFull(topic, `${what}: the brokers take records slower than they are sent`)
}
