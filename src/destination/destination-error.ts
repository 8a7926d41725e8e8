import { KafkaError } from '../index.ts'

export type DestinationErrorCode =
  | 'INVALID_OPTIONS' // options or mappings that are no such thing
  | 'TOO_MANY_MAPPINGS' // more than 50
  | 'INVALID_TRIGGER' // the trigger of a mapping cannot be read; `cause` has the position
  | 'INVALID_MAPPING' // the fields of a mapping are wrong
  | 'LIQUID_UNAVAILABLE' // a mapping has @liquid, and liquidjs is not installed
  | 'TOPIC_NOT_CONFINED' // events could choose any topic, and there is no topicAllowList
  | 'INVALID_ARGUMENT' // an argument of a call is of the wrong kind
  | 'CREDENTIALS_INVALID' // testAuthentication: the settings do not lead into the cluster
  | 'CLOSED' // the destination was closed

/** A destination that cannot be made as asked for, or a call of it that cannot be answered. */
export class DestinationError extends KafkaError {
  override readonly name = 'DestinationError'
  readonly code: DestinationErrorCode
  /** Like HTTP's: what was given has to change, trying again is useless. 503: try again. */
  readonly status: 400 | 401 | 503
  /** The mapping it is about. */
  declare readonly mapping?: string

  constructor(
    code: DestinationErrorCode,
    message: string,
    details: { mapping?: string; cause?: unknown; status?: 400 | 401 | 503 } = {},
  ) {
    super(message, { cause: details.cause, retriable: details.status === 503 })
    this.code = code
    this.status = details.status ?? 400
    if (details.mapping !== undefined) this.mapping = details.mapping
  }
}
