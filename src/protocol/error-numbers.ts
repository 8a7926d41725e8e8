/** Kafka's error numbers, by the names that code compares with; what each means is in `error-codes.ts`. */
export const CORRUPT_MESSAGE = 2
export const UNKNOWN_TOPIC_OR_PARTITION = 3
export const LEADER_NOT_AVAILABLE = 5
export const NOT_LEADER_OR_FOLLOWER = 6
export const MESSAGE_TOO_LARGE = 10
export const INVALID_TOPIC_EXCEPTION = 17
export const NOT_ENOUGH_REPLICAS = 19
export const INVALID_REQUIRED_ACKS = 21
export const INVALID_REQUEST = 42
export const OUT_OF_ORDER_SEQUENCE_NUMBER = 45
export const INVALID_PRODUCER_EPOCH = 47
export const UNKNOWN_PRODUCER_ID = 59
export const UNSUPPORTED_COMPRESSION_TYPE = 76
export const INVALID_RECORD = 87
export const UNKNOWN_TOPIC_ID = 100
export const TRANSACTIONAL_ID_NOT_FOUND = 105
