import { BrokerError } from '../errors.ts'
import type { ErrorDetails } from '../errors.ts'

/**
 * What a client does about an error code. A policy of last resort: whoever knows more (idempotence, a transaction, how
 * often it has been tried) may do better, and `decide.ts` does.
 */
export type Recovery =
  | 'none' // no error
  | 'fail' // trying again is useless
  | 'retry' // the same request again, after a pause
  | 'retry-briefly' // again, but only a few times: the same bytes will hardly be liked better the tenth time
  | 'refresh-metadata' // the request went to the wrong place; find the right one and try again
  | 'split' // of several records: in smaller batches; of one: fail
  | 'duplicate' // a success, of which the offset is not known
  | 'reset-producer-id' // idempotent: get a new epoch or id, start sequences anew and try again; otherwise: fail

export interface ErrorCode {
  readonly code: number
  /** Kafka's name. */
  readonly name: string
  readonly recovery: Recovery
  /** As an answer to Produce: the records may be in the log. `false` is a promise about this attempt, not about earlier ones. */
  readonly maybeWritten: boolean
  /** One sentence for people, without a full stop. */
  readonly text: string
}

/**
 * Number, name, recovery, maybe written, text. Numbers and names are those of Kafka 4.3.1. Retriable is what the Java
 * client retries, and -1, which brokers also give for troubles that pass. An answer that makes no sense for Produce
 * proves nothing about the records: it counts as "maybe written".
 *
 * Source: org.apache.kafka.common.protocol.Errors, by reflection.
 */
// prettier-ignore
const ROWS: readonly (readonly [code: number, name: string, recovery: Recovery, maybeWritten: boolean, text: string])[] = [
  [-1, 'UNKNOWN_SERVER_ERROR', 'retry', true, 'the broker failed in a way it has no code for; its log has the reason'],
  [0, 'NONE', 'none', true, 'there was no error'],
  [1, 'OFFSET_OUT_OF_RANGE', 'fail', true, 'the offset is outside of the log of the partition'],
  [2, 'CORRUPT_MESSAGE', 'retry-briefly', false, 'the broker found the batch damaged: its checksum or its format is wrong'],
  [3, 'UNKNOWN_TOPIC_OR_PARTITION', 'refresh-metadata', false, 'the broker does not have this topic or partition; it may not exist, or not yet'],
  [4, 'INVALID_FETCH_SIZE', 'fail', true, 'the fetch size is not possible'],
  [5, 'LEADER_NOT_AVAILABLE', 'refresh-metadata', false, 'the partition has no leader at the moment, an election is under way'],
  [6, 'NOT_LEADER_OR_FOLLOWER', 'refresh-metadata', true, 'the broker is no longer the leader of the partition'],
  [7, 'REQUEST_TIMED_OUT', 'retry', true, 'the replicas did not confirm in time; the leader has the records, the followers may have them'],
  [8, 'BROKER_NOT_AVAILABLE', 'fail', false, 'the broker that is needed is not available'],
  [9, 'REPLICA_NOT_AVAILABLE', 'refresh-metadata', false, 'the replica is not available on this broker'],
  [10, 'MESSAGE_TOO_LARGE', 'split', false, 'the batch or record is larger than max.message.bytes of the topic allows'],
  [11, 'STALE_CONTROLLER_EPOCH', 'fail', true, 'a newer controller has taken over'],
  [12, 'OFFSET_METADATA_TOO_LARGE', 'fail', true, 'the metadata of an offset commit is too large'],
  [13, 'NETWORK_EXCEPTION', 'refresh-metadata', true, 'the connection between brokers was lost before there was an answer'],
  [14, 'COORDINATOR_LOAD_IN_PROGRESS', 'retry', false, 'the coordinator is still loading its state'],
  [15, 'COORDINATOR_NOT_AVAILABLE', 'retry', false, 'there is no coordinator at the moment'],
  [16, 'NOT_COORDINATOR', 'retry', false, 'the broker is not the coordinator of this group or transactional id; it must be looked up again'],
  [17, 'INVALID_TOPIC_EXCEPTION', 'fail', false, 'the topic name is not allowed, or the topic is internal and cannot be written to'],
  [18, 'RECORD_LIST_TOO_LARGE', 'split', false, 'the batch is larger than a log segment (segment.bytes of the topic) can hold'],
  [19, 'NOT_ENOUGH_REPLICAS', 'retry', false, 'fewer replicas are in sync than min.insync.replicas asks for, so nothing was written'],
  [20, 'NOT_ENOUGH_REPLICAS_AFTER_APPEND', 'retry', true, 'the leader wrote the records, but fewer replicas are in sync than min.insync.replicas asks for'],
  [21, 'INVALID_REQUIRED_ACKS', 'fail', false, 'acks must be 0, 1 or -1 (all)'],
  [22, 'ILLEGAL_GENERATION', 'fail', true, 'the generation of the consumer group is not the current one'],
  [23, 'INCONSISTENT_GROUP_PROTOCOL', 'fail', true, 'the members of the consumer group have no protocol in common'],
  [24, 'INVALID_GROUP_ID', 'fail', true, 'the consumer group id is not valid'],
  [25, 'UNKNOWN_MEMBER_ID', 'fail', true, 'the consumer group does not know this member'],
  [26, 'INVALID_SESSION_TIMEOUT', 'fail', true, 'the session timeout is outside of what the broker allows'],
  [27, 'REBALANCE_IN_PROGRESS', 'fail', true, 'the consumer group is rebalancing'],
  [28, 'INVALID_COMMIT_OFFSET_SIZE', 'fail', true, 'the offset commit is too large'],
  [29, 'TOPIC_AUTHORIZATION_FAILED', 'fail', false, 'the principal lacks WRITE (or DESCRIBE, or CREATE) on the topic'],
  [30, 'GROUP_AUTHORIZATION_FAILED', 'fail', false, 'the principal lacks READ on the consumer group'],
  [31, 'CLUSTER_AUTHORIZATION_FAILED', 'fail', false, 'the principal lacks a right on the cluster, such as IDEMPOTENT_WRITE or CREATE'],
  [32, 'INVALID_TIMESTAMP', 'fail', false, 'the timestamp of a record is further from the time of the broker than the topic allows'],
  [33, 'UNSUPPORTED_SASL_MECHANISM', 'fail', false, 'the broker does not offer this SASL mechanism'],
  [34, 'ILLEGAL_SASL_STATE', 'fail', false, 'the broker did not expect this request during authentication; does the listener use SASL at all?'],
  [35, 'UNSUPPORTED_VERSION', 'fail', false, 'the broker does not support this version of the request'],
  [36, 'TOPIC_ALREADY_EXISTS', 'fail', false, 'a topic of this name exists already'],
  [37, 'INVALID_PARTITIONS', 'fail', false, 'the number of partitions is not possible'],
  [38, 'INVALID_REPLICATION_FACTOR', 'fail', false, 'the replication factor is below one or above the number of brokers'],
  [39, 'INVALID_REPLICA_ASSIGNMENT', 'fail', false, 'the assignment of replicas to brokers is not possible'],
  [40, 'INVALID_CONFIG', 'fail', false, 'a configuration value is not valid'],
  [41, 'NOT_CONTROLLER', 'refresh-metadata', false, 'the broker is not the controller of the cluster'],
  [42, 'INVALID_REQUEST', 'fail', false, 'the broker could not make sense of the request, or a limit of it was exceeded'],
  [43, 'UNSUPPORTED_FOR_MESSAGE_FORMAT', 'fail', false, 'the record format of the topic on the broker is too old for this request'],
  [44, 'POLICY_VIOLATION', 'fail', false, 'a policy that the operators of the cluster configured does not allow this'],
  [45, 'OUT_OF_ORDER_SEQUENCE_NUMBER', 'reset-producer-id', false, 'the sequence number of the batch does not follow the last one that the broker has'],
  [46, 'DUPLICATE_SEQUENCE_NUMBER', 'duplicate', true, 'the broker has this batch already, from an earlier attempt'],
  [47, 'INVALID_PRODUCER_EPOCH', 'reset-producer-id', false, 'the epoch of the producer is older than the one that the broker knows'],
  [48, 'INVALID_TXN_STATE', 'fail', false, 'the transaction is not in a state that allows this'],
  [49, 'INVALID_PRODUCER_ID_MAPPING', 'fail', false, 'the producer id does not belong to this transactional id (any more)'],
  [50, 'INVALID_TRANSACTION_TIMEOUT', 'fail', false, 'the transaction timeout is above transaction.max.timeout.ms of the broker'],
  [51, 'CONCURRENT_TRANSACTIONS', 'retry', false, 'the previous transaction of this producer is still being completed'],
  [52, 'TRANSACTION_COORDINATOR_FENCED', 'fail', false, 'a newer transaction coordinator has taken over'],
  [53, 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED', 'fail', false, 'the principal lacks a right on the transactional id'],
  [54, 'SECURITY_DISABLED', 'fail', false, 'security features are disabled on the broker'],
  [55, 'OPERATION_NOT_ATTEMPTED', 'fail', false, 'not attempted, because something else in the same request failed'],
  [56, 'KAFKA_STORAGE_ERROR', 'refresh-metadata', true, 'a disk of the broker failed'],
  [57, 'LOG_DIR_NOT_FOUND', 'fail', false, 'the log directory does not exist on the broker'],
  [58, 'SASL_AUTHENTICATION_FAILED', 'fail', false, 'the broker did not accept the credentials'],
  [59, 'UNKNOWN_PRODUCER_ID', 'reset-producer-id', false, 'the broker has forgotten the producer id, most likely because its records expired'],
  [60, 'REASSIGNMENT_IN_PROGRESS', 'fail', true, 'a reassignment of the partition is in progress'],
  [61, 'DELEGATION_TOKEN_AUTH_DISABLED', 'fail', true, 'delegation tokens are not enabled'],
  [62, 'DELEGATION_TOKEN_NOT_FOUND', 'fail', true, 'the delegation token does not exist'],
  [63, 'DELEGATION_TOKEN_OWNER_MISMATCH', 'fail', true, 'the delegation token belongs to another principal'],
  [64, 'DELEGATION_TOKEN_REQUEST_NOT_ALLOWED', 'fail', true, 'delegation tokens cannot be requested over this kind of connection'],
  [65, 'DELEGATION_TOKEN_AUTHORIZATION_FAILED', 'fail', true, 'the principal lacks a right on the delegation token'],
  [66, 'DELEGATION_TOKEN_EXPIRED', 'fail', true, 'the delegation token has expired'],
  [67, 'INVALID_PRINCIPAL_TYPE', 'fail', true, 'the principal type is not supported'],
  [68, 'NON_EMPTY_GROUP', 'fail', true, 'the consumer group still has members'],
  [69, 'GROUP_ID_NOT_FOUND', 'fail', true, 'the consumer group does not exist'],
  [70, 'FETCH_SESSION_ID_NOT_FOUND', 'retry', true, 'the fetch session does not exist (any more)'],
  [71, 'INVALID_FETCH_SESSION_EPOCH', 'retry', true, 'the epoch of the fetch session is not the current one'],
  [72, 'LISTENER_NOT_FOUND', 'refresh-metadata', false, 'the leader of the partition has no listener of the name that this client connected to'],
  [73, 'TOPIC_DELETION_DISABLED', 'fail', true, 'deleting topics is disabled'],
  [74, 'FENCED_LEADER_EPOCH', 'refresh-metadata', true, 'the leader epoch of the request is older than that of the broker'],
  [75, 'UNKNOWN_LEADER_EPOCH', 'refresh-metadata', false, 'the leader epoch of the request is newer than that of the broker'],
  [76, 'UNSUPPORTED_COMPRESSION_TYPE', 'fail', false, 'the broker does not support this compression, or not in this version of the request'],
  [77, 'STALE_BROKER_EPOCH', 'fail', true, 'the broker registered anew in the meantime'],
  [78, 'OFFSET_NOT_AVAILABLE', 'retry', true, 'the leader does not know its offsets yet'],
  [79, 'MEMBER_ID_REQUIRED', 'fail', true, 'the consumer must join again with the member id that it was given'],
  [80, 'PREFERRED_LEADER_NOT_AVAILABLE', 'refresh-metadata', false, 'the preferred leader of the partition is not available'],
  [81, 'GROUP_MAX_SIZE_REACHED', 'fail', true, 'the consumer group is full'],
  [82, 'FENCED_INSTANCE_ID', 'fail', true, 'another consumer has taken the same static member id'],
  [83, 'ELIGIBLE_LEADERS_NOT_AVAILABLE', 'refresh-metadata', false, 'no replica that may become leader is available'],
  [84, 'ELECTION_NOT_NEEDED', 'refresh-metadata', true, 'the preferred leader leads already'],
  [85, 'NO_REASSIGNMENT_IN_PROGRESS', 'fail', true, 'no reassignment of the partition is in progress'],
  [86, 'GROUP_SUBSCRIBED_TO_TOPIC', 'fail', true, 'the consumer group is subscribed to the topic'],
  [87, 'INVALID_RECORD', 'fail', false, 'the broker refused a record; a compacted topic, for one, needs keys'],
  [88, 'UNSTABLE_OFFSET_COMMIT', 'retry', true, 'a transaction has offset commits that are not decided yet'],
  [89, 'THROTTLING_QUOTA_EXCEEDED', 'retry', false, 'a quota of the cluster is exceeded; try again after the throttle time'],
  [90, 'PRODUCER_FENCED', 'fail', false, 'another producer with the same transactional id has taken over'],
  [91, 'RESOURCE_NOT_FOUND', 'fail', false, 'the resource does not exist'],
  [92, 'DUPLICATE_RESOURCE', 'fail', false, 'the resource is named twice in the request'],
  [93, 'UNACCEPTABLE_CREDENTIAL', 'fail', false, 'the credential is not acceptable'],
  [94, 'INCONSISTENT_VOTER_SET', 'fail', true, 'the voters of two requests differ'],
  [95, 'INVALID_UPDATE_VERSION', 'fail', true, 'the version of the update is not valid'],
  [96, 'FEATURE_UPDATE_FAILED', 'fail', true, 'the features of the cluster could not be updated'],
  [97, 'PRINCIPAL_DESERIALIZATION_FAILURE', 'fail', false, 'the broker could not read the principal that another broker forwarded'],
  [98, 'SNAPSHOT_NOT_FOUND', 'fail', true, 'the snapshot does not exist'],
  [99, 'POSITION_OUT_OF_RANGE', 'fail', true, 'the position is outside of the snapshot'],
  [100, 'UNKNOWN_TOPIC_ID', 'refresh-metadata', false, 'the broker does not know this topic id; the topic may have been created anew'],
  [101, 'DUPLICATE_BROKER_REGISTRATION', 'fail', true, 'a broker of this id is registered already'],
  [102, 'BROKER_ID_NOT_REGISTERED', 'fail', true, 'the broker id is not registered'],
  [103, 'INCONSISTENT_TOPIC_ID', 'refresh-metadata', false, 'the topic id is not that of the topic; the topic may have been created anew'],
  [104, 'INCONSISTENT_CLUSTER_ID', 'fail', false, 'the cluster id of the request is that of another cluster'],
  [105, 'TRANSACTIONAL_ID_NOT_FOUND', 'fail', false, 'the broker has no transaction of this transactional id'],
  [106, 'FETCH_SESSION_TOPIC_ID_ERROR', 'retry', true, 'the fetch session mixes topic ids and topic names'],
  [107, 'INELIGIBLE_REPLICA', 'fail', true, 'the replica may not join the in-sync replicas now'],
  [108, 'NEW_LEADER_ELECTED', 'fail', true, 'the request led to the election of a new leader'],
  [109, 'OFFSET_MOVED_TO_TIERED_STORAGE', 'fail', true, 'the offset has moved to tiered storage'],
  [110, 'FENCED_MEMBER_EPOCH', 'fail', true, 'a newer epoch of the consumer group member is known'],
  [111, 'UNRELEASED_INSTANCE_ID', 'fail', true, 'the static member id is still in use by another member'],
  [112, 'UNSUPPORTED_ASSIGNOR', 'fail', true, 'the broker does not support the assignor'],
  [113, 'STALE_MEMBER_EPOCH', 'fail', true, 'the epoch of the consumer group member is not the current one'],
  [114, 'MISMATCHED_ENDPOINT_TYPE', 'fail', false, 'the address belongs to a controller, not to a broker, or the other way round'],
  [115, 'UNSUPPORTED_ENDPOINT_TYPE', 'fail', false, 'this kind of endpoint does not serve the request'],
  [116, 'UNKNOWN_CONTROLLER_ID', 'fail', true, 'the controller id is not registered'],
  [117, 'UNKNOWN_SUBSCRIPTION_ID', 'fail', true, 'the telemetry subscription is not known'],
  [118, 'TELEMETRY_TOO_LARGE', 'fail', true, 'the telemetry data is too large'],
  [119, 'INVALID_REGISTRATION', 'fail', true, 'the registration of the broker is not valid'],
  [120, 'TRANSACTION_ABORTABLE', 'fail', false, 'the transaction cannot continue and must be aborted'],
  [121, 'INVALID_RECORD_STATE', 'fail', true, 'the delivery state of the shared record does not allow this'],
  [122, 'SHARE_SESSION_NOT_FOUND', 'retry', true, 'the share session does not exist (any more)'],
  [123, 'INVALID_SHARE_SESSION_EPOCH', 'retry', true, 'the epoch of the share session is not the current one'],
  [124, 'FENCED_STATE_EPOCH', 'fail', true, 'a newer epoch of the share group state is known'],
  [125, 'INVALID_VOTER_KEY', 'fail', true, 'the key of the voter is not valid'],
  [126, 'DUPLICATE_VOTER', 'fail', true, 'the voter is a member already'],
  [127, 'VOTER_NOT_FOUND', 'fail', true, 'the voter is not a member'],
  [128, 'INVALID_REGULAR_EXPRESSION', 'fail', true, 'the regular expression is not valid'],
  [129, 'REBOOTSTRAP_REQUIRED', 'fail', false, 'the client must bootstrap again, its picture of the cluster is too old'],
  [130, 'STREAMS_INVALID_TOPOLOGY', 'fail', true, 'the topology of the streams application is not valid'],
  [131, 'STREAMS_INVALID_TOPOLOGY_EPOCH', 'fail', true, 'the epoch of the topology is not valid'],
  [132, 'STREAMS_TOPOLOGY_FENCED', 'fail', true, 'the topology differs from that of the streams group'],
  [133, 'SHARE_SESSION_LIMIT_REACHED', 'retry', true, 'the broker has as many share sessions as it allows'],
]

/** Every code that is known, in the order of the numbers. */
export const ERROR_CODES: readonly ErrorCode[] = ROWS.map(([code, name, recovery, maybeWritten, text]) => {
  return { code, name, recovery, maybeWritten, text }
})

const byCode = new Map(ERROR_CODES.map((row) => [row.code, row]))
const byName = new Map(ERROR_CODES.map((row) => [row.name, row]))

/** The row of a number. One that a newer broker made up gives a row as well: to fail, with nothing promised. */
export function errorByCode(code: number): ErrorCode {
  const known = byCode.get(code)
  if (known !== undefined) return known
  const text = 'an error code that this version of headrace does not know'
  return { code, name: `UNKNOWN_ERROR_${code}`, recovery: 'fail', maybeWritten: true, text }
}

export function errorByName(name: string): ErrorCode | undefined {
  return byName.get(name)
}

/** Sending the same again may succeed. */
export function isRetriable(recovery: Recovery): boolean {
  return recovery.startsWith('retry') || recovery === 'refresh-metadata' || recovery === 'reset-producer-id'
}

/**
 * The error for an answer of a broker; `retriable` and `maybeWritten` come from the table unless `details` has them.
 *
 * @param where what failed, for the start of the message, such as `Produce orders-3`.
 * @param said what else is known of this case, for the end of the message.
 */
export function toBrokerError(code: number, where: string, details: ErrorDetails = {}, said = ''): BrokerError {
  const { name, recovery, maybeWritten, text } = errorByCode(code)
  const message = `${where}: ${name} (${code}): ${text}${said === '' ? '' : `; ${said}`}`
  return new BrokerError(name, code, message, { retriable: isRetriable(recovery), maybeWritten, ...details })
}
