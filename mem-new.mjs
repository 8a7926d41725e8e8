import { createRequire as hr } from 'node:module'; const require = hr(import.meta.url);

// src/clock.ts
var MAX_TIMEOUT_MS = 2 ** 31 - 1;
var systemClock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  after(delayMs2, fn, keepAlive = true) {
    const timeout = setTimeout(fn, Math.min(Math.max(Math.ceil(delayMs2), 0), MAX_TIMEOUT_MS));
    if (!keepAlive) timeout.unref();
    return { cancel: () => clearTimeout(timeout) };
  },
  soon: (fn) => void setImmediate(fn),
  random: () => Math.random()
};

// src/errors.ts
var KafkaError = class extends Error {
  retriable;
  maybeWritten;
  /** The open transaction must be aborted. Always false until transactions are there. */
  abortable = false;
  /** The producer can do nothing more and must be made anew. */
  fatal;
  constructor(message, details = {}) {
    super(message, details.cause === void 0 ? void 0 : { cause: details.cause });
    this.retriable = details.retriable ?? false;
    this.maybeWritten = details.maybeWritten ?? false;
    this.fatal = details.fatal ?? false;
    if (details.topic !== void 0) this.topic = details.topic;
    if (details.partition !== void 0) this.partition = details.partition;
    if (details.attempts !== void 0) this.attempts = details.attempts;
    if (details.throttleMs !== void 0) this.throttleMs = details.throttleMs;
  }
};
var OptionError = class extends KafkaError {
  name = "OptionError";
  code;
  constructor(code, message, details) {
    super(message, details);
    this.code = code;
  }
};
var ConnectionError = class extends KafkaError {
  name = "ConnectionError";
  code;
  constructor(code, message, details) {
    super(message, details);
    this.code = code;
  }
};
var AuthenticationError = class extends KafkaError {
  name = "AuthenticationError";
  code;
  constructor(code, message, details) {
    super(message, details);
    this.code = code;
  }
};
var ProtocolError = class extends KafkaError {
  name = "ProtocolError";
  code;
  constructor(code, message, details) {
    super(message, details);
    this.code = code;
  }
};
var BrokerError = class extends KafkaError {
  name = "BrokerError";
  code;
  errorCode;
  constructor(code, errorCode, message, details) {
    super(message, details);
    this.code = code;
    this.errorCode = errorCode;
  }
};
var DeliveryError = class extends KafkaError {
  name = "DeliveryError";
  code;
  constructor(code, message, details) {
    super(message, details);
    this.code = code;
  }
};

// src/protocol/error-codes.ts
var ROWS = [
  [-1, "UNKNOWN_SERVER_ERROR", "retry", true, "the broker failed in a way it has no code for; its log has the reason"],
  [0, "NONE", "none", true, "there was no error"],
  [1, "OFFSET_OUT_OF_RANGE", "fail", true, "the offset is outside of the log of the partition"],
  [2, "CORRUPT_MESSAGE", "retry-briefly", false, "the broker found the batch damaged: its checksum or its format is wrong"],
  [3, "UNKNOWN_TOPIC_OR_PARTITION", "refresh-metadata", false, "the broker does not have this topic or partition; it may not exist, or not yet"],
  [4, "INVALID_FETCH_SIZE", "fail", true, "the fetch size is not possible"],
  [5, "LEADER_NOT_AVAILABLE", "refresh-metadata", false, "the partition has no leader at the moment, an election is under way"],
  [6, "NOT_LEADER_OR_FOLLOWER", "refresh-metadata", true, "the broker is no longer the leader of the partition"],
  [7, "REQUEST_TIMED_OUT", "retry", true, "the replicas did not confirm in time; the leader has the records, the followers may have them"],
  [8, "BROKER_NOT_AVAILABLE", "fail", false, "the broker that is needed is not available"],
  [9, "REPLICA_NOT_AVAILABLE", "refresh-metadata", false, "the replica is not available on this broker"],
  [10, "MESSAGE_TOO_LARGE", "split", false, "the batch or record is larger than max.message.bytes of the topic allows"],
  [11, "STALE_CONTROLLER_EPOCH", "fail", true, "a newer controller has taken over"],
  [12, "OFFSET_METADATA_TOO_LARGE", "fail", true, "the metadata of an offset commit is too large"],
  [13, "NETWORK_EXCEPTION", "refresh-metadata", true, "the connection between brokers was lost before there was an answer"],
  [14, "COORDINATOR_LOAD_IN_PROGRESS", "retry", false, "the coordinator is still loading its state"],
  [15, "COORDINATOR_NOT_AVAILABLE", "retry", false, "there is no coordinator at the moment"],
  [16, "NOT_COORDINATOR", "retry", false, "the broker is not the coordinator of this group or transactional id; it must be looked up again"],
  [17, "INVALID_TOPIC_EXCEPTION", "fail", false, "the topic name is not allowed, or the topic is internal and cannot be written to"],
  [18, "RECORD_LIST_TOO_LARGE", "split", false, "the batch is larger than a log segment (segment.bytes of the topic) can hold"],
  [19, "NOT_ENOUGH_REPLICAS", "retry", false, "fewer replicas are in sync than min.insync.replicas asks for, so nothing was written"],
  [20, "NOT_ENOUGH_REPLICAS_AFTER_APPEND", "retry", true, "the leader wrote the records, but fewer replicas are in sync than min.insync.replicas asks for"],
  [21, "INVALID_REQUIRED_ACKS", "fail", false, "acks must be 0, 1 or -1 (all)"],
  [22, "ILLEGAL_GENERATION", "fail", true, "the generation of the consumer group is not the current one"],
  [23, "INCONSISTENT_GROUP_PROTOCOL", "fail", true, "the members of the consumer group have no protocol in common"],
  [24, "INVALID_GROUP_ID", "fail", true, "the consumer group id is not valid"],
  [25, "UNKNOWN_MEMBER_ID", "fail", true, "the consumer group does not know this member"],
  [26, "INVALID_SESSION_TIMEOUT", "fail", true, "the session timeout is outside of what the broker allows"],
  [27, "REBALANCE_IN_PROGRESS", "fail", true, "the consumer group is rebalancing"],
  [28, "INVALID_COMMIT_OFFSET_SIZE", "fail", true, "the offset commit is too large"],
  [29, "TOPIC_AUTHORIZATION_FAILED", "fail", false, "the principal lacks WRITE (or DESCRIBE, or CREATE) on the topic"],
  [30, "GROUP_AUTHORIZATION_FAILED", "fail", false, "the principal lacks READ on the consumer group"],
  [31, "CLUSTER_AUTHORIZATION_FAILED", "fail", false, "the principal lacks a right on the cluster, such as IDEMPOTENT_WRITE or CREATE"],
  [32, "INVALID_TIMESTAMP", "fail", false, "the timestamp of a record is further from the time of the broker than the topic allows"],
  [33, "UNSUPPORTED_SASL_MECHANISM", "fail", false, "the broker does not offer this SASL mechanism"],
  [34, "ILLEGAL_SASL_STATE", "fail", false, "the broker did not expect this request during authentication; does the listener use SASL at all?"],
  [35, "UNSUPPORTED_VERSION", "fail", false, "the broker does not support this version of the request"],
  [36, "TOPIC_ALREADY_EXISTS", "fail", false, "a topic of this name exists already"],
  [37, "INVALID_PARTITIONS", "fail", false, "the number of partitions is not possible"],
  [38, "INVALID_REPLICATION_FACTOR", "fail", false, "the replication factor is below one or above the number of brokers"],
  [39, "INVALID_REPLICA_ASSIGNMENT", "fail", false, "the assignment of replicas to brokers is not possible"],
  [40, "INVALID_CONFIG", "fail", false, "a configuration value is not valid"],
  [41, "NOT_CONTROLLER", "refresh-metadata", false, "the broker is not the controller of the cluster"],
  [42, "INVALID_REQUEST", "fail", false, "the broker could not make sense of the request, or a limit of it was exceeded"],
  [43, "UNSUPPORTED_FOR_MESSAGE_FORMAT", "fail", false, "the record format of the topic on the broker is too old for this request"],
  [44, "POLICY_VIOLATION", "fail", false, "a policy that the operators of the cluster configured does not allow this"],
  [45, "OUT_OF_ORDER_SEQUENCE_NUMBER", "reset-producer-id", false, "the sequence number of the batch does not follow the last one that the broker has"],
  [46, "DUPLICATE_SEQUENCE_NUMBER", "duplicate", true, "the broker has this batch already, from an earlier attempt"],
  [47, "INVALID_PRODUCER_EPOCH", "reset-producer-id", false, "the epoch of the producer is older than the one that the broker knows"],
  [48, "INVALID_TXN_STATE", "fail", false, "the transaction is not in a state that allows this"],
  [49, "INVALID_PRODUCER_ID_MAPPING", "fail", false, "the producer id does not belong to this transactional id (any more)"],
  [50, "INVALID_TRANSACTION_TIMEOUT", "fail", false, "the transaction timeout is above transaction.max.timeout.ms of the broker"],
  [51, "CONCURRENT_TRANSACTIONS", "retry", false, "the previous transaction of this producer is still being completed"],
  [52, "TRANSACTION_COORDINATOR_FENCED", "fail", false, "a newer transaction coordinator has taken over"],
  [53, "TRANSACTIONAL_ID_AUTHORIZATION_FAILED", "fail", false, "the principal lacks a right on the transactional id"],
  [54, "SECURITY_DISABLED", "fail", false, "security features are disabled on the broker"],
  [55, "OPERATION_NOT_ATTEMPTED", "fail", false, "not attempted, because something else in the same request failed"],
  [56, "KAFKA_STORAGE_ERROR", "refresh-metadata", true, "a disk of the broker failed"],
  [57, "LOG_DIR_NOT_FOUND", "fail", false, "the log directory does not exist on the broker"],
  [58, "SASL_AUTHENTICATION_FAILED", "fail", false, "the broker did not accept the credentials"],
  [59, "UNKNOWN_PRODUCER_ID", "reset-producer-id", false, "the broker has forgotten the producer id, most likely because its records expired"],
  [60, "REASSIGNMENT_IN_PROGRESS", "fail", true, "a reassignment of the partition is in progress"],
  [61, "DELEGATION_TOKEN_AUTH_DISABLED", "fail", true, "delegation tokens are not enabled"],
  [62, "DELEGATION_TOKEN_NOT_FOUND", "fail", true, "the delegation token does not exist"],
  [63, "DELEGATION_TOKEN_OWNER_MISMATCH", "fail", true, "the delegation token belongs to another principal"],
  [64, "DELEGATION_TOKEN_REQUEST_NOT_ALLOWED", "fail", true, "delegation tokens cannot be requested over this kind of connection"],
  [65, "DELEGATION_TOKEN_AUTHORIZATION_FAILED", "fail", true, "the principal lacks a right on the delegation token"],
  [66, "DELEGATION_TOKEN_EXPIRED", "fail", true, "the delegation token has expired"],
  [67, "INVALID_PRINCIPAL_TYPE", "fail", true, "the principal type is not supported"],
  [68, "NON_EMPTY_GROUP", "fail", true, "the consumer group still has members"],
  [69, "GROUP_ID_NOT_FOUND", "fail", true, "the consumer group does not exist"],
  [70, "FETCH_SESSION_ID_NOT_FOUND", "retry", true, "the fetch session does not exist (any more)"],
  [71, "INVALID_FETCH_SESSION_EPOCH", "retry", true, "the epoch of the fetch session is not the current one"],
  [72, "LISTENER_NOT_FOUND", "refresh-metadata", false, "the leader of the partition has no listener of the name that this client connected to"],
  [73, "TOPIC_DELETION_DISABLED", "fail", true, "deleting topics is disabled"],
  [74, "FENCED_LEADER_EPOCH", "refresh-metadata", true, "the leader epoch of the request is older than that of the broker"],
  [75, "UNKNOWN_LEADER_EPOCH", "refresh-metadata", false, "the leader epoch of the request is newer than that of the broker"],
  [76, "UNSUPPORTED_COMPRESSION_TYPE", "fail", false, "the broker does not support this compression, or not in this version of the request"],
  [77, "STALE_BROKER_EPOCH", "fail", true, "the broker registered anew in the meantime"],
  [78, "OFFSET_NOT_AVAILABLE", "retry", true, "the leader does not know its offsets yet"],
  [79, "MEMBER_ID_REQUIRED", "fail", true, "the consumer must join again with the member id that it was given"],
  [80, "PREFERRED_LEADER_NOT_AVAILABLE", "refresh-metadata", false, "the preferred leader of the partition is not available"],
  [81, "GROUP_MAX_SIZE_REACHED", "fail", true, "the consumer group is full"],
  [82, "FENCED_INSTANCE_ID", "fail", true, "another consumer has taken the same static member id"],
  [83, "ELIGIBLE_LEADERS_NOT_AVAILABLE", "refresh-metadata", false, "no replica that may become leader is available"],
  [84, "ELECTION_NOT_NEEDED", "refresh-metadata", true, "the preferred leader leads already"],
  [85, "NO_REASSIGNMENT_IN_PROGRESS", "fail", true, "no reassignment of the partition is in progress"],
  [86, "GROUP_SUBSCRIBED_TO_TOPIC", "fail", true, "the consumer group is subscribed to the topic"],
  [87, "INVALID_RECORD", "fail", false, "the broker refused a record; a compacted topic, for one, needs keys"],
  [88, "UNSTABLE_OFFSET_COMMIT", "retry", true, "a transaction has offset commits that are not decided yet"],
  [89, "THROTTLING_QUOTA_EXCEEDED", "retry", false, "a quota of the cluster is exceeded; try again after the throttle time"],
  [90, "PRODUCER_FENCED", "fail", false, "another producer with the same transactional id has taken over"],
  [91, "RESOURCE_NOT_FOUND", "fail", false, "the resource does not exist"],
  [92, "DUPLICATE_RESOURCE", "fail", false, "the resource is named twice in the request"],
  [93, "UNACCEPTABLE_CREDENTIAL", "fail", false, "the credential is not acceptable"],
  [94, "INCONSISTENT_VOTER_SET", "fail", true, "the voters of two requests differ"],
  [95, "INVALID_UPDATE_VERSION", "fail", true, "the version of the update is not valid"],
  [96, "FEATURE_UPDATE_FAILED", "fail", true, "the features of the cluster could not be updated"],
  [97, "PRINCIPAL_DESERIALIZATION_FAILURE", "fail", false, "the broker could not read the principal that another broker forwarded"],
  [98, "SNAPSHOT_NOT_FOUND", "fail", true, "the snapshot does not exist"],
  [99, "POSITION_OUT_OF_RANGE", "fail", true, "the position is outside of the snapshot"],
  [100, "UNKNOWN_TOPIC_ID", "refresh-metadata", false, "the broker does not know this topic id; the topic may have been created anew"],
  [101, "DUPLICATE_BROKER_REGISTRATION", "fail", true, "a broker of this id is registered already"],
  [102, "BROKER_ID_NOT_REGISTERED", "fail", true, "the broker id is not registered"],
  [103, "INCONSISTENT_TOPIC_ID", "refresh-metadata", false, "the topic id is not that of the topic; the topic may have been created anew"],
  [104, "INCONSISTENT_CLUSTER_ID", "fail", false, "the cluster id of the request is that of another cluster"],
  [105, "TRANSACTIONAL_ID_NOT_FOUND", "fail", false, "the broker has no transaction of this transactional id"],
  [106, "FETCH_SESSION_TOPIC_ID_ERROR", "retry", true, "the fetch session mixes topic ids and topic names"],
  [107, "INELIGIBLE_REPLICA", "fail", true, "the replica may not join the in-sync replicas now"],
  [108, "NEW_LEADER_ELECTED", "fail", true, "the request led to the election of a new leader"],
  [109, "OFFSET_MOVED_TO_TIERED_STORAGE", "fail", true, "the offset has moved to tiered storage"],
  [110, "FENCED_MEMBER_EPOCH", "fail", true, "a newer epoch of the consumer group member is known"],
  [111, "UNRELEASED_INSTANCE_ID", "fail", true, "the static member id is still in use by another member"],
  [112, "UNSUPPORTED_ASSIGNOR", "fail", true, "the broker does not support the assignor"],
  [113, "STALE_MEMBER_EPOCH", "fail", true, "the epoch of the consumer group member is not the current one"],
  [114, "MISMATCHED_ENDPOINT_TYPE", "fail", false, "the address belongs to a controller, not to a broker, or the other way round"],
  [115, "UNSUPPORTED_ENDPOINT_TYPE", "fail", false, "this kind of endpoint does not serve the request"],
  [116, "UNKNOWN_CONTROLLER_ID", "fail", true, "the controller id is not registered"],
  [117, "UNKNOWN_SUBSCRIPTION_ID", "fail", true, "the telemetry subscription is not known"],
  [118, "TELEMETRY_TOO_LARGE", "fail", true, "the telemetry data is too large"],
  [119, "INVALID_REGISTRATION", "fail", true, "the registration of the broker is not valid"],
  [120, "TRANSACTION_ABORTABLE", "fail", false, "the transaction cannot continue and must be aborted"],
  [121, "INVALID_RECORD_STATE", "fail", true, "the delivery state of the shared record does not allow this"],
  [122, "SHARE_SESSION_NOT_FOUND", "retry", true, "the share session does not exist (any more)"],
  [123, "INVALID_SHARE_SESSION_EPOCH", "retry", true, "the epoch of the share session is not the current one"],
  [124, "FENCED_STATE_EPOCH", "fail", true, "a newer epoch of the share group state is known"],
  [125, "INVALID_VOTER_KEY", "fail", true, "the key of the voter is not valid"],
  [126, "DUPLICATE_VOTER", "fail", true, "the voter is a member already"],
  [127, "VOTER_NOT_FOUND", "fail", true, "the voter is not a member"],
  [128, "INVALID_REGULAR_EXPRESSION", "fail", true, "the regular expression is not valid"],
  [129, "REBOOTSTRAP_REQUIRED", "fail", false, "the client must bootstrap again, its picture of the cluster is too old"],
  [130, "STREAMS_INVALID_TOPOLOGY", "fail", true, "the topology of the streams application is not valid"],
  [131, "STREAMS_INVALID_TOPOLOGY_EPOCH", "fail", true, "the epoch of the topology is not valid"],
  [132, "STREAMS_TOPOLOGY_FENCED", "fail", true, "the topology differs from that of the streams group"],
  [133, "SHARE_SESSION_LIMIT_REACHED", "retry", true, "the broker has as many share sessions as it allows"]
];
var ERROR_CODES = ROWS.map(([code, name2, recovery, maybeWritten, text3]) => {
  return { code, name: name2, recovery, maybeWritten, text: text3 };
});
var byCode = new Map(ERROR_CODES.map((row) => [row.code, row]));
var byName = new Map(ERROR_CODES.map((row) => [row.name, row]));
function errorByCode(code) {
  const known = byCode.get(code);
  if (known !== void 0) return known;
  const text3 = "an error code that this version of headrace does not know";
  return { code, name: `UNKNOWN_ERROR_${code}`, recovery: "fail", maybeWritten: true, text: text3 };
}
function errorByName(name2) {
  return byName.get(name2);
}
function isRetriable(recovery) {
  return recovery.startsWith("retry") || recovery === "refresh-metadata" || recovery === "reset-producer-id";
}
function toBrokerError(code, where, details = {}, said = "") {
  const { name: name2, recovery, maybeWritten, text: text3 } = errorByCode(code);
  const message = `${where}: ${name2} (${code}): ${text3}${said === "" ? "" : `; ${said}`}`;
  return new BrokerError(name2, code, message, { retriable: isRetriable(recovery), maybeWritten, ...details });
}

// src/protocol/schema.ts
var canBeNull = /* @__PURE__ */ new Set(["string", "bytes", "records", "array", "struct"]);
var Field = class _Field {
  spec;
  /** @throws {TypeError} null for a type of fixed size, which has no bytes to say it with. */
  constructor(spec2) {
    if (spec2.nullableSince !== Infinity && !canBeNull.has(spec2.type.kind)) {
      throw new TypeError(`${spec2.type.kind} cannot be nullable`);
    }
    this.spec = Object.freeze(spec2);
    Object.freeze(this);
  }
  /** Null is legal, from `sinceVersion` on. The default stays what it was. */
  nullable(sinceVersion = 0) {
    return new _Field({ ...this.spec, nullableSince: sinceVersion });
  }
  /** Added in version `since`. */
  since(since, defaultValue = this.spec.defaultValue) {
    return new _Field({ ...this.spec, since, defaultValue, mayBeOmitted: true });
  }
  /** Removed after version `until`. */
  until(until) {
    return new _Field({ ...this.spec, until, mayBeOmitted: true });
  }
  /** Added in version `since` as a tagged field: it takes room only where it is not the default. */
  tagged(tag, since, defaultValue = this.spec.defaultValue) {
    return new _Field({ ...this.spec, tag, since, defaultValue, mayBeOmitted: true });
  }
  ignorable() {
    return new _Field({ ...this.spec, isIgnorable: true });
  }
  default(defaultValue) {
    return new _Field({ ...this.spec, defaultValue, mayBeOmitted: true });
  }
};
var MAX_STRING_BYTES = 32767;
var ZERO_UUID = "AAAAAAAAAAAAAAAAAAAAAA";
var int8 = primitive("int8", 0);
var int16 = primitive("int16", 0);
var uint16 = primitive("uint16", 0);
var int32 = primitive("int32", 0);
var uint32 = primitive("uint32", 0);
var int64 = primitive("int64", 0n);
var float64 = primitive("float64", 0);
var boolean = primitive("boolean", false);
var string = primitive("string", "");
var bytes = primitive("bytes", Buffer.alloc(0));
var records = primitive("records", Buffer.alloc(0));
var uuid = primitive("uuid", ZERO_UUID);
function struct(fields) {
  const defaults = Object.entries(fields).map(([name2, field2]) => [name2, field2.spec.defaultValue]);
  const defaultValue = Object.freeze(Object.fromEntries(defaults));
  return field({ kind: "struct", fields: Object.freeze(fields) }, defaultValue);
}
function array(element) {
  const { type } = element instanceof Field ? element.spec : struct(element).spec;
  return field({ kind: "array", element: type }, Object.freeze([]));
}
function api(definition) {
  const { name: name2, key, versions, flexible, request, response } = definition;
  const [minVersion, maxVersion] = versions;
  return Object.freeze({ name: name2, key, minVersion, maxVersion, flexibleFrom: flexible, request, response });
}
function primitive(kind, zero) {
  return field({ kind }, zero);
}
function field(type, defaultValue) {
  return new Field({
    type: Object.freeze(type),
    defaultValue,
    mayBeOmitted: false,
    since: 0,
    until: Infinity,
    nullableSince: Infinity,
    tag: null,
    isIgnorable: false
  });
}

// src/protocol/messages/api-versions.ts
var apiVersions = api({
  name: "ApiVersions",
  key: 18,
  versions: [0, 4],
  flexible: 3,
  request: {
    clientSoftwareName: string.since(3).ignorable(),
    clientSoftwareVersion: string.since(3).ignorable()
  },
  response: {
    errorCode: int16,
    apiKeys: array({ apiKey: int16, minVersion: int16, maxVersion: int16 }),
    throttleTimeMs: int32.since(1).ignorable(),
    supportedFeatures: array({ name: string, minVersion: int16, maxVersion: int16 }).tagged(0, 3).ignorable(),
    finalizedFeaturesEpoch: int64.tagged(1, 3, -1n).ignorable(),
    finalizedFeatures: array({ name: string, maxVersionLevel: int16, minVersionLevel: int16 }).tagged(2, 3).ignorable(),
    zkMigrationReady: boolean.tagged(3, 3, false).ignorable()
  }
});

// src/bytes/reader.ts
var Reader = class {
  #bytes;
  /** The same bytes, for numbers: several times faster than Buffer's own methods. */
  #view;
  #where;
  #at;
  #end;
  constructor(bytes2, where, start = 0, end = bytes2.byteLength) {
    this.#bytes = Buffer.from(bytes2.buffer, bytes2.byteOffset, bytes2.byteLength);
    this.#view = new DataView(bytes2.buffer, bytes2.byteOffset, bytes2.byteLength);
    this.#where = where;
    this.#at = start;
    this.#end = end;
  }
  /** Position in the message, bytes. */
  get position() {
    return this.#at;
  }
  /** Bytes not read yet. */
  get remaining() {
    return this.#end - this.#at;
  }
  /** The error for bytes that cannot be what they claim; the caller throws it. */
  invalid(what) {
    return new ProtocolError("INVALID_VALUE", `${this.#where}: INVALID_VALUE: ${what} at byte ${this.#at}`);
  }
  int8() {
    return this.#view.getInt8(this.#take(1));
  }
  int16() {
    return this.#view.getInt16(this.#take(2));
  }
  uint16() {
    return this.#view.getUint16(this.#take(2));
  }
  int32() {
    return this.#view.getInt32(this.#take(4));
  }
  uint32() {
    return this.#view.getUint32(this.#take(4));
  }
  int64() {
    return this.#view.getBigInt64(this.#take(8));
  }
  float64() {
    return this.#view.getFloat64(this.#take(8));
  }
  /** Unsigned LEB128, at most 5 bytes and 32 bits (protocol headers and compact types). */
  uvarint() {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte3 = this.#byte();
      if (shift === 28 && byte3 > 15) throw this.invalid("unsigned varint of more than 32 bits");
      value |= (byte3 & 127) << shift;
      if (byte3 < 128) return value >>> 0;
    }
    throw this.invalid("unsigned varint of more than 5 bytes");
  }
  /** Zig-zag varint of 32 bits (inside records). */
  varint() {
    const raw = this.uvarint();
    return raw >>> 1 ^ -(raw & 1);
  }
  /** Zig-zag varint of 64 bits (timestamp deltas inside records). */
  varlong() {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte3 = this.#byte();
      if (shift === 63n && byte3 > 1) throw this.invalid("varint of more than 64 bits");
      value |= BigInt(byte3 & 127) << shift;
      if (byte3 < 128) return value >> 1n ^ -(value & 1n);
    }
    throw this.invalid("varint of more than 10 bytes");
  }
  /** A view of the next `length` bytes. */
  bytes(length) {
    if (length < 0) throw this.invalid(`negative length ${length}`);
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }
  /** UTF-8 text of `length` bytes. Invalid sequences become U+FFFD, as in Kafka's own decoder. */
  utf8(length) {
    if (length < 0) throw this.invalid(`negative length ${length}`);
    const at = this.#take(length);
    return this.#bytes.toString("utf8", at, at + length);
  }
  skip(length) {
    if (length < 0) throw this.invalid(`negative length ${length}`);
    this.#take(length);
  }
  /** A message must be consumed exactly: bytes that nobody understands mean that we misunderstood the rest. */
  end() {
    if (this.#at === this.#end) return;
    throw new ProtocolError(
      "TRAILING_BYTES",
      `${this.#where}: TRAILING_BYTES: ${this.remaining} bytes follow the end of the message at byte ${this.#at}`
    );
  }
  #byte() {
    const byte3 = this.#bytes[this.#take(1)];
    return byte3;
  }
  #take(length) {
    const at = this.#at;
    if (length > this.#end - at) {
      throw new ProtocolError(
        "TRUNCATED",
        `${this.#where}: TRUNCATED: ${length} bytes wanted at byte ${at}, ${this.#end - at} left`
      );
    }
    this.#at = at + length;
    return at;
  }
};

// src/bytes/writer.ts
var REFERENCE_BYTES = 512;
var Writer = class {
  #buffer;
  #at = 0;
  /** Chunks finished so far; what is in the buffer from `#chunkStart` on comes after them. */
  #done = [];
  #chunkStart = 0;
  #doneBytes = 0;
  constructor(capacityBytes = 256) {
    this.#buffer = Buffer.allocUnsafe(capacityBytes);
  }
  /** Bytes written so far, referenced ones included. */
  get size() {
    return this.#doneBytes + this.#at - this.#chunkStart;
  }
  int8(value) {
    const at = this.#room(1);
    this.#buffer.writeInt8(value, at);
  }
  int16(value) {
    const at = this.#room(2);
    this.#buffer.writeInt16BE(value, at);
  }
  uint16(value) {
    const at = this.#room(2);
    this.#buffer.writeUInt16BE(value, at);
  }
  int32(value) {
    const at = this.#room(4);
    this.#buffer.writeInt32BE(value, at);
  }
  uint32(value) {
    const at = this.#room(4);
    this.#buffer.writeUInt32BE(value, at);
  }
  int64(value) {
    const at = this.#room(8);
    this.#buffer.writeBigInt64BE(value, at);
  }
  float64(value) {
    const at = this.#room(8);
    this.#buffer.writeDoubleBE(value, at);
  }
  /** Unsigned LEB128 of 0 to 2^32-1. */
  uvarint(value) {
    let rest = value;
    while (rest >= 128) {
      this.#byte(rest & 127 | 128);
      rest = Math.floor(rest / 128);
    }
    this.#byte(rest);
  }
  /** UTF-8 text, `byteLength` being `Buffer.byteLength(text)`. */
  utf8(text3, byteLength2) {
    const at = this.#room(byteLength2);
    this.#buffer.write(text3, at, byteLength2, "utf8");
  }
  bytes(value) {
    if (value.byteLength < REFERENCE_BYTES) {
      const at = this.#room(value.byteLength);
      this.#buffer.set(value, at);
      return;
    }
    this.#closeChunk();
    this.#done.push(value);
    this.#doneBytes += value.byteLength;
  }
  /** The message as a list of chunks; byte fields of 512 bytes and more are the caller's own arrays, not copies. */
  chunks() {
    this.#closeChunk();
    return this.#done;
  }
  /** The message in one piece. */
  finish() {
    const chunks = this.chunks();
    return Buffer.concat(chunks, this.#doneBytes);
  }
  #byte(value) {
    const at = this.#room(1);
    this.#buffer[at] = value;
  }
  #closeChunk() {
    if (this.#at === this.#chunkStart) return;
    this.#done.push(this.#buffer.subarray(this.#chunkStart, this.#at));
    this.#doneBytes += this.#at - this.#chunkStart;
    this.#chunkStart = this.#at;
  }
  /** Where the next `length` bytes go. May replace `#buffer`: call it in a statement before the one that writes. */
  #room(length) {
    const at = this.#at;
    const end = at + length;
    if (end > this.#buffer.length) {
      const open = this.#buffer.subarray(this.#chunkStart, at);
      const next2 = Buffer.allocUnsafe(Math.max((open.length + length) * 2, 256));
      next2.set(open);
      this.#buffer = next2;
      this.#chunkStart = 0;
      this.#at = open.length + length;
      return open.length;
    }
    this.#at = end;
    return at;
  }
};

// src/protocol/messages/add-offsets-to-txn.ts
var addOffsetsToTxn = api({
  name: "AddOffsetsToTxn",
  key: 25,
  versions: [0, 4],
  flexible: 3,
  request: {
    transactionalId: string,
    producerId: int64,
    producerEpoch: int16,
    groupId: string
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16
  }
});

// src/protocol/messages/add-partitions-to-txn.ts
var topics = array({ name: string, partitions: array(int32) });
var topicResults = array({
  name: string,
  resultsByPartition: array({ partitionIndex: int32, partitionErrorCode: int16 })
});
var addPartitionsToTxn = api({
  name: "AddPartitionsToTxn",
  key: 24,
  versions: [0, 5],
  flexible: 3,
  request: {
    transactions: array({
      transactionalId: string,
      producerId: int64,
      producerEpoch: int16,
      verifyOnly: boolean.default(false),
      topics
    }).since(4),
    v3AndBelowTransactionalId: string.until(3),
    v3AndBelowProducerId: int64.until(3),
    v3AndBelowProducerEpoch: int16.until(3),
    v3AndBelowTopics: topics.until(3)
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16.since(4).ignorable(),
    resultsByTransaction: array({ transactionalId: string, topicResults }).since(4),
    resultsByTopicV3AndBelow: topicResults.until(3)
  }
});

// src/protocol/messages/create-topics.ts
var createTopics = api({
  name: "CreateTopics",
  key: 19,
  versions: [0, 7],
  flexible: 5,
  request: {
    topics: array({
      name: string,
      numPartitions: int32,
      replicationFactor: int16,
      assignments: array({ partitionIndex: int32, brokerIds: array(int32) }),
      configs: array({ name: string, value: string.nullable() })
    }),
    timeoutMs: int32.default(6e4),
    validateOnly: boolean.since(1, false)
  },
  response: {
    throttleTimeMs: int32.since(2).ignorable(),
    topics: array({
      name: string,
      topicId: uuid.since(7).ignorable(),
      errorCode: int16,
      errorMessage: string.nullable(1).since(1).ignorable(),
      topicConfigErrorCode: int16.tagged(0, 5).ignorable(),
      numPartitions: int32.since(5, -1).ignorable(),
      replicationFactor: int16.since(5, -1).ignorable(),
      configs: array({
        name: string,
        value: string.nullable(),
        readOnly: boolean,
        configSource: int8.default(-1).ignorable(),
        isSensitive: boolean
      }).nullable(5).since(5).ignorable()
    })
  }
});

// src/protocol/messages/describe-cluster.ts
var NOT_REQUESTED = -(2 ** 31);
var BROKERS = 1;
var describeCluster = api({
  name: "DescribeCluster",
  key: 60,
  versions: [0, 2],
  flexible: 0,
  request: {
    includeClusterAuthorizedOperations: boolean,
    endpointType: int8.since(1, BROKERS),
    includeFencedBrokers: boolean.since(2)
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    errorMessage: string.nullable().default(null),
    endpointType: int8.since(1, BROKERS),
    clusterId: string,
    controllerId: int32.default(-1),
    brokers: array({
      brokerId: int32,
      host: string,
      port: int32,
      rack: string.nullable().default(null),
      isFenced: boolean.since(2)
    }),
    clusterAuthorizedOperations: int32.default(NOT_REQUESTED)
  }
});

// src/protocol/messages/describe-configs.ts
var describeConfigs = api({
  name: "DescribeConfigs",
  key: 32,
  versions: [0, 4],
  flexible: 4,
  request: {
    resources: array({
      resourceType: int8,
      resourceName: string,
      configurationKeys: array(string).nullable()
    }),
    includeSynonyms: boolean.since(1, false),
    includeDocumentation: boolean.since(3, false)
  },
  response: {
    throttleTimeMs: int32,
    results: array({
      errorCode: int16,
      errorMessage: string.nullable(),
      resourceType: int8,
      resourceName: string,
      configs: array({
        name: string,
        value: string.nullable(),
        readOnly: boolean,
        isDefault: boolean.until(0),
        configSource: int8.since(1, -1).ignorable(),
        isSensitive: boolean,
        synonyms: array({ name: string, value: string.nullable(), source: int8 }).since(1).ignorable(),
        configType: int8.since(3, 0).ignorable(),
        documentation: string.nullable(3).since(3).ignorable()
      })
    })
  }
});

// src/protocol/messages/end-txn.ts
var endTxn = api({
  name: "EndTxn",
  key: 26,
  versions: [0, 5],
  flexible: 3,
  request: {
    transactionalId: string,
    producerId: int64,
    producerEpoch: int16,
    committed: boolean
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    producerId: int64.since(5, -1n).ignorable(),
    producerEpoch: int16.since(5, -1).ignorable()
  }
});

// src/protocol/messages/find-coordinator.ts
var findCoordinator = api({
  name: "FindCoordinator",
  key: 10,
  versions: [0, 6],
  flexible: 3,
  request: {
    key: string.until(3),
    keyType: int8.since(1, 0),
    coordinatorKeys: array(string).since(4)
  },
  response: {
    throttleTimeMs: int32.since(1).ignorable(),
    errorCode: int16.until(3),
    errorMessage: string.nullable(1).since(1).until(3).ignorable(),
    nodeId: int32.until(3),
    host: string.until(3),
    port: int32.until(3),
    coordinators: array({
      key: string,
      nodeId: int32,
      host: string,
      port: int32,
      errorCode: int16,
      errorMessage: string.nullable().ignorable()
    }).since(4)
  }
});

// src/protocol/messages/init-producer-id.ts
var initProducerId = api({
  name: "InitProducerId",
  key: 22,
  versions: [0, 6],
  flexible: 2,
  request: {
    transactionalId: string.nullable(),
    transactionTimeoutMs: int32,
    producerId: int64.since(3, -1n),
    producerEpoch: int16.since(3, -1),
    enable2Pc: boolean.since(6, false),
    keepPreparedTxn: boolean.since(6, false)
  },
  response: {
    throttleTimeMs: int32.ignorable(),
    errorCode: int16,
    producerId: int64.default(-1n),
    producerEpoch: int16,
    ongoingTxnProducerId: int64.since(6, -1n),
    ongoingTxnProducerEpoch: int16.since(6, -1)
  }
});

// src/protocol/messages/metadata.ts
var NOT_REQUESTED2 = -(2 ** 31);
var metadata = api({
  name: "Metadata",
  key: 3,
  versions: [0, 13],
  flexible: 9,
  request: {
    topics: array({ topicId: uuid.since(10).ignorable(), name: string.nullable(10) }).nullable(1),
    allowAutoTopicCreation: boolean.since(4, true),
    includeClusterAuthorizedOperations: boolean.since(8).until(10),
    includeTopicAuthorizedOperations: boolean.since(8)
  },
  response: {
    throttleTimeMs: int32.since(3).ignorable(),
    brokers: array({
      nodeId: int32,
      host: string,
      port: int32,
      rack: string.nullable(1).since(1, null).ignorable()
    }),
    clusterId: string.nullable(2).since(2, null).ignorable(),
    controllerId: int32.since(1, -1).ignorable(),
    topics: array({
      errorCode: int16,
      name: string.nullable(12),
      topicId: uuid.since(10).ignorable(),
      isInternal: boolean.since(1, false).ignorable(),
      partitions: array({
        errorCode: int16,
        partitionIndex: int32,
        leaderId: int32,
        leaderEpoch: int32.since(7, -1).ignorable(),
        replicaNodes: array(int32),
        isrNodes: array(int32),
        offlineReplicas: array(int32).since(5).ignorable()
      }),
      topicAuthorizedOperations: int32.since(8, NOT_REQUESTED2)
    }),
    clusterAuthorizedOperations: int32.since(8, NOT_REQUESTED2).until(10),
    errorCode: int16.since(13).ignorable()
  }
});

// src/protocol/messages/produce.ts
var produce = api({
  name: "Produce",
  key: 0,
  versions: [0, 13],
  flexible: 9,
  request: {
    transactionalId: string.nullable(3).since(3, null),
    acks: int16,
    timeoutMs: int32,
    topicData: array({
      name: string.until(12).ignorable(),
      topicId: uuid.since(13).ignorable(),
      partitionData: array({ index: int32, records: records.nullable() })
    })
  },
  response: {
    responses: array({
      name: string.until(12).ignorable(),
      topicId: uuid.since(13).ignorable(),
      partitionResponses: array({
        index: int32,
        errorCode: int16,
        baseOffset: int64,
        logAppendTimeMs: int64.since(2, -1n).ignorable(),
        logStartOffset: int64.since(5, -1n).ignorable(),
        recordErrors: array({ batchIndex: int32, batchIndexErrorMessage: string.nullable().default(null) }).since(8).ignorable(),
        errorMessage: string.nullable(8).since(8, null).ignorable(),
        currentLeader: struct({ leaderId: int32.default(-1), leaderEpoch: int32.default(-1) }).tagged(0, 10)
      })
    }),
    throttleTimeMs: int32.since(1, 0).ignorable(),
    nodeEndpoints: array({
      nodeId: int32,
      host: string,
      port: int32,
      rack: string.nullable().default(null)
    }).tagged(0, 10)
  }
});

// src/protocol/messages/sasl-authenticate.ts
var saslAuthenticate = api({
  name: "SaslAuthenticate",
  key: 36,
  versions: [0, 2],
  flexible: 2,
  request: {
    authBytes: bytes
  },
  response: {
    errorCode: int16,
    errorMessage: string.nullable(),
    authBytes: bytes,
    sessionLifetimeMs: int64.since(1, 0n).ignorable()
  }
});

// src/protocol/messages/sasl-handshake.ts
var saslHandshake = api({
  name: "SaslHandshake",
  key: 17,
  versions: [0, 1],
  flexible: Infinity,
  request: {
    mechanism: string
  },
  response: {
    errorCode: int16,
    mechanisms: array(string)
  }
});

// src/protocol/messages/txn-offset-commit.ts
var txnOffsetCommit = api({
  name: "TxnOffsetCommit",
  key: 28,
  versions: [0, 5],
  flexible: 3,
  request: {
    transactionalId: string,
    groupId: string,
    producerId: int64,
    producerEpoch: int16,
    generationId: int32.since(3, -1),
    memberId: string.since(3, ""),
    groupInstanceId: string.nullable(3).since(3, null),
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        committedOffset: int64,
        committedLeaderEpoch: int32.since(2, -1).ignorable(),
        committedMetadata: string.nullable()
      })
    })
  },
  response: {
    throttleTimeMs: int32,
    topics: array({
      name: string,
      partitions: array({ partitionIndex: int32, errorCode: int16 })
    })
  }
});

// src/protocol/apis.ts
var apis = [
  produce,
  // 0
  metadata,
  // 3
  findCoordinator,
  // 10
  saslHandshake,
  // 17
  apiVersions,
  // 18
  createTopics,
  // 19
  initProducerId,
  // 22
  addPartitionsToTxn,
  // 24
  addOffsetsToTxn,
  // 25
  endTxn,
  // 26
  txnOffsetCommit,
  // 28
  describeConfigs,
  // 32
  saslAuthenticate,
  // 36
  describeCluster
  // 60
];
var byName2 = new Map(apis.map((api2) => [api2.name, api2]));
var byKey = new Map(apis.map((api2) => [api2.key, api2]));
function apiOfKey(key) {
  return byKey.get(key);
}

// src/protocol/layout.ts
var cache = /* @__PURE__ */ new WeakMap();
function layoutOf(api2, direction, version3) {
  let layouts2 = cache.get(api2);
  if (!layouts2) cache.set(api2, layouts2 = { request: /* @__PURE__ */ new Map(), response: /* @__PURE__ */ new Map() });
  let layout = layouts2[direction].get(version3);
  if (!layout) {
    checkVersion(api2, version3);
    layout = layOut(api2[direction], version3, version3 >= api2.flexibleFrom);
    layouts2[direction].set(version3, layout);
  }
  return layout;
}
function layOut(fields, version3, isFlexible) {
  const slots = Object.entries(fields).map(([name2, field2]) => slotOf(name2, field2, version3, isFlexible));
  const body = slots.filter((slot) => slot.place === "body");
  const tagged = slots.filter((slot) => slot.place === "tagged").sort((a, b) => a.tag - b.tag);
  const refused6 = slots.filter((slot) => slot.place === "absent" && !slot.isIgnorable);
  const defaults = Object.fromEntries(slots.map((slot) => [slot.name, slot.defaultValue]));
  const tagCountBytes = isFlexible ? 1 : 0;
  const minBytes = body.reduce((sum2, slot) => sum2 + slot.minBytes, tagCountBytes);
  return { isFlexible, slots, body, tagged, refused: refused6, defaults, minBytes };
}
function partOf(inside2) {
  if (inside2 === null) throw new Error("a slot that should hold others holds nothing");
  return inside2;
}
function checkVersion({ name: name2, minVersion, maxVersion }, version3) {
  if (Number.isInteger(version3) && version3 >= minVersion && version3 <= maxVersion) return;
  throw new ProtocolError(
    "UNSUPPORTED_VERSION",
    `${name2}: UNSUPPORTED_VERSION: version ${version3} is not among ours, ${minVersion} to ${maxVersion}`
  );
}
function slotOf(name2, { spec: spec2 }, version3, isFlexible) {
  const isPresent = version3 >= spec2.since && version3 <= spec2.until;
  return {
    ...shapeOf(spec2.type, version3, isFlexible, version3 >= spec2.nullableSince),
    name: name2,
    place: !isPresent ? "absent" : spec2.tag === null ? "body" : "tagged",
    tag: spec2.tag ?? -1,
    isIgnorable: spec2.isIgnorable,
    mayBeOmitted: spec2.mayBeOmitted,
    defaultValue: spec2.defaultValue
  };
}
function shapeOf(type, version3, isCompact, isNullable) {
  const element = type.kind === "array" ? elementOf(type.element, version3, isCompact) : null;
  const layout = type.kind === "struct" ? layOut(type.fields, version3, isCompact) : null;
  const minBytes = layout ? isNullable ? 1 : layout.minBytes : minBytesOf(type.kind, isCompact);
  return { kind: type.kind, isNullable, isCompact, element, layout, minBytes };
}
function elementOf(type, version3, isCompact) {
  return {
    ...shapeOf(type, version3, isCompact, false),
    name: "",
    place: "body",
    tag: -1,
    isIgnorable: false,
    mayBeOmitted: false,
    defaultValue: void 0
  };
}
function minBytesOf(kind, isCompact) {
  switch (kind) {
    case "int8":
    case "boolean":
      return 1;
    case "int16":
    case "uint16":
      return 2;
    case "int32":
    case "uint32":
      return 4;
    case "int64":
    case "float64":
      return 8;
    case "uuid":
      return 16;
    case "string":
      return isCompact ? 1 : 2;
    case "bytes":
    case "records":
    case "array":
      return isCompact ? 1 : 4;
    case "struct":
      return 0;
  }
}

// src/protocol/decode.ts
function decodeFields(layout, input) {
  const fields = { ...layout.defaults };
  for (const slot of layout.body) fields[slot.name] = decodeValue(slot, input);
  if (layout.isFlexible) decodeTagged(layout.tagged, fields, input);
  return fields;
}
function skipTagged(input) {
  decodeTagged([], {}, input);
}
function decodeTagged(slots, fields, input) {
  const count3 = input.uvarint();
  if (count3 > input.remaining / 2) throw input.invalid(`${count3} tagged fields in ${input.remaining} bytes`);
  let previousTag = -1;
  let next2 = 0;
  for (let i = 0; i < count3; i++) {
    const tag = input.uvarint();
    if (tag <= previousTag) throw input.invalid(`tag ${tag} after tag ${previousTag}`);
    previousTag = tag;
    const sizeBytes = input.uvarint();
    let slot = slots[next2];
    while (slot && slot.tag < tag) slot = slots[++next2];
    if (slot?.tag !== tag) {
      input.skip(sizeBytes);
      continue;
    }
    const end = input.position + sizeBytes;
    fields[slot.name] = decodeValue(slot, input);
    if (input.position !== end) throw input.invalid(`${slot.name}, of ${sizeBytes} bytes, does not end at byte ${end}`);
  }
}
function decodeValue(slot, input) {
  switch (slot.kind) {
    case "int32":
      return input.int32();
    case "int16":
      return input.int16();
    case "int64":
      return input.int64();
    case "string": {
      const length = decodeLength(slot, input);
      if (length > MAX_STRING_BYTES) throw input.invalid(`${slot.name}: string of ${length} bytes`);
      return length === -1 ? null : input.utf8(length);
    }
    case "records":
    case "bytes": {
      const length = decodeLength(slot, input);
      return length === -1 ? null : input.bytes(length);
    }
    case "array":
      return decodeArray(slot, input);
    case "struct":
      return slot.isNullable && input.int8() < 0 ? null : decodeFields(partOf(slot.layout), input);
    case "boolean":
      return input.int8() !== 0;
    case "uuid":
      return input.bytes(16).toString("base64url");
    case "int8":
      return input.int8();
    case "uint16":
      return input.uint16();
    case "uint32":
      return input.uint32();
    case "float64":
      return input.float64();
  }
}
function decodeArray(slot, input) {
  const count3 = decodeLength(slot, input);
  if (count3 === -1) return null;
  const element = partOf(slot.element);
  if (count3 * Math.max(element.minBytes, 1) > input.remaining) {
    throw input.invalid(`${slot.name}: ${count3} elements in ${input.remaining} bytes`);
  }
  const values = [];
  for (let i = 0; i < count3; i++) values.push(decodeValue(element, input));
  return values;
}
function decodeLength(slot, input) {
  const length = slot.isCompact ? input.uvarint() - 1 : slot.kind === "string" ? input.int16() : input.int32();
  if (length < -1) throw input.invalid(`${slot.name}: negative length ${length}`);
  if (length === -1 && !slot.isNullable) throw input.invalid(`${slot.name}: null`);
  return length;
}

// src/protocol/encode.ts
var MAX_INT32 = 2147483647;
var UUID_TEXT = /^[\w-]{21}[AQgw]$/;
function encodeFields(layout, fields, out, where) {
  encodeStruct(layout, fields, out, new Trail(where));
}
function encodeStruct(layout, value, out, trail) {
  if (!isObject(value)) throw trail.refuse(describe(value), "an object");
  for (const slot of layout.body) encodeField(slot, value[slot.name], out, trail);
  for (const slot of layout.refused) {
    const field2 = value[slot.name];
    if (isDefault(slot, field2)) continue;
    trail.enter(slot.name);
    throw trail.refuse(describe(field2), `${describe(slot.defaultValue)}, for this version does not have the field`);
  }
  if (layout.isFlexible) encodeTagged(layout.tagged, value, out, trail);
}
function encodeTagged(slots, fields, out, trail) {
  let count3 = 0;
  for (const slot of slots) if (!isDefault(slot, fields[slot.name])) count3++;
  out.uvarint(count3);
  if (count3 === 0) return;
  for (const slot of slots) {
    const field2 = fields[slot.name];
    if (isDefault(slot, field2)) continue;
    const content = new Writer();
    encodeField(slot, field2, content, trail);
    out.uvarint(slot.tag);
    out.uvarint(content.size);
    for (const chunk of content.chunks()) out.bytes(chunk);
  }
}
function encodeField(slot, value, out, trail) {
  trail.enter(slot.name);
  encodeValue(slot, value === void 0 && slot.mayBeOmitted ? slot.defaultValue : value, out, trail);
  trail.leave();
}
function encodeValue(slot, value, out, trail) {
  switch (slot.kind) {
    case "int32":
      out.int32(integer(value, -2147483648, MAX_INT32, trail));
      break;
    case "int16":
      out.int16(integer(value, -32768, 32767, trail));
      break;
    case "int64":
      out.int64(bigInteger(value, trail));
      break;
    case "string":
      encodeString(slot, value, out, trail);
      break;
    case "records":
    case "bytes":
      encodeBytes(slot, value, out, trail);
      break;
    case "array":
      encodeArray(slot, value, out, trail);
      break;
    case "struct":
      if (slot.isNullable) out.int8(value === null ? -1 : 1);
      if (!slot.isNullable || value !== null) encodeStruct(partOf(slot.layout), value, out, trail);
      break;
    case "boolean":
      if (typeof value !== "boolean") throw trail.refuse(describe(value), "a boolean");
      out.int8(value ? 1 : 0);
      break;
    case "uuid":
      if (typeof value !== "string" || !UUID_TEXT.test(value))
        throw trail.refuse(describe(value), "a uuid as base64url");
      out.bytes(Buffer.from(value, "base64url"));
      break;
    case "int8":
      out.int8(integer(value, -128, 127, trail));
      break;
    case "uint16":
      out.uint16(integer(value, 0, 65535, trail));
      break;
    case "uint32":
      out.uint32(integer(value, 0, 4294967295, trail));
      break;
    case "float64":
      if (typeof value !== "number") throw trail.refuse(describe(value), "a number");
      out.float64(value);
      break;
  }
}
function encodeString(slot, value, out, trail) {
  if (value === null && slot.isNullable) {
    encodeLength(slot, -1, out);
    return;
  }
  if (typeof value !== "string") throw trail.refuse(describe(value), "a string");
  const byteLength2 = Buffer.byteLength(value);
  if (byteLength2 > MAX_STRING_BYTES) throw trail.refuse(describe(value), `at most ${MAX_STRING_BYTES} bytes of UTF-8`);
  if (byteLength2 !== value.length && new RegExp("\\p{Surrogate}", "u").test(value)) throw trail.refuse(describe(value), "Unicode text");
  encodeLength(slot, byteLength2, out);
  out.utf8(value, byteLength2);
}
function encodeBytes(slot, value, out, trail) {
  if (value === null && slot.isNullable) {
    encodeLength(slot, -1, out);
    return;
  }
  if (!(value instanceof Uint8Array)) throw trail.refuse(`of type ${typeof value}`, "bytes");
  if (value.byteLength > MAX_INT32) throw trail.refuse(`${value.byteLength} bytes`, `at most ${MAX_INT32} bytes`);
  encodeLength(slot, value.byteLength, out);
  out.bytes(value);
}
function encodeArray(slot, value, out, trail) {
  if (value === null && slot.isNullable) {
    encodeLength(slot, -1, out);
    return;
  }
  if (!Array.isArray(value)) throw trail.refuse(describe(value), "an array");
  if (value.length > MAX_INT32) throw trail.refuse(describe(value), `at most ${MAX_INT32} elements`);
  encodeLength(slot, value.length, out);
  const element = partOf(slot.element);
  for (let i = 0; i < value.length; i++) {
    trail.enter(i);
    encodeValue(element, value[i], out, trail);
    trail.leave();
  }
}
function encodeLength(slot, length, out) {
  if (slot.isCompact) out.uvarint(length + 1);
  else if (slot.kind === "string") out.int16(length);
  else out.int32(length);
}
function integer(value, min, max, trail) {
  if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) return value;
  throw trail.refuse(describe(value), `an integer from ${min} to ${max}`);
}
function bigInteger(value, trail) {
  if (typeof value === "bigint" && BigInt.asIntN(64, value) === value) return value;
  throw trail.refuse(describe(value), "a bigint of 64 bits");
}
function isDefault(slot, value) {
  if (value === void 0) return slot.mayBeOmitted;
  if (value === slot.defaultValue) return true;
  if (value === null || slot.defaultValue === null) return false;
  if (slot.kind === "array") return Array.isArray(value) && value.length === 0;
  if (slot.kind === "struct" && isObject(value)) {
    return partOf(slot.layout).slots.every((inner) => isDefault(inner, value[inner.name]));
  }
  return value instanceof Uint8Array && value.byteLength === 0;
}
function isObject(value) {
  return typeof value === "object" && value !== null;
}
var Trail = class {
  #where;
  #steps = [];
  constructor(where) {
    this.#where = where;
  }
  enter(step) {
    this.#steps.push(step);
  }
  leave() {
    this.#steps.pop();
  }
  /** The error for a value that this place cannot hold; the caller throws it. */
  refuse(found, wanted) {
    const path = this.#steps.map((step) => typeof step === "number" ? `[${step}]` : `.${step}`).join("");
    const place = path.slice(1) || "the body";
    return new ProtocolError(
      "NOT_REPRESENTABLE",
      `${this.#where}: NOT_REPRESENTABLE: ${place} is ${found}, must be ${wanted}`
    );
  }
};
function describe(value) {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value.length > 64 ? `${value.slice(0, 64)}...` : value);
    case "undefined":
      return "missing";
    case "object":
      if (value === null) return "null";
      return Array.isArray(value) ? `an array of ${value.length}` : "an object";
    case "number":
    case "boolean":
      return String(value);
    default:
      return `of type ${typeof value}${typeof value === "bigint" ? ` (${String(value).slice(0, 32)})` : ""}`;
  }
}

// src/protocol/codec.ts
function encodeBody(api2, direction, version3, body, out) {
  encodeFields(layoutOf(api2, direction, version3), body, out, `${api2.name} v${version3} ${direction}`);
}
function decodeBody(api2, direction, version3, input) {
  const body = decodeFields(layoutOf(api2, direction, version3), input);
  input.end();
  return body;
}

// src/protocol/frame-reader.ts
var LENGTH_BYTES = 4;
var MIN_PAYLOAD_BYTES = 4;
var PEEK_BYTES = 8;
var FrameReader = class {
  /** The longest payload taken; applies to frames whose length is not read yet. */
  capBytes;
  /** The shortest; a bare SASL token has no header. */
  minBytes = MIN_PAYLOAD_BYTES;
  /** Received and not yet given out; the current frame begins at `#at` of the first. */
  #chunks = [];
  #at = 0;
  #bufferedBytes = 0;
  /** Of the current frame, once its four bytes are there and accepted. */
  #payloadBytes = null;
  constructor(capBytes) {
    this.capBytes = capBytes;
  }
  /** Takes what the socket gave. The chunk is kept, not copied: it must not change any more. */
  push(chunk) {
    if (chunk.byteLength === 0) return;
    this.#chunks.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    this.#bufferedBytes += chunk.byteLength;
  }
  /**
   * The payload of the next complete frame, without its length; null: not all of it is there.
   *
   * @throws {ProtocolError} `INVALID_FRAME`: a length that cannot be, or is over `capBytes`; then and ever after, for
   *   the stream cannot be understood from here on.
   */
  next() {
    this.#payloadBytes ??= this.#readLength();
    if (this.#payloadBytes === null || this.#bufferedBytes < LENGTH_BYTES + this.#payloadBytes) return null;
    this.#drop(LENGTH_BYTES);
    const payload = this.#copyOrView(this.#payloadBytes);
    this.#drop(this.#payloadBytes);
    this.#payloadBytes = null;
    return payload;
  }
  /** The first bytes of the current frame as far as they are there, at most 8: the length and the correlation id. */
  peek() {
    return this.#copyOrView(Math.min(PEEK_BYTES, this.#bufferedBytes));
  }
  #readLength() {
    if (this.#bufferedBytes < LENGTH_BYTES) return null;
    const length = this.#copyOrView(LENGTH_BYTES).readInt32BE(0);
    if (length < this.minBytes || length > this.capBytes) {
      throw new ProtocolError(
        "INVALID_FRAME",
        `frame: INVALID_FRAME: a length of ${length}, must be ${this.minBytes} to ${this.capBytes} bytes`
      );
    }
    return length;
  }
  /** The next `length` bytes, which are there: a view if one chunk has them all. */
  #copyOrView(length) {
    const [first] = this.#chunks;
    if (first && length <= first.length - this.#at) return first.subarray(this.#at, this.#at + length);
    const whole = Buffer.allocUnsafe(length);
    let copied = 0;
    let from = this.#at;
    for (const chunk of this.#chunks) {
      if (copied === length) break;
      copied += chunk.copy(whole, copied, from, from + length - copied);
      from = 0;
    }
    return whole;
  }
  /** Forgets the next `length` bytes. */
  #drop(length) {
    this.#bufferedBytes -= length;
    this.#at += length;
    let used = 0;
    for (const chunk of this.#chunks) {
      if (this.#at < chunk.length) break;
      this.#at -= chunk.length;
      used++;
    }
    if (used > 0) this.#chunks.splice(0, used);
  }
};
function describePeer(firstBytes) {
  const text3 = Buffer.from(firstBytes.subarray(0, 4)).toString("latin1");
  if (/^(HTTP|<htm|<!do)/i.test(text3)) return "http";
  const isTls = (firstBytes[0] === 21 || firstBytes[0] === 22) && firstBytes[1] === 3;
  return isTls ? "tls" : null;
}

// src/protocol/frame.ts
var requestHeader = { apiKey: int16, apiVersion: int16, correlationId: int32, clientId: string.nullable() };
var responseHeader = { correlationId: int32 };
var requestHeaderLayout = layOut(requestHeader, 1, false);
var responseHeaderLayout = layOut(responseHeader, 0, false);
var MAX_FRAME_BYTES = 2147483647;
function requestHeaderVersion(api2, version3) {
  return version3 >= api2.flexibleFrom ? 2 : 1;
}
function responseHeaderVersion(api2, version3) {
  return version3 >= api2.flexibleFrom && api2.key !== apiVersions.key ? 1 : 0;
}
function encodeRequestFrame(api2, version3, header, body) {
  const out = openFrame();
  const fields = { ...header, apiKey: api2.key, apiVersion: version3 };
  encodeFields(requestHeaderLayout, fields, out, `${api2.name} v${version3} request header`);
  if (requestHeaderVersion(api2, version3) === 2) out.uvarint(0);
  encodeBody(api2, "request", version3, body, out);
  return closeFrame(out, `${api2.name} v${version3} request`);
}
function encodeResponseFrame(api2, version3, correlationId, body) {
  const out = openFrame();
  encodeFields(responseHeaderLayout, { correlationId }, out, `${api2.name} v${version3} response header`);
  if (responseHeaderVersion(api2, version3) === 1) out.uvarint(0);
  encodeBody(api2, "response", version3, body, out);
  return closeFrame(out, `${api2.name} v${version3} response`);
}
function decodeResponseFrame(api2, version3, frame) {
  const input = new Reader(frame, `${api2.name} v${version3} response`);
  decodeFields(responseHeaderLayout, input);
  if (responseHeaderVersion(api2, version3) === 1) skipTagged(input);
  return decodeBody(api2, "response", version3, input);
}
function decodeRequestHeader(frame) {
  const input = new Reader(frame, "request header");
  const { apiKey, ...header } = decodeFields(requestHeaderLayout, input);
  const api2 = apiOfKey(apiKey);
  if (!api2) {
    throw new ProtocolError("UNSUPPORTED_VERSION", `request header: UNSUPPORTED_VERSION: unknown API key ${apiKey}`);
  }
  if (requestHeaderVersion(api2, header.apiVersion) === 2) skipTagged(input);
  return { api: api2, ...header, body: input.bytes(input.remaining) };
}
function openFrame() {
  const out = new Writer();
  out.int32(0);
  return out;
}
function closeFrame(out, where) {
  const lengthBytes = out.size - 4;
  if (lengthBytes > MAX_FRAME_BYTES) {
    throw new ProtocolError(
      "NOT_REPRESENTABLE",
      `${where}: NOT_REPRESENTABLE: a frame of ${lengthBytes} bytes, at most ${MAX_FRAME_BYTES}`
    );
  }
  const sizeBytes = out.size;
  const chunks = out.chunks();
  const [first] = chunks;
  if (first) new DataView(first.buffer, first.byteOffset).setInt32(0, lengthBytes);
  return { chunks, sizeBytes };
}

// src/protocol/negotiate.ts
var UNSUPPORTED_VERSION = 35;
var INVALID_REQUEST = 42;
function chooseVersion(api2, brokerRanges, where, { minVersion = api2.minVersion, maxVersion = api2.maxVersion } = {}) {
  const theirs = brokerRanges.get(api2.key);
  const version3 = Math.min(maxVersion, theirs?.max ?? -1);
  if (theirs && version3 >= theirs.min && version3 >= minVersion) return version3;
  const theirVersions = theirs ? `versions ${theirs.min} to ${theirs.max}` : "no version";
  throw new ProtocolError(
    "UNSUPPORTED_VERSION",
    `${where}: UNSUPPORTED_VERSION (${UNSUPPORTED_VERSION}): ${api2.name}: the broker speaks ${theirVersions}, headrace ${minVersion} to ${maxVersion}`
  );
}
function nextApiVersionsAttempt(previousVersion, outcome) {
  const isRefusal2 = outcome === "closed" || outcome.errorCode === UNSUPPORTED_VERSION || outcome.errorCode === INVALID_REQUEST;
  if (!isRefusal2 || previousVersion <= apiVersions.minVersion) return null;
  if (previousVersion < apiVersions.maxVersion) return apiVersions.minVersion;
  if (outcome === "closed") return previousVersion - 1;
  const hint = outcome.apiKeys.find(({ apiKey }) => apiKey === apiVersions.key)?.maxVersion ?? apiVersions.minVersion;
  const isUsable = outcome.errorCode === UNSUPPORTED_VERSION && hint >= apiVersions.minVersion && hint < previousVersion;
  return isUsable ? hint : apiVersions.minVersion;
}
function decodeApiVersionsFrame(version3, frame) {
  const isRefusal2 = frame[4] === 0 && frame[5] === UNSUPPORTED_VERSION;
  if (!isRefusal2) return decodeResponseFrame(apiVersions, version3, frame);
  try {
    return decodeResponseFrame(apiVersions, 0, frame);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return decodeResponseFrame(apiVersions, 0, BARE_REFUSAL);
  }
}
var BARE_REFUSAL = Buffer.from([0, 0, 0, 0, 0, UNSUPPORTED_VERSION, 0, 0, 0, 0]);

// src/diagnostics.ts
import { channel } from "node:diagnostics_channel";
function diagnosticChannel(name2) {
  return channel(name2);
}

// src/sasl/broker-text.ts
var MAX_CHARACTERS = 256;
var MIN_SECRET_CHARACTERS = 4;
function brokerText(text3, secrets = []) {
  const forms = secrets.filter((secret2) => secret2.length >= MIN_SECRET_CHARACTERS).flatMap(formsOf);
  const line = redact(text3, forms).replaceAll(/[\p{C}\p{Z}]+/gu, " ");
  const plain3 = redact(line, forms).trim();
  return plain3.length > MAX_CHARACTERS ? `${plain3.slice(0, MAX_CHARACTERS - 3).replace(/[\ud800-\udbff]$/, "")}...` : plain3;
}
function redact(text3, forms) {
  return forms.reduce((redacted, form) => redacted.replaceAll(form, "[redacted]"), text3);
}
function formsOf(secret2) {
  const bytes2 = Buffer.from(secret2);
  const hex2 = bytes2.toString("hex");
  const base64 = [0, 1, 2].flatMap((before) => [
    inBase64(bytes2, before, "base64"),
    inBase64(bytes2, before, "base64url")
  ]);
  const reversed = Array.from(secret2).reverse().join("");
  return [
    secret2,
    bytes2.toString("base64"),
    ...base64,
    hex2,
    hex2.toUpperCase(),
    encodeURIComponent(bytes2.toString()),
    reversed
  ];
}
function inBase64(bytes2, before, alphabet) {
  const all = Buffer.alloc(before + bytes2.length);
  all.set(bytes2, before);
  return all.toString(alphabet).slice(Math.ceil(before * 8 / 6), Math.floor(all.length * 8 / 6));
}

// src/connection/broker-address.ts
var ORDINARY_HOST = /^[\x21-\x7e]{1,255}$/;
function formatAddress({ host, port }) {
  const name2 = ORDINARY_HOST.test(host) ? host : brokerText(host);
  return name2.includes(":") ? `[${name2}]:${port}` : `${name2}:${port}`;
}
function parseBrokers(value) {
  const parts = [];
  for (const item of Array.isArray(value) ? value : [value]) {
    if (typeof item !== "string") return { problem: "expected host:port, or a list of host:port" };
    parts.push(...item.split(",").map((part) => part.trim()));
  }
  const addresses = /* @__PURE__ */ new Map();
  for (const part of parts) {
    if (part === "") continue;
    const parsed = parseAddress(part);
    if (typeof parsed === "string") return { problem: parsed };
    addresses.set(formatAddress(parsed), parsed);
  }
  if (addresses.size === 0) return { problem: "no address given; expected host:port, such as localhost:9092" };
  return { addresses: [...addresses.values()] };
}
function parseAddress(text3) {
  if (text3.includes("@")) return "an address holds an @: users and passwords go into sasl; write host:port";
  const shown = JSON.stringify(text3.slice(0, 120));
  if (text3.includes("://")) return `${shown} has a scheme; write host:port without it`;
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(.*))?$/.exec(text3);
  if (match === null) {
    return text3.includes(":") && !text3.startsWith("[") ? `${shown} is not host:port; an IPv6 address goes in brackets, such as [::1]:9092` : `${shown} is not host:port`;
  }
  const host = (match[1] ?? match[2] ?? "").trim();
  const portText = match[3];
  if (portText === void 0 || portText === "")
    return `${shown} has no port; write ${host}:9092 or whatever the port is`;
  const port = /^[0-9]{1,5}$/.test(portText) ? Number(portText) : NaN;
  if (!(port >= 1 && port <= 65535)) return `${shown}: port ${portText.slice(0, 20)} is not a number from 1 to 65535`;
  if (host === "" || /[\s/@]/.test(host)) return `${shown}: ${JSON.stringify(host)} is not a host name`;
  return { host, port };
}

// src/connection/failure.ts
function connectionError(address, code, what, cause) {
  return new ConnectionError(code, `${address}: ${code}: ${what}`, { retriable: true, cause });
}
function asKafkaError(address, error) {
  if (error instanceof ProtocolError && !error.message.startsWith(address)) {
    const retriable = error.code !== "NOT_REPRESENTABLE";
    return new ProtocolError(error.code, `${address}: ${error.message}`, { retriable, cause: error });
  }
  if (error instanceof KafkaError) return error;
  return connectionError(address, "CONNECTION_FAILED", error instanceof Error ? error.message : String(error), error);
}
function asSeenByParked(address, error) {
  if (!(error instanceof ProtocolError)) return error;
  const what = `we closed the connection while we authenticated again: ${error.message}`;
  return connectionError(address, "CONNECTION_CLOSED", what, error);
}

// src/connection/guess.ts
var guesses = /* @__PURE__ */ new WeakSet();
function asGuess(error) {
  guesses.add(error);
  return error;
}
function isGuess(error) {
  return guesses.has(error);
}
function isGuessOfTls({ code, retriable }) {
  return retriable && (code === "PEER_NOT_TLS" || code.startsWith("CLIENT_CERTIFICATE_"));
}

// src/options.ts
import { types } from "node:util";

// src/nearest.ts
function editDistance(a, b) {
  let beforePrevious = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const isSame2 = a[i - 1] === b[j - 1];
      const replaced = (previous[j - 1] ?? 0) + (isSame2 ? 0 : 1);
      const shifted = Math.min((previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swapped = isSwap ? (beforePrevious[j - 2] ?? 0) + 1 : Infinity;
      current.push(Math.min(replaced, shifted, swapped));
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[b.length] ?? 0;
}
function nearestNames(name2, candidates2, limit = 1) {
  const plain3 = (text3) => text3.toLowerCase().replaceAll(/[._-]/g, "");
  const wanted = plain3(name2);
  const allowed = Math.max(2, Math.floor(wanted.length / 3));
  const found = [];
  for (const candidate of candidates2) {
    if (Math.abs(candidate.length - name2.length) > allowed + 2) continue;
    const distance = editDistance(wanted, plain3(candidate));
    if (distance <= allowed) found.push({ candidate, distance });
  }
  found.sort((a, b) => a.distance - b.distance || (a.candidate < b.candidate ? -1 : 1));
  return found.slice(0, limit).map(({ candidate }) => candidate);
}

// src/options.ts
function int(row) {
  const orInfinity = row.allowInfinity === true ? ", or Infinity" : "";
  const type = `integer, ${row.min} to ${row.max}${orInfinity}`;
  return spec(row, type, String(row.default), (value) => {
    if (value === void 0) return { value: row.default };
    if (row.allowInfinity === true && value === Infinity) return { value: Infinity };
    const isFine = typeof value === "number" && Number.isInteger(value) && value >= row.min && value <= row.max;
    return isFine ? { value } : { expected: `an ${type}` };
  });
}
function bool(row) {
  return spec(row, "boolean", String(row.default), (value) => {
    if (value === void 0) return { value: row.default };
    return typeof value === "boolean" ? { value } : { expected: "true or false" };
  });
}
function text(row) {
  return spec(row, "string", `'${row.default}'`, (value) => {
    if (value === void 0) return { value: row.default };
    return typeof value === "string" && value !== "" ? { value } : { expected: "a string that is not empty" };
  });
}
function hook(row) {
  return spec(row, row.signature, "-", (value) => {
    if (value === void 0) return { value: void 0 };
    return typeof value === "function" ? { value } : { expected: "a function" };
  });
}
function custom(row) {
  return { ...spec(row, row.type, row.defaultText, row.check), isRequired: row.isRequired === true };
}
function notYet(row) {
  const neutral = row.neutral;
  const only2 = row.neutral.map((value) => show(value)).join(" or ");
  const problem3 = `not available in this version of headrace${only2 === "" ? "" : `; only ${only2} can be given`}`;
  return {
    ...spec(row, row.type, "not available yet", (value) => {
      if (value === void 0) return { value: void 0 };
      return neutral.includes(value) ? { value } : { problem: problem3 };
    }),
    isNotYet: true
  };
}
function spec(row, type, defaultText, check2) {
  const kafka = row.kafka === void 0 ? {} : { kafka: row.kafka };
  return Object.freeze({ type, doc: row.doc, ...kafka, defaultText, isRequired: false, check: check2 });
}
function resolve(input, context) {
  const { where, table: table3 } = context;
  if (typeof input !== "object" || input === null || Array.isArray(input) || hasHidden(input, table3)) {
    throw new OptionError(
      "INVALID_OPTIONS",
      `${where}: INVALID_OPTIONS: expected an options object, got ${show(input)}`
    );
  }
  const problems = [];
  let notYetCount = 0;
  for (const name2 of Object.keys(input)) {
    if (!Object.hasOwn(table3, name2)) problems.push(unknownOption(name2, context));
  }
  const resolved = {};
  for (const [name2, row] of Object.entries(table3)) {
    const value = Object.hasOwn(input, name2) ? input[name2] : void 0;
    const checked = row.check(value);
    if ("value" in checked) {
      resolved[name2] = checked.value;
    } else if (value === void 0) {
      problems.push(`${name2}: required: ${"expected" in checked ? checked.expected : checked.problem}`);
    } else {
      if (row.isNotYet === true) notYetCount++;
      problems.push(
        `${name2}: ${"expected" in checked ? `got ${show(value)}, expected ${checked.expected}` : checked.problem}`
      );
    }
  }
  if (problems.length === 0) {
    for (const [holds2, sentence] of context.rules ?? []) {
      if (!holds2(resolved)) problems.push(sentence(resolved));
    }
  }
  if (problems.length > 0) {
    const code = problems.length === notYetCount ? "NOT_AVAILABLE_YET" : "INVALID_OPTIONS";
    throw new OptionError(code, `${where}: ${code}: ${problems.join("; ")}`);
  }
  return Object.freeze(resolved);
}
function hasHidden(input, table3) {
  if (types.isMap(input) || types.isSet(input) || types.isDate(input) || types.isRegExp(input)) return true;
  const parents = [];
  for (let at = parentOf(input); at !== null; at = parentOf(at)) parents.push(at);
  return parents.slice(0, -1).some(
    (parent) => Object.entries(Object.getOwnPropertyDescriptors(parent)).some(
      ([name2, descriptor]) => descriptor.get !== void 0 && Object.hasOwn(table3, name2)
    )
  );
}
function parentOf(of) {
  return Object.getPrototypeOf(of);
}
function unknownOption(name2, context) {
  const foreign = context.foreignNames;
  if (foreign !== void 0 && Object.hasOwn(foreign, name2)) return `${name2}: unknown option: ${foreign[name2] ?? ""}`;
  const [nearest] = nearestNames(name2, Object.keys(context.table));
  return `${name2}: unknown option${nearest === void 0 ? "" : `: did you mean ${nearest}?`}`;
}
function show(value) {
  if (typeof value === "string")
    return value.length > 60 ? `${JSON.stringify(value.slice(0, 57))}...` : JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "number" || typeof value === "boolean" || value === null || value === void 0)
    return String(value);
  if (typeof value === "function") return "a function";
  if (typeof value === "symbol") return "a symbol";
  if (Array.isArray(value)) return `an array of ${value.length}`;
  const name2 = value.constructor?.name;
  return typeof name2 === "string" && name2 !== "Object" ? `a ${name2}` : "an object";
}

// src/sasl/exchange.ts
var MAX_TOKEN_BYTES = 64 * 1024;
var MAX_ROUND_TRIPS = 4;
var Refusal = class extends Error {
  name = "Refusal";
  errorCode;
  #text;
  /** @param text the `errorMessage` of the broker, as it came. */
  constructor(errorCode, text3) {
    super(`error ${errorCode}`);
    this.errorCode = errorCode;
    this.#text = text3 ?? "";
  }
  toProblem(secrets = []) {
    const text3 = brokerText(this.#text, secrets);
    const says = text3 === "" ? `answers with error ${this.errorCode}` : `says: ${text3}`;
    return new SaslProblem(`the broker ${says}`, { errorCode: this.errorCode });
  }
};
var SaslProblem = class extends Error {
  name = "SaslProblem";
  code = "SASL_AUTHENTICATION_FAILED";
  retriable;
  errorCode;
  constructor(what, { retriable = false, errorCode, cause } = {}) {
    super(what, cause === void 0 ? void 0 : { cause });
    this.retriable = retriable;
    this.errorCode = errorCode;
  }
};
var CredentialsProblem = class extends SaslProblem {
  name = "CredentialsProblem";
  code = "CREDENTIALS_UNAVAILABLE";
};
function* say(token, secrets) {
  try {
    const { buffer, byteOffset, byteLength: byteLength2 } = yield token;
    return Buffer.from(buffer, byteOffset, byteLength2);
  } catch (error) {
    throw error instanceof Refusal ? error.toProblem(secrets) : error;
  }
}
async function runExchange(exchange2, send, place) {
  try {
    return await orAborted(converse(exchange2, send, place.signal), place.signal);
  } catch (error) {
    if (error instanceof SaslProblem) throw failed(error, place);
    if (error instanceof Refusal) throw failed(error.toProblem(), place);
    throw error;
  }
}
async function converse(exchange2, send, signal) {
  try {
    let step = await exchange2.next();
    for (let round = 1; step.done !== true; round++) {
      signal?.throwIfAborted();
      if (round > MAX_ROUND_TRIPS) throw new SaslProblem(`no end after ${MAX_ROUND_TRIPS} round trips`);
      const answer = await answerTo(step.value, send);
      step = answer instanceof Uint8Array ? await exchange2.next(answer) : await exchange2.throw(answer.thrown);
    }
    return step.value;
  } finally {
    await exchange2.return({});
  }
}
async function answerTo(token, send) {
  try {
    const answer = await send(token);
    if (answer.length <= MAX_TOKEN_BYTES) return answer;
    return { thrown: new SaslProblem(`an answer of ${answer.length} bytes, the limit is ${MAX_TOKEN_BYTES}`) };
  } catch (thrown) {
    return { thrown };
  }
}
function orAborted(work, signal) {
  if (signal === void 0) return work;
  return new Promise((resolve3, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    work.then(resolve3, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
function failed(problem3, { address, mechanism: mechanism2, user }) {
  const { code, message, retriable, errorCode, cause } = problem3;
  const number = errorCode === void 0 ? "" : ` (${errorCode})`;
  const who = user === null ? mechanism2 : `${mechanism2}, user ${show(user)}`;
  return new AuthenticationError(code, `${address}: ${code}${number}: ${who}: ${message}`, { retriable, cause });
}

// src/sasl/plaintext.ts
import { BlockList, isIP } from "node:net";
function plaintextProblem(mechanism2, exposure, link) {
  if (exposure === "none" || link.isTls) return null;
  if (exposure === "tls") return `${mechanism2} is never used without TLS: set tls`;
  if (link.allowPlaintextCredentials || isLoopback(link.remoteAddress)) return null;
  return `${mechanism2} would send its secret readable by everybody on the way: set tls, or allowPlaintextCredentials if this network is safe`;
}
var loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");
function isLoopback(address) {
  const family = isIP(address);
  return family !== 0 && loopback.check(address, family === 4 ? "ipv4" : "ipv6");
}

// src/connection/login.ts
var UNSUPPORTED_SASL_MECHANISM = 33;
var ILLEGAL_SASL_STATE = 34;
var MAX_NAMES = 20;
var MECHANISM_NAME = /^[A-Z0-9_-]{1,20}$/;
async function login(wire, place) {
  const { clock, versions } = place;
  const refusal9 = plaintextRefusal(place);
  if (refusal9 !== null) throw refusal9;
  const beganAtMs = clock.now();
  const isBare = !versions.has(saslAuthenticate.key);
  await shakeHands(wire, place, isBare ? { maxVersion: 0 } : { minVersion: 1 });
  const shookHandsAtMs = clock.now();
  const channel3 = isBare ? new BareChannel(wire, place) : new FramedChannel(wire, place);
  const result = await converse2(channel3.send, place).catch((error) => {
    throw isBare ? wordsForHangUp(error, place) : error;
  });
  const { sentAtMs, sessionLifetimeMs } = channel3;
  return { ...result, shookHandsAtMs, sentAtMs, sessionLifetimeMs, authenticationMs: clock.now() - beganAtMs };
}
function converse2(send, { mechanism: mechanism2, host, address, signal }) {
  const { name: name2, user } = mechanism2;
  return runExchange(mechanism2.begin({ host, signal }), send, { address, mechanism: name2, user, signal });
}
function plaintextRefusal({
  address,
  mechanism: mechanism2,
  transport,
  allowPlaintextCredentials = false
}) {
  const { isTls, remoteAddress } = transport;
  const link = { isTls, remoteAddress, allowPlaintextCredentials };
  const problem3 = plaintextProblem(mechanism2.name, mechanism2.exposure, link);
  if (problem3 === null) return null;
  const code = "PLAINTEXT_CREDENTIALS_REFUSED";
  return new AuthenticationError(code, `${address}: ${code}: ${problem3}`);
}
async function shakeHands(wire, { address, mechanism: mechanism2, versions }, limits) {
  const version3 = chooseVersion(saslHandshake, versions, address, limits);
  const { errorCode, mechanisms } = await wire.ask(saslHandshake, version3, { mechanism: mechanism2.name });
  if (errorCode === 0) return;
  if (errorCode === UNSUPPORTED_SASL_MECHANISM) {
    const enabled = mechanisms.filter((name2) => MECHANISM_NAME.test(name2)).slice(0, MAX_NAMES);
    const what2 = `the broker does not have ${mechanism2.name} on this listener; it has ${enabled.join(", ") || "none at all"}`;
    throw refused(address, "UNSUPPORTED_SASL_MECHANISM", errorCode, what2);
  }
  if (errorCode === ILLEGAL_SASL_STATE) {
    const what2 = "the listener wants no SASL: leave out sasl, or use the port of a listener that wants it";
    throw refused(address, "ILLEGAL_SASL_STATE", errorCode, what2);
  }
  const what = `${mechanism2.name}: the broker answers SaslHandshake with error ${errorCode}`;
  throw refused(address, "SASL_AUTHENTICATION_FAILED", errorCode, what);
}
var FramedChannel = class {
  sentAtMs = -Infinity;
  sessionLifetimeMs = 0n;
  #wire;
  #clock;
  #version;
  constructor(wire, { clock, versions, address }) {
    this.#wire = wire;
    this.#clock = clock;
    this.#version = chooseVersion(saslAuthenticate, versions, address);
  }
  send = async (authBytes) => {
    this.sentAtMs = this.#clock.now();
    const answer = await this.#wire.ask(saslAuthenticate, this.#version, { authBytes });
    if (answer.errorCode !== 0) throw new Refusal(answer.errorCode, answer.errorMessage);
    this.sessionLifetimeMs = answer.sessionLifetimeMs;
    return answer.authBytes;
  };
};
var BareChannel = class {
  sentAtMs = -Infinity;
  sessionLifetimeMs = 0n;
  #wire;
  #place;
  constructor(wire, place) {
    this.#wire = wire;
    this.#place = place;
  }
  send = (token) => {
    this.sentAtMs = this.#place.clock.now();
    return this.#wire.askBare(token);
  };
};
function wordsForHangUp(error, { address, mechanism: mechanism2 }) {
  if (!(error instanceof ConnectionError) || error.code !== "CONNECTION_CLOSED") return error;
  const who = mechanism2.user === null ? mechanism2.name : `${mechanism2.name}, user ${show(mechanism2.user)}`;
  const what = `${who}: the broker closed the connection, which is how a broker before 1.0 refuses credentials`;
  const text3 = `${address}: SASL_AUTHENTICATION_FAILED: ${what}`;
  return asGuess(new AuthenticationError("SASL_AUTHENTICATION_FAILED", text3, { retriable: true, cause: error }));
}
function refused(address, code, errorCode, what) {
  return new AuthenticationError(code, `${address}: ${code} (${errorCode}): ${what}`);
}

// src/sasl/renewal.ts
var RESERVE_MS = 1e3;
var MIN_REAUTHENTICATION_INTERVAL_MS = 1e3;
function reauthenticateAfterMs({ sessionLifetimeMs, authenticationMs }, clock) {
  const lifetimeMs = Number(sessionLifetimeMs);
  if (!(lifetimeMs > 0)) return Infinity;
  const drawnMs = lifetimeMs * (0.85 + 0.1 * clock.random());
  const latestMs = lifetimeMs - 2 * authenticationMs - RESERVE_MS;
  return latestMs > MIN_REAUTHENTICATION_INTERVAL_MS ? Math.min(drawnMs, latestMs) : drawnMs;
}
function renewTokenAfterMs(lifetimeMs, random) {
  return lifetimeMs * (0.75 + 0.1 * random);
}
function renewRoleAfterMs(lifetimeMs) {
  return Math.max(lifetimeMs - 5 * 6e4, lifetimeMs / 2);
}

// src/connection/reauthentication.ts
var Reauthentication = class {
  #clock;
  #connection;
  #parked = [];
  #isWaiting = false;
  #isLoggingIn = false;
  #dueAtMs = Infinity;
  #shookHandsAtMs = -Infinity;
  #pause = null;
  constructor(clock, connection) {
    this.#clock = clock;
    this.#connection = connection;
  }
  get parkedCount() {
    return this.#parked.length;
  }
  /** A login was taken; from here on its session counts. */
  began(session) {
    this.#shookHandsAtMs = session.shookHandsAtMs;
    this.#dueAtMs = session.sentAtMs + reauthenticateAfterMs(session, this.#clock);
  }
  /** Writes a request, now or when it may be. */
  admit(write, fail) {
    if (!this.#isWaiting && (this.#dueAtMs === Infinity || this.#clock.now() < this.#dueAtMs)) {
      write();
      return;
    }
    this.#parked.push({ write, fail });
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    this.#connection.onState(true);
    this.review();
  }
  /** Something was answered, perhaps the last that was in flight. */
  review() {
    if (!this.#isWaiting || this.#isLoggingIn || this.#connection.outCount() > 0) return;
    this.#isLoggingIn = true;
    void this.#login();
  }
  /** The connection is over. */
  giveUp(error) {
    this.#pause?.cancel();
    for (const { fail } of this.#parked.splice(0)) fail(error);
  }
  async #login() {
    try {
      await this.#untilBrokerMayListen();
      if (this.#connection.isOver()) return;
      this.began(await this.#connection.login());
    } catch (error) {
      this.#connection.onFailed(error);
      return;
    }
    this.#isLoggingIn = false;
    this.#isWaiting = false;
    this.#connection.onState(false);
    for (const { write } of this.#parked.splice(0)) write();
  }
  /** Where sessions are that short. */
  async #untilBrokerMayListen() {
    const waitMs2 = this.#shookHandsAtMs + MIN_REAUTHENTICATION_INTERVAL_MS + 1 - this.#clock.now();
    if (waitMs2 > 0) await new Promise((resolve3) => this.#pause = this.#clock.after(waitMs2, resolve3, false));
  }
};

// src/connection/state.ts
var moves = {
  idle: ["connecting", "closed"],
  connecting: ["negotiating", "closed"],
  negotiating: ["authenticating", "closed"],
  authenticating: ["ready", "closed"],
  ready: ["reauthenticating", "closing", "closed"],
  reauthenticating: ["ready", "closing", "closed"],
  closing: ["closed"],
  closed: []
};
function assertMove(from, to) {
  if (!moves[from].includes(to)) throw new Error(`connection: illegal move from ${from} to ${to}`);
}
function isTold(state) {
  return state === "connecting" || state === "ready" || state === "closed";
}

// src/connection/throttle.ts
var MAX_THROTTLE_MS = 6e4;
var FIRST_THROTTLING_VERSION = {
  Produce: 6,
  Metadata: 6,
  FindCoordinator: 2,
  ApiVersions: 2,
  CreateTopics: 3,
  InitProducerId: 1,
  AddPartitionsToTxn: 1,
  AddOffsetsToTxn: 1,
  EndTxn: 1,
  TxnOffsetCommit: 1,
  DescribeConfigs: 2
};
function shouldClientThrottle(api2, version3) {
  return version3 >= (FIRST_THROTTLING_VERSION[api2.name] ?? Infinity);
}
var Throttle = class {
  #clock;
  #untilMs = -Infinity;
  constructor(clock) {
    this.#clock = clock;
  }
  /** When the broker reads again, by the clock; `-Infinity`: it does now. */
  get untilMs() {
    if (this.#untilMs === -Infinity) return -Infinity;
    if (this.#untilMs <= this.#clock.now()) this.#untilMs = -Infinity;
    return this.#untilMs;
  }
  /** How long that is from now, whole milliseconds; undefined: it reads now. */
  get leftMs() {
    const { untilMs: untilMs2 } = this;
    return untilMs2 === -Infinity ? void 0 : Math.ceil(untilMs2 - this.#clock.now());
  }
  /** @returns what is granted of it, milliseconds; 0: nothing was asked for. */
  ask(api2, version3, response) {
    const { throttleTimeMs } = response;
    if (throttleTimeMs === void 0 || throttleTimeMs <= 0 || !shouldClientThrottle(api2, version3)) return 0;
    const grantedMs = Math.min(throttleTimeMs, MAX_THROTTLE_MS);
    this.#untilMs = Math.max(this.#untilMs, this.#clock.now() + grantedMs);
    return grantedMs;
  }
};

// src/connection/transport.ts
import { Socket as Socket2 } from "node:net";

// src/tls/connect-tls.ts
import { Socket } from "node:net";
import { connect } from "node:tls";

// src/tls/identity.ts
import { isIP as isIP2 } from "node:net";
import { checkServerIdentity } from "node:tls";
import { domainToASCII } from "node:url";
function expectedName(host, override) {
  const wanted = override === void 0 || override === "" ? host : override;
  const name2 = plainName(wanted);
  return isIP2(name2) !== 0 || override === "" ? { name: name2 } : { servername: name2, name: name2 };
}
function plainName(host) {
  if (isIP2(host) !== 0) return host.replace(/%.*$/, "");
  const ascii = /^[\x21-\x7e]+$/.test(host) ? host : domainToASCII(host);
  return (ascii === "" ? host : ascii).replace(/\.$/, "");
}
var IdentityError = class extends Error {
  code;
  constructor(code, message, cause) {
    super(message, cause === void 0 ? void 0 : { cause });
    this.code = code;
  }
};
var NOBODY = { C: "", ST: "", L: "", O: "", OU: "", CN: "" };
function checkIdentity(name2, certificate, own2) {
  if (own2 !== void 0) return checkByUser(name2, certificate, own2);
  const hasNames = typeof certificate.subjectaltname === "string" && certificate.subjectaltname !== "";
  if (!hasNames) return new IdentityError("COMMON_NAME_ONLY", "no subjectAltName");
  const refusal9 = checkServerIdentity(name2, { ...certificate, subject: NOBODY });
  return refusal9 === void 0 ? void 0 : new IdentityError("HOST_NOT_IN_CERTIFICATE", "another host");
}
function checkByUser(name2, certificate, own2) {
  let answer;
  try {
    answer = own2(name2, certificate);
  } catch (error) {
    return new IdentityError("REFUSED_BY_CHECK", error instanceof Error ? error.message : "it threw", error);
  }
  if (answer === void 0) return void 0;
  if (answer instanceof Error) return new IdentityError("REFUSED_BY_CHECK", answer.message, answer);
  if (answer instanceof Promise) void answer.catch(() => void 0);
  return new IdentityError("REFUSED_BY_CHECK", "it must return an Error, or undefined, at once");
}

// src/tls/tls-sentences.ts
import { isIP as isIP3 } from "node:net";

// src/tls/warnings.ts
var DAY_MS = 864e5;
var WARN_DAYS = [1, 7, 30];
var NOT_VERIFIED = {
  code: "BROKERS_NOT_VERIFIED",
  key: "not verified",
  message: "tls.rejectUnauthorized is false: whoever answers is taken for the broker, and gets passwords and records; set tls.ca to the certificate of your authority instead"
};
function expiryWarning(field2, certificate, nowMs) {
  const endMs = Date.parse(certificate.validTo);
  const key = `${field2} ${certificate.fingerprint256}`;
  const what = `tls.${field2}: the certificate of ${JSON.stringify(nameIn(certificate.subject))}`;
  const on = dayOf(endMs);
  if (endMs <= nowMs) return { code: "CERTIFICATE_EXPIRED", key, message: `${what} expired on ${on}` };
  const days = WARN_DAYS.find((limit) => endMs - nowMs <= limit * DAY_MS);
  if (days === void 0) return null;
  const left = Math.floor((endMs - nowMs) / DAY_MS);
  const when = left < 1 ? "within a day" : `in ${left} ${left === 1 ? "day" : "days"}`;
  return { code: "CERTIFICATE_EXPIRES", key: `${key} ${days}`, message: `${what} expires ${when}, on ${on}` };
}
function nameIn(subject) {
  const lines = subject.split("\n");
  return lines.findLast((line) => line.startsWith("CN="))?.slice(3) ?? lines.join(", ");
}
function dayOf(ms) {
  return Number.isNaN(ms) ? "a day that cannot be read" : new Date(ms).toISOString().slice(0, 10);
}
var saidInProcess = /* @__PURE__ */ new Set();
var TlsWarnings = class {
  #said = /* @__PURE__ */ new Set();
  #say;
  constructor(say2) {
    this.#say = say2;
  }
  tell(warnings) {
    for (const warning of warnings) {
      const said = warning.code === "BROKERS_NOT_VERIFIED" ? saidInProcess : this.#said;
      if (said.has(warning.key)) continue;
      said.add(warning.key);
      this.#say(warning);
    }
  }
};

// src/tls/tls-sentences.ts
var MAX_NAME_CHARS = 100;
var MAX_NAMES_CHARS = 300;
var MAX_HOST_CHARS = 255;
function expired(facts) {
  const bad2 = facts.chain.find(({ toMs }) => toMs < facts.nowMs) ?? facts.chain[0];
  if (bad2 === void 0) return "the broker's certificate has expired";
  return `${which(bad2, facts)} expired on ${dayOf(bad2.toMs)} (here it is ${dayOf(facts.nowMs)}): the broker needs a new one`;
}
function notYetValid(facts) {
  const bad2 = facts.chain.find(({ fromMs }) => fromMs > facts.nowMs) ?? facts.chain[0];
  if (bad2 === void 0) return "the broker's certificate is not valid yet";
  return `${which(bad2, facts)} is valid only from ${dayOf(bad2.fromMs)} (here it is ${dayOf(facts.nowMs)}): are the clocks right?`;
}
function wrongHost(facts) {
  const names = namesIn(facts.chain[0]);
  const advice = isIP3(facts.name) === 0 ? "dial one of these, let the broker advertise one, or say with tls.servername which one it is" : "dial and advertise a name instead of an address, or say with tls.servername which name it is";
  return `the broker's certificate is not for ${cut(facts.name, MAX_HOST_CHARS)}, but for ${names}: ${advice}`;
}
function commonNameOnly(facts) {
  const common = facts.chain[0] === void 0 ? "" : ` (${quoted(facts.chain[0].subject)})`;
  return `the broker's certificate names its host only as common name${common}, which no longer counts (RFC 9525): it needs ${cut(facts.name, MAX_HOST_CHARS)} as subjectAltName; to take it as it is, set tls.checkServerIdentity to that of node:tls`;
}
function refusedByCheck(_, words) {
  return `tls.checkServerIdentity refused the broker: ${cut(words.replace(/^REFUSED_BY_CHECK /, ""), MAX_NAMES_CHARS)}`;
}
function selfSigned(facts) {
  return `the broker's certificate${subjectOf(facts.chain[0])} is signed by itself and not in tls.ca: if it is the right one, set tls.ca to it`;
}
function untrusted(facts) {
  const top = facts.chain.at(-1);
  const authority = top === void 0 ? "an authority" : quoted(top.isSelfSigned ? top.subject : top.issuer);
  return `the broker's certificate goes back to ${authority}, which is not trusted: set tls.ca to the certificate of that authority (${trusted(facts)})`;
}
function chainIncomplete(facts) {
  const issuer = facts.chain[0] === void 0 ? "its issuer" : quoted(facts.chain[0].issuer);
  return `the broker's certificate is signed by ${issuer}, whose certificate is neither in tls.ca nor sent by the broker: if that is an intermediate authority, the broker must send it, too; if it is your own authority, set tls.ca to it (${trusted(facts)})`;
}
function purpose(facts) {
  return `the broker's certificate${subjectOf(facts.chain[0])} is not meant for servers: it needs serverAuth in its extended key usage`;
}
function revoked(facts) {
  return `the broker's certificate${subjectOf(facts.chain[0])} was revoked by its authority (tls.crl)`;
}
function tooWeak(_, words) {
  return `a certificate of the broker is too weak for OpenSSL (${reasonIn(words)}): it needs a longer key, or a newer digest`;
}
function invalid(_, words) {
  return `the broker's certificate cannot be trusted: ${reasonIn(words)}`;
}
function version() {
  return "the broker and we have no version of TLS in common: TLS 1.2 is the least that is used here (tls.minVersion)";
}
function certificateRequired(facts) {
  return facts.hasClientCertificate ? "the broker asks for a client certificate, and took none of ours: are tls.cert and tls.key from an authority that it trusts?" : "the broker asks for a client certificate: set tls.cert and tls.key";
}
function certificateRefused(_, words) {
  const alert = /ALERT[_ ]([A-Z_]+)/.exec(words)?.[1]?.toLowerCase().replaceAll("_", " ") ?? "handshake failure";
  return `the broker refuses our client certificate, tls.cert (alert: ${alert}): is its authority in the broker's trust store, and is it valid?`;
}
function garbledAlert({ hasClientCertificate }) {
  const how = "the broker broke off TLS with bytes that are none, as brokers before 3.0 do when";
  return hasClientCertificate ? `${how} they refuse a client certificate: is the authority of tls.cert in the broker's trust store, and is it valid?` : `${how} they miss one: it probably asks for a client certificate: set tls.cert and tls.key`;
}
function certificateProbablyRefused({ stage }) {
  const when = stage === "handshake" ? "in the TLS handshake" : "after the TLS handshake, before its first answer";
  return `the broker closed the connection ${when}: our client certificate, tls.cert, is probably refused`;
}
function nothingInCommon() {
  return "the broker refuses the TLS handshake: it has no cipher suite, group or signature in common with us (tls.ciphers, tls.minVersion)";
}
function notTls() {
  return "the port does not speak TLS: is this a plaintext listener? Leave out tls, or use the port of the TLS listener";
}
function hungUpOnGreeting() {
  return `the connection was closed at the TLS greeting, without an answer: ${notTls()}`;
}
function closedInHandshake() {
  return "the broker closed the connection in the TLS handshake: does it want a client certificate (tls.cert, tls.key)?";
}
function closedBeforeAnswer() {
  return "the broker closed the connection after the TLS handshake, before its first answer: does it want a client certificate (tls.cert, tls.key)?";
}
function closed() {
  return "the broker closed the connection";
}
function failed2(words) {
  return `TLS failed: ${reasonIn(words)}`;
}
function handshakeTimeout(receivedBytes, timeoutMs) {
  const silent = receivedBytes === 0 ? "; the peer has not said anything: is this a plaintext listener?" : "";
  return `no TLS handshake within connectTimeoutMs (${timeoutMs} ms)${silent}`;
}
function which(certificate, { chain }) {
  if (certificate === chain[0]) return `the broker's certificate (${quoted(certificate.subject)})`;
  return `the certificate of ${quoted(certificate.subject)}, in the chain of the broker's,`;
}
function subjectOf(certificate) {
  return certificate === void 0 ? "" : ` (${quoted(certificate.subject)})`;
}
function trusted({ authorities }) {
  return authorities === null ? "it is not set" : `it has ${authorities.map(quoted).join(", ")}`;
}
function namesIn(certificate) {
  const names = certificate?.names.replaceAll(/(DNS|IP Address):/g, "") ?? "";
  return names === "" ? "another host" : cut(names, MAX_NAMES_CHARS);
}
function reasonIn(words) {
  return cut(words.replace(/^[A-Z0-9_/]+ (?=.)/, "").toLowerCase(), MAX_NAME_CHARS);
}
function quoted(name2) {
  return `"${cut(name2, MAX_NAME_CHARS)}"`;
}
function cut(text3, maxChars) {
  const plain3 = text3.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "?");
  return plain3.length > maxChars ? `${plain3.slice(0, maxChars)}...` : plain3;
}

// src/tls/tls-errors.ts
var HANDSHAKE = ["handshake"];
var BEFORE_PROOF = ["handshake", "unproven"];
var ALERT_BYTES = 7;
var RULES = [
  final(/^CERT_HAS_EXPIRED/, "CERTIFICATE_EXPIRED", expired),
  final(/^CERT_NOT_YET_VALID/, "CERTIFICATE_NOT_YET_VALID", notYetValid),
  final(/^COMMON_NAME_ONLY/, "CERTIFICATE_HOST_MISMATCH", commonNameOnly),
  final(
    /^HOST_NOT_IN_CERTIFICATE|^ERR_TLS_CERT_ALTNAME|^HOSTNAME_MISMATCH/,
    "CERTIFICATE_HOST_MISMATCH",
    wrongHost
  ),
  final(/^REFUSED_BY_CHECK/, "CERTIFICATE_REFUSED", refusedByCheck),
  final(/^DEPTH_ZERO_SELF_SIGNED/, "CERTIFICATE_SELF_SIGNED", selfSigned),
  final(
    /^SELF_SIGNED_CERT_IN_CHAIN|^UNABLE_TO_GET_ISSUER|^CERT_UNTRUSTED/,
    "CERTIFICATE_UNTRUSTED",
    untrusted
  ),
  final(/^UNABLE_TO_VERIFY_LEAF/, "CERTIFICATE_CHAIN_INCOMPLETE", chainIncomplete),
  final(/^INVALID_PURPOSE/, "CERTIFICATE_PURPOSE", purpose),
  final(/^CERT_REVOKED/, "CERTIFICATE_REVOKED", revoked),
  final(
    /KEY TOO (WEAK|SMALL)|KEY_TOO_SMALL|MD_TOO_WEAK|DIGEST ALGORITHM TOO WEAK/,
    "CERTIFICATE_TOO_WEAK",
    tooWeak
  ),
  final(
    /^(CERT|CRL|UNABLE_TO|INVALID_CA|PATH_LENGTH|ERROR_IN_CERT|UNSPECIFIED)/,
    "CERTIFICATE_INVALID",
    invalid
  ),
  final(/ALERT_PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|VERSION_TOO_LOW/, "TLS_VERSION_REFUSED", version),
  final(/ALERT_CERTIFICATE_REQUIRED/, "CLIENT_CERTIFICATE_REQUIRED", certificateRequired),
  { when: /ALERT_(UNKNOWN_CA|ACCESS_DENIED|DECRYPT_ERROR)|ALERT_\w*CERTIFICATE/, judge: aboutOurCertificate },
  { when: /ALERT_HANDSHAKE_FAILURE/, stages: HANDSHAKE, judge: handshakeRefused },
  final(
    /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|BAD_RECORD_TYPE|RECORD_LENGTH/,
    "PEER_NOT_TLS",
    notTls,
    HANDSHAKE
  ),
  { when: /UNEXPECTED_MESSAGE/, stages: BEFORE_PROOF, judge: garbledAlert2 },
  { when: /BAD_RECORD_MAC/, stages: ["unproven"], judge: garbledAlert2 },
  { when: /^(ECONNRESET|EPIPE|ECONNABORTED|CLOSED)/, stages: BEFORE_PROOF, judge: hungUp },
  {
    when: /^(ECONNRESET|EPIPE|ECONNABORTED|CLOSED)/,
    judge: () => ({ code: "CONNECTION_CLOSED", what: closed(), retriable: true })
  }
];
function final(when, code, sentence, stages) {
  return { when, judge: (facts, words) => ({ code, what: sentence(facts, words) }), ...stages && { stages } };
}
function aboutOurCertificate(facts, words) {
  if (!facts.hasClientCertificate) {
    return { code: "CLIENT_CERTIFICATE_REQUIRED", what: certificateRequired(facts) };
  }
  return { code: "CLIENT_CERTIFICATE_REFUSED", what: certificateRefused(facts, words) };
}
function handshakeRefused(facts, words) {
  if (facts.receivedBytes > ALERT_BYTES) return aboutOurCertificate(facts, words);
  return { code: "TLS_FAILED", what: nothingInCommon() };
}
function garbledAlert2(facts) {
  const code = facts.hasClientCertificate ? "CLIENT_CERTIFICATE_REFUSED" : "CLIENT_CERTIFICATE_REQUIRED";
  return { code, what: garbledAlert(facts), retriable: true };
}
function hungUp(facts) {
  const retriable = true;
  if (facts.stage === "handshake" && facts.receivedBytes === 0) {
    return { code: "PEER_NOT_TLS", what: hungUpOnGreeting(), retriable };
  }
  if (facts.hasClientCertificate) {
    return { code: "CLIENT_CERTIFICATE_REFUSED", what: certificateProbablyRefused(facts), retriable };
  }
  const what = facts.stage === "handshake" ? closedInHandshake() : closedBeforeAnswer();
  return { code: "CONNECTION_CLOSED", what, retriable };
}
function explainTls(error, facts) {
  const words = wordsOf(error);
  const rule = RULES.find(({ when, stages }) => when.test(words) && (stages?.includes(facts.stage) ?? true));
  const verdict = rule?.judge(facts, words) ?? { code: "TLS_FAILED", what: failed2(words), retriable: true };
  return tlsError(facts.address, verdict, error);
}
function tlsError(address, { code, what, retriable = false }, cause) {
  const message = `${address}: ${code}: ${what}`;
  const details = { retriable, cause: cause ?? void 0 };
  return isAboutIdentity(code) ? new AuthenticationError(code, message, details) : new ConnectionError(code, message, details);
}
function isAboutIdentity(code) {
  return /^(CLIENT_)?CERTIFICATE_/.test(code);
}
function wordsOf(error) {
  if (error === null) return "CLOSED";
  if (error instanceof IdentityError) return `${error.code} ${error.message}`;
  const code = "code" in error ? String(error.code) : "";
  const reason = "reason" in error && typeof error.reason === "string" ? error.reason : error.message;
  return `${code} ${reason}`.toUpperCase().trim();
}

// src/tls/tls-facts.ts
import { X509Certificate } from "node:crypto";
var MAX_CHAIN = 10;
function seenChain(leaf) {
  const chain = [];
  const seen = /* @__PURE__ */ new Set();
  let at = leaf;
  for (; at !== void 0; at = at.issuerCertificate) {
    if (!Buffer.isBuffer(at.raw) || seen.has(at.fingerprint256) || chain.length === MAX_CHAIN) break;
    seen.add(at.fingerprint256);
    chain.push(seenCertificate(new X509Certificate(at.raw)));
  }
  return chain;
}
function seenCertificate(certificate) {
  return {
    subject: nameIn(certificate.subject),
    issuer: nameIn(certificate.issuer),
    names: certificate.subjectAltName ?? "",
    fromMs: Date.parse(certificate.validFrom),
    toMs: Date.parse(certificate.validTo),
    isSelfSigned: certificate.checkIssued(certificate)
  };
}

// src/tls/connect-tls.ts
async function secure(raw, options, signal, clock) {
  const { source, host, port, timeoutMs, connectTimeoutMs = timeoutMs, warnings } = options;
  const name2 = cut(host, MAX_HOST_CHARS);
  const address = name2.includes(":") ? `[${name2}]:${port}` : `${name2}:${port}`;
  const bytes2 = new ByteCount(raw);
  const giveUp = new AbortController();
  const onAbort = () => giveUp.abort(signal.reason);
  const timer2 = clock.after(timeoutMs, () => {
    const what = handshakeTimeout(bytes2.received, connectTimeoutMs);
    giveUp.abort(tlsError(address, { code: "CONNECT_TIMEOUT", what, retriable: true }, void 0));
  });
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  raw.on("error", ignoreError);
  try {
    const settings = await orAbort(Promise.resolve(source(address)), giveUp.signal);
    warnings?.tell(settings.warnings(clock.wallNow()));
    return await new Handshake({ raw, settings, address, host, bytes: bytes2, clock }).run(giveUp.signal);
  } catch (error) {
    raw.destroy();
    throw error;
  } finally {
    timer2.cancel();
    signal.removeEventListener("abort", onAbort);
  }
}
var Handshake = class {
  socket;
  #parts;
  #stage = "handshake";
  #error = null;
  #peer = null;
  #chain = [];
  constructor(parts) {
    this.#parts = parts;
    const { raw, settings, host } = parts;
    const name2 = settings.expectedName(host).name;
    this.socket = connect({
      ...settings.connectOptions(host),
      socket: raw,
      checkServerIdentity: (_, shown) => checkIdentity(name2, this.#peer ?? shown, settings.check)
    });
    parts.bytes.watch();
    this.socket.on("error", (error) => this.#error ??= error);
    this.socket.prependListener("secure", () => this.#remember());
  }
  get chain() {
    return this.#chain;
  }
  run(signal) {
    const { socket } = this;
    return new Promise((resolve3, reject) => {
      const settle = (error) => {
        signal.removeEventListener("abort", onAbort);
        socket.off("error", onError).off("close", onClose).off("secureConnect", onSecure);
        if (error === null) return resolve3(this);
        socket.destroy();
        reject(error);
      };
      const onAbort = () => settle(signal.reason);
      const onError = (error) => settle(this.explain(error, false));
      const onClose = () => settle(this.explain(null, false));
      const onSecure = () => {
        this.#stage = "unproven";
        settle(null);
      };
      socket.on("error", onError).on("close", onClose).on("secureConnect", onSecure);
      signal.addEventListener("abort", onAbort, { once: true });
      if (signal.aborted) onAbort();
    });
  }
  explain(error, hasAnswered) {
    if (error instanceof KafkaError) return error;
    if (hasAnswered) this.#stage = "proven";
    return explainTls(error ?? this.#error, this.#facts());
  }
  /** Node gives the chain once: to read it takes it out of OpenSSL's hands, and its own check would find nothing. */
  #remember() {
    try {
      const leaf = this.socket.getPeerCertificate(true);
      this.#peer = leaf;
      this.#chain = seenChain(leaf);
    } catch {
      this.#chain = [];
    }
  }
  #facts() {
    const { settings, address, host, bytes: bytes2, clock } = this.#parts;
    return {
      ...{ address, name: settings.expectedName(host).name, stage: this.#stage },
      ...{ hasClientCertificate: settings.hasClientCertificate, authorities: settings.authorities },
      ...{ chain: this.#chain, receivedBytes: bytes2.received, nowMs: clock.wallNow() }
    };
  }
};
var ByteCount = class {
  #raw;
  #before;
  #seen = 0;
  constructor(raw) {
    this.#raw = raw;
    this.#before = raw instanceof Socket ? raw.bytesRead : 0;
  }
  get received() {
    return this.#raw instanceof Socket ? this.#raw.bytesRead - this.#before : this.#seen;
  }
  /** A Duplex of a user's does not count. To be called when TLS has it and has paused it: a listener would make it flow. */
  watch() {
    if (!(this.#raw instanceof Socket)) this.#raw.on("data", (chunk) => this.#seen += chunk.length);
  }
};
function orAbort(work, signal) {
  return new Promise((resolve3, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    work.then(resolve3, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
function ignoreError() {
  return void 0;
}

// src/connection/open-socket.ts
import { lookup } from "node:dns/promises";
import { isIP as isIP4 } from "node:net";

// src/connection/race-addresses.ts
import { connect as connect2 } from "node:net";
var STAGGER_MS = 250;
var dialTcp = (host, port) => connect2({ host, port, noDelay: true, keepAlive: true });
function raceAddresses({ addresses, port, dial: dial2 = dialTcp, clock, signal }) {
  return new Promise((resolve3, reject) => {
    const open = /* @__PURE__ */ new Set();
    let next2 = 0;
    let timer2 = null;
    const finish2 = (winner, error) => {
      timer2?.cancel();
      signal.removeEventListener("abort", onAbort);
      for (const socket of open) {
        socket.removeAllListeners();
        if (socket === winner) continue;
        socket.on("error", ignoreLateError);
        socket.destroy();
      }
      if (winner === null) reject(error ?? new Error("it has no address"));
      else resolve3(winner);
    };
    const onAbort = () => finish2(null, signal.reason);
    const tryNext = () => {
      timer2?.cancel();
      const address = addresses[next2++];
      if (address === void 0) return;
      const socket = dial2(address, port);
      open.add(socket);
      socket.once("connect", () => finish2(socket));
      socket.once("error", (error) => {
        open.delete(socket);
        if (next2 < addresses.length) tryNext();
        else if (open.size === 0) finish2(null, error);
      });
      timer2 = clock.after(STAGGER_MS, tryNext);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    else if (addresses.length === 0) finish2(null);
    else tryNext();
  });
}
function ignoreLateError() {
  return void 0;
}

// src/connection/open-socket.ts
async function openSocket(options) {
  const giveUp = new AbortController();
  const timer2 = options.clock.after(
    options.timeoutMs ?? options.connectTimeoutMs,
    () => giveUp.abort(connectTimeout(options))
  );
  const onAbort = () => giveUp.abort(options.signal.reason);
  options.signal.addEventListener("abort", onAbort, { once: true });
  try {
    if (options.signal.aborted) throw asConnectionError(options.signal.reason, options);
    return await dial(options, giveUp.signal);
  } catch (error) {
    throw asConnectionError(giveUp.signal.aborted ? giveUp.signal.reason : error, options);
  } finally {
    timer2.cancel();
    options.signal.removeEventListener("abort", onAbort);
  }
}
async function dial(options, signal) {
  const { nodeId, host, port } = options;
  const at = options.mapAddress?.({ nodeId, host, port }) ?? { host, port };
  if (options.createSocket !== void 0) {
    const made = Promise.resolve(options.createSocket({ nodeId, ...at, signal }));
    void made.then((socket) => signal.aborted && socket.destroy(), ignoreLateError);
    return await untilAborted(made, signal);
  }
  const addresses = isIP4(at.host) === 0 ? await untilAborted((options.lookup ?? lookupAll)(at.host), signal) : [at.host];
  options.onResolved?.(addresses);
  for (const address of addresses) options.connectGuard?.({ host: at.host, port: at.port, address });
  return await raceAddresses({ addresses, port: at.port, dial: options.dial, clock: options.clock, signal });
}
async function lookupAll(host) {
  const found = await lookup(host, { all: true, order: "verbatim" });
  return found.map(({ address }) => address);
}
function untilAborted(work, signal) {
  return new Promise((resolve3, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    work.then(resolve3, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
function connectTimeout(options) {
  return new ConnectionError(
    "CONNECT_TIMEOUT",
    `${formatAddress(options)}: CONNECT_TIMEOUT: no connection within connectTimeoutMs (${options.connectTimeoutMs} ms)`,
    { retriable: true }
  );
}
function asConnectionError(error, options) {
  if (error instanceof ConnectionError) return error;
  const systemCode2 = error instanceof Error && "code" in error ? String(error.code) : "";
  const [code, what] = reasonOf(systemCode2, error, options);
  return new ConnectionError(code, `${formatAddress(options)}: ${code}: ${what}`, { retriable: true, cause: error });
}
var RESOLVER_CODES = ["ENOTFOUND", "EAI_AGAIN", "EAI_FAIL", "EAI_NODATA", "EAI_NONAME", "ENODATA", "ESERVFAIL"];
var LOCAL_LIMITS = {
  EMFILE: "this process has no file descriptor left (ulimit -n)",
  ENFILE: "this machine has no file descriptor left",
  EADDRNOTAVAIL: "this machine has no local port or address left for the connection",
  ENOBUFS: "this machine has no memory left for the connection"
};
function reasonOf(systemCode2, error, { host }) {
  if (RESOLVER_CODES.includes(systemCode2)) {
    return ["HOST_NOT_FOUND", `the host name ${JSON.stringify(brokerText(host))} could not be resolved (${systemCode2})`];
  }
  if (systemCode2 === "ECONNREFUSED") {
    return ["CONNECTION_REFUSED", "connection refused (ECONNREFUSED): nothing listens there"];
  }
  const message = error instanceof Error ? error.message : String(error);
  const limit = LOCAL_LIMITS[systemCode2];
  return ["CONNECTION_FAILED", limit === void 0 ? message : `${limit}: ${message}`];
}

// src/connection/transport.ts
async function openTransport(options) {
  const { tls, tlsWarnings, host, port, clock, signal, connectTimeoutMs, readyByMs } = options;
  const leftMs = () => Math.max(readyByMs - clock.now(), 0);
  const raw = await openSocket({ ...options, timeoutMs: leftMs() });
  const remoteAddress = raw instanceof Socket2 ? raw.remoteAddress ?? "" : "";
  options.onSocket?.(remoteAddress);
  if (tls === null || tls === void 0) {
    return { socket: raw, isTls: false, remoteAddress, chain: [], tlsVersion: null, explain: () => null };
  }
  const timeoutMs = leftMs();
  const warnings = tlsWarnings && { warnings: tlsWarnings };
  try {
    const secured = await secure(
      raw,
      { source: tls, host, port, timeoutMs, connectTimeoutMs, ...warnings },
      signal,
      clock
    );
    return securedTransport(secured, remoteAddress);
  } catch (error) {
    throw error instanceof KafkaError && isGuessOfTls(error) ? asGuess(error) : error;
  }
}
function securedTransport(secured, remoteAddress) {
  const { socket, chain } = secured;
  return {
    ...{ socket, isTls: true, remoteAddress, chain, tlsVersion: socket.getProtocol() },
    explain: (error, hasAnswered) => secured.explain(error, hasAnswered)
  };
}

// src/connection/watch.ts
var DeadlineWatch = class {
  #clock;
  #nextMs;
  #onPassed;
  #timer = null;
  #timerAtMs = Infinity;
  /** The timer has fired, and the verdict comes at the end of the turn. */
  #isDue = false;
  /** @param nextMs the earliest deadline now, by the clock; `Infinity`: none. */
  constructor(clock, nextMs, onPassed) {
    this.#clock = clock;
    this.#nextMs = nextMs;
    this.#onPassed = onPassed;
  }
  /** Deadlines have changed. */
  rearm() {
    const nextMs = this.#nextMs();
    if (nextMs === Infinity) return this.cancel();
    if (this.#isDue || this.#timerAtMs <= nextMs) return;
    this.cancel();
    this.#timerAtMs = nextMs;
    this.#timer = this.#clock.after(nextMs - this.#clock.now(), () => {
      this.#isDue = true;
      this.#clock.soon(() => this.#judge());
    });
  }
  cancel() {
    this.#timer?.cancel();
    this.#timer = null;
    this.#timerAtMs = Infinity;
    this.#isDue = false;
  }
  #judge() {
    if (!this.#isDue) return;
    this.cancel();
    if (this.#nextMs() > this.#clock.now()) return this.rearm();
    this.#onPassed();
  }
};
var IdleWatch = class {
  #clock;
  #maxIdleMs;
  #isIdle;
  #onIdle;
  #timer = null;
  #lastUsedMs;
  constructor(clock, maxIdleMs, isIdle, onIdle) {
    this.#clock = clock;
    this.#maxIdleMs = maxIdleMs;
    this.#isIdle = isIdle;
    this.#onIdle = onIdle;
    this.#lastUsedMs = clock.now();
  }
  used() {
    this.#lastUsedMs = this.#clock.now();
  }
  /** Whether the time is up: a process that was frozen may want the connection before the timer has its turn. */
  get isOver() {
    return this.#isIdle() && this.#clock.now() - this.#lastUsedMs >= this.#maxIdleMs;
  }
  watch() {
    if (this.isOver) return this.#onIdle();
    const restMs = this.#lastUsedMs + this.#maxIdleMs - this.#clock.now();
    this.#timer = this.#clock.after(restMs > 0 ? restMs : this.#maxIdleMs, () => this.watch(), false);
  }
  cancel() {
    this.#timer?.cancel();
    this.#timer = null;
  }
};

// src/connection/answers.ts
var HEADER_BYTES = 4;
var Answers = class {
  #address;
  #reader;
  /** No frame is longer than this while nothing is expected, bytes. */
  #capBytes;
  #pending = [];
  #hasReceived = false;
  #answeredCount = 0;
  constructor(address, capBytes) {
    this.#address = address;
    this.#capBytes = capBytes;
    this.#reader = new FrameReader(capBytes);
  }
  get pendingCount() {
    return this.#pending.length;
  }
  get oldest() {
    return this.#pending[0];
  }
  /** True once any byte came. */
  get hasReceived() {
    return this.#hasReceived;
  }
  /** How many requests were answered so far. */
  get answeredCount() {
    return this.#answeredCount;
  }
  expect(pending) {
    this.#pending.push(pending);
  }
  /** Takes all requests out, oldest first: nobody will answer them any more. */
  drain() {
    const all = this.#pending;
    this.#pending = [];
    return all;
  }
  /**
   * Takes what the socket gave and hands out the answers that are complete.
   *
   * @throws {ProtocolError} the bytes cannot be what we wait for.
   * @throws {ConnectionError} they are HTTP or TLS.
   */
  take(chunk) {
    this.#hasReceived = true;
    try {
      this.#reader.push(chunk);
      for (let frame = this.#next(); frame !== null; frame = this.#next()) this.#handOut(frame);
    } catch (error) {
      throw this.#wrongPeer() ?? error;
    }
  }
  /**
   * The next answer, if all of it is there. The length is judged first, then the correlation id as soon as it is there:
   * the same error however the bytes were cut.
   */
  #next() {
    const { oldest } = this;
    this.#reader.capBytes = oldest?.capBytes ?? this.#capBytes;
    this.#reader.minBytes = oldest?.correlationId === null ? 0 : HEADER_BYTES;
    const frame = this.#reader.next();
    if (oldest?.correlationId === null) return frame;
    const start = frame ?? this.#reader.peek();
    const idAt = frame === null ? 4 : 0;
    if (start.length < idAt + 4) {
      if (start.length > 0 && oldest === void 0) throw this.#mismatch("bytes although nothing was asked");
      return frame;
    }
    const id = start.readInt32BE(idAt);
    if (oldest === void 0) throw this.#mismatch(`an answer with correlation id ${id} although nothing was asked`);
    if (id === oldest.correlationId) return frame;
    const expected = `expected ${oldest.correlationId} (${oldest.apiName})`;
    throw this.#mismatch(`an answer with correlation id ${id}, ${expected}`);
  }
  #handOut(frame) {
    const pending = this.#pending.shift();
    if (pending === void 0) throw this.#mismatch("a frame although nothing was asked");
    try {
      pending.answer(frame);
    } catch (error) {
      this.#pending.unshift(pending);
      throw error;
    }
    this.#answeredCount++;
  }
  /** What else may listen on a port: said in words, because a frame length of 1213486160 says nothing to anybody. */
  #wrongPeer() {
    const peer = this.#answeredCount > 0 ? null : describePeer(this.#reader.peek());
    const at = this.#address;
    if (peer === "http") {
      return new ConnectionError("PEER_SPEAKS_HTTP", `${at}: PEER_SPEAKS_HTTP: this port answers HTTP, not Kafka`);
    }
    if (peer === "tls")
      return new ConnectionError("PEER_SPEAKS_TLS", `${at}: PEER_SPEAKS_TLS: this port speaks TLS: set tls`);
    return null;
  }
  #mismatch(what) {
    const message = `${this.#address}: CORRELATION_MISMATCH: ${what}`;
    return new ProtocolError("CORRELATION_MISMATCH", message, { retriable: true });
  }
};

// src/connection/correlation-id.ts
var FIRST_CORRELATION_ID = 218762506;
var MAX_CORRELATION_ID = 2 ** 31 - 1 - 8;
function correlationIdAfter(id) {
  return id >= MAX_CORRELATION_ID ? 0 : id + 1;
}

// src/connection/handovers.ts
var Handovers = class {
  #waiting = /* @__PURE__ */ new Set();
  #hasBegun = false;
  get count() {
    return this.#waiting.size;
  }
  /** True once there was one, whatever became of it. */
  get hasBegun() {
    return this.#hasBegun;
  }
  /** When the oldest must be taken, by the clock; `Infinity`: none waits. */
  get oldestDeadlineMs() {
    return this.#waiting.values().next().value?.deadlineMs ?? Infinity;
  }
  /** @returns settles it; harmless when it is settled already. */
  begin(deadlineMs, settle) {
    const handover = { deadlineMs, settle };
    this.#waiting.add(handover);
    this.#hasBegun = true;
    return (error) => {
      if (this.#waiting.delete(handover)) settle(error);
    };
  }
  /** Nobody will take the rest: a Duplex of a user's may forget its write callbacks when it is destroyed. */
  giveUp(error) {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const { settle } of waiting) settle(error);
  }
};

// src/connection/socket.ts
var END_TIMEOUT_MS = 1e3;
function keepAliveBy(socket, keep) {
  if (keep) socket?.ref?.();
  else socket?.unref?.();
}
function endSocket(socket, clock, isInOrder, onGone) {
  if (socket === null) return;
  const destroy = () => {
    socket.destroy();
    onGone();
  };
  if (!isInOrder || socket.destroyed) return destroy();
  keepAliveBy(socket, true);
  const timer2 = clock.after(END_TIMEOUT_MS, destroy);
  socket.once("close", () => {
    timer2.cancel();
    onGone();
  });
  socket.removeAllListeners("data");
  socket.resume();
  socket.end();
}

// src/connection/wire.ts
var Wire = class {
  #options;
  #answers;
  #handovers = new Handovers();
  #deadline;
  #socket = null;
  #correlationId = FIRST_CORRELATION_ID;
  #endedBy = null;
  constructor(options) {
    this.#options = options;
    this.#answers = new Answers(options.address, options.capBytes);
    const nextDeadlineMs2 = () => {
      const oldestMs = this.#answers.oldest?.deadlineMs ?? Infinity;
      return Math.min(oldestMs, this.#handovers.oldestDeadlineMs, options.otherDeadlineMs());
    };
    this.#deadline = new DeadlineWatch(options.clock, nextDeadlineMs2, options.onDeadline);
  }
  get unansweredCount() {
    return this.#answers.pendingCount;
  }
  /** Without an answer to come, and not taken by the operating system yet. */
  get handoverCount() {
    return this.#handovers.count;
  }
  /** What was asked first, of what is not answered. */
  get oldestApiName() {
    return this.#answers.oldest?.apiName ?? null;
  }
  get answeredCount() {
    return this.#answers.answeredCount;
  }
  /** True once any byte came. */
  get hasReceived() {
    return this.#answers.hasReceived;
  }
  /** Nothing is out that anybody waits for. */
  get isQuiet() {
    return this.#answers.pendingCount === 0 && this.#handovers.count === 0 && this.#options.othersWaiting() === 0;
  }
  attach(socket) {
    this.#socket = socket;
    socket.on("data", (chunk) => this.#onData(chunk));
    socket.on("error", (error) => this.#options.onLost(error));
    socket.on("end", () => this.#options.onLost(null));
    socket.on("close", () => this.#options.onLost(null));
  }
  /** Asks, and never rejects. */
  ask({ api: api2, version: version3, body, decode: decode2, capBytes, deadlineMs }, resolve3) {
    const correlationId = this.#nextCorrelationId();
    const chunks = this.#encode(api2, version3, correlationId, body);
    if (chunks instanceof KafkaError) return resolve3({ error: chunks, wasWritten: false });
    this.#expect({
      ...{ correlationId, apiName: api2.name, capBytes, deadlineMs },
      answer: (frame) => resolve3({ response: decode2(frame), version: version3 }),
      fail: (error) => resolve3({ error, wasWritten: true })
    });
    this.#write(chunks);
  }
  /** A token behind its length, without any header, and an answer like it. */
  askBare(token, capBytes) {
    return new Promise((resolve3, reject) => {
      if (this.#endedBy !== null) return reject(this.#endedBy);
      const length = Buffer.alloc(4);
      length.writeInt32BE(token.length);
      const deadlineMs = Infinity;
      const apiName = "a SASL token";
      this.#expect({ correlationId: null, apiName, capBytes, deadlineMs, answer: resolve3, fail: reject });
      this.#write([length, token]);
    });
  }
  /** Sends what is not answered (`acks: 0`); settles when the operating system has taken it. */
  tell({ api: api2, version: version3, body, deadlineMs }, resolve3) {
    const chunks = this.#encode(api2, version3, this.#nextCorrelationId(), body);
    if (chunks instanceof KafkaError) return resolve3({ error: chunks, wasWritten: false });
    const settle = this.#handovers.begin(
      deadlineMs,
      (error) => resolve3(error ? { error, wasWritten: true } : { response: void 0, version: version3 })
    );
    this.keepAlive();
    this.rearm();
    this.#write(chunks, (error) => {
      settle(
        error ? this.#endedBy ?? connectionError(this.#options.address, "CONNECTION_CLOSED", error.message, error) : null
      );
      this.#letGo();
      if (this.#endedBy !== null) return;
      this.#options.onProgress();
      this.rearm();
    });
  }
  /** Deadlines have changed. */
  rearm() {
    this.#deadline.rearm();
  }
  /** The process must not end before what waits is written and answered. */
  keepAlive() {
    keepAliveBy(this.#socket, true);
  }
  /** Nothing comes or goes any more; what is in flight fails with `error`. */
  end(error) {
    this.#endedBy = error;
    this.#deadline.cancel();
    const isInOrder = this.#handovers.hasBegun && error.retriable;
    endSocket(this.#socket, this.#options.clock, isInOrder, () => this.#handovers.giveUp(error));
  }
  failAll(error) {
    for (const pending of this.#answers.drain()) pending.fail(error);
  }
  #expect(pending) {
    this.#answers.expect(pending);
    if (this.#answers.pendingCount > 1) return;
    this.keepAlive();
    this.rearm();
  }
  #encode(api2, version3, correlationId, body) {
    if (this.#endedBy !== null) return this.#endedBy;
    try {
      return encodeRequestFrame(api2, version3, { correlationId, clientId: this.#options.clientId }, body).chunks;
    } catch (error) {
      return asKafkaError(this.#options.address, error);
    }
  }
  #write(chunks, done) {
    const socket = this.#socket;
    if (socket === null) return;
    this.#options.onWrite();
    socket.cork();
    for (let i = 0; i < chunks.length - 1; i++) socket.write(chunks[i]);
    socket.write(chunks[chunks.length - 1], done);
    socket.uncork();
  }
  #onData(chunk) {
    try {
      this.#answers.take(chunk);
    } catch (error) {
      return this.#options.onGarbage(asKafkaError(this.#options.address, error));
    }
    if (this.#endedBy !== null) return;
    this.#options.onProgress();
    this.rearm();
    this.#letGo();
  }
  #letGo() {
    if (this.isQuiet) keepAliveBy(this.#socket, false);
  }
  #nextCorrelationId() {
    const id = this.#correlationId;
    this.#correlationId = correlationIdAfter(id);
    return id;
  }
};

// src/connection/connection.ts
var CAP_BEFORE_READY_BYTES = 1024 * 1024;
var CAP_BYTES = { Metadata: 1e8 };
var CAP_DEFAULT_BYTES = 16 * 1024 * 1024;
var stateChannel = diagnosticChannel("headrace:connection:state");
var throttledChannel = diagnosticChannel("headrace:connection:throttled");
var readyChannel = diagnosticChannel("headrace:connection:ready");
var authenticatedChannel = diagnosticChannel("headrace:connection:authenticated");
var closedChannel = diagnosticChannel("headrace:connection:closed");
var Connection = class {
  address;
  #options;
  #wire;
  #abortDial = new AbortController();
  #throttle;
  #idle;
  #reauthentication;
  #state = "idle";
  #transport = null;
  #versions = /* @__PURE__ */ new Map();
  /** When what is needed before requests can be sent must be done, by the clock; `Infinity`: it is. */
  #readyByMs = Infinity;
  #openedAtMs = 0;
  #closedBy = null;
  #answersBeforeReady = Infinity;
  /** Called once, when the connection is over; not for a connection that never became ready. */
  onClosed = null;
  constructor(options) {
    this.#options = options;
    this.address = formatAddress(options);
    const { clock, maxIdleMs, clientId } = options;
    this.#throttle = new Throttle(clock);
    this.#wire = new Wire({
      ...{ address: this.address, clientId, clock, capBytes: CAP_BEFORE_READY_BYTES },
      otherDeadlineMs: () => this.#readyByMs,
      onDeadline: () => this.#onDeadline(),
      onLost: (error) => this.#onLost(error),
      onGarbage: (error) => this.#end(error),
      onProgress: () => this.#reauthentication.review(),
      onWrite: () => this.#idle.used(),
      othersWaiting: () => this.#reauthentication.parkedCount
    });
    const onIdle = () => this.close(this.#error("CLOSED_BY_CLIENT", `idle for ${maxIdleMs} ms`));
    this.#idle = new IdleWatch(clock, maxIdleMs, () => this.#wire.isQuiet, onIdle);
    this.#reauthentication = new Reauthentication(clock, {
      outCount: () => this.#wire.unansweredCount + this.#wire.handoverCount,
      isOver: () => this.#closedBy !== null,
      login: () => this.#loginAgain(),
      onState: (isWaiting) => this.#onReauthentication(isWaiting),
      // A new connection may do better, and the requests that waited were not written.
      onFailed: (error) => this.#end(this.#error("CONNECTION_CLOSED", `authenticating again failed: ${error.message}`, error))
    });
  }
  /** Takes requests; while it authenticates again it keeps them for a moment. */
  get isReady() {
    return this.#state === "ready" || this.#state === "reauthenticating";
  }
  get inFlightCount() {
    return this.#wire.unansweredCount + this.#reauthentication.parkedCount;
  }
  /** Until when the broker wants nothing sent (KIP-219), by the clock; `-Infinity`: it does not mind. */
  get throttledUntilMs() {
    return this.#throttle.untilMs;
  }
  /** For how long the broker goes on not to read, milliseconds; undefined: it reads. */
  get throttledForMs() {
    return this.#throttle.leftMs;
  }
  /** True once a request after the handshake was answered: the connection was good for something. */
  get wasUseful() {
    return this.#wire.answeredCount > this.#answersBeforeReady;
  }
  /** When it was dialled, by the clock. */
  get openedAtMs() {
    return this.#openedAtMs;
  }
  /** True once any byte of the peer was seen: it is not one that hung up on us without a word. */
  get hasReceived() {
    return this.#wire.hasReceived;
  }
  /** Why it ended, if it did. */
  get closedBy() {
    return this.#closedBy;
  }
  /** Dials, TLS included. @throws {ConnectionError | AuthenticationError} naming the address. */
  async dial() {
    const { clock, connectTimeoutMs, onStep } = this.#options;
    const { closedBy } = this;
    if (closedBy !== null) throw closedBy;
    this.#openedAtMs = clock.now();
    this.#enter("connecting");
    const readyByMs = this.#options.readyByMs ?? clock.now() + connectTimeoutMs;
    try {
      const transport = await openTransport({
        ...{ ...this.#options, readyByMs, signal: this.#abortDial.signal },
        onResolved: (addresses) => onStep?.({ step: "resolved", addresses }),
        onSocket: (remoteAddress) => onStep?.({ step: "connected", remoteAddress })
      });
      if (this.#closedBy !== null) {
        transport.socket.destroy();
        throw this.#closedBy;
      }
      this.#transport = transport;
      this.#wire.attach(transport.socket);
      this.#enter("negotiating");
      this.#mustBeReadyBy(readyByMs);
      if (transport.isTls) onStep?.({ step: "secured", transport });
    } catch (error) {
      const failure = asKafkaError(this.address, error);
      this.#end(failure);
      throw failure;
    }
  }
  /**
   * The broker's versions decide from here on what is sent; first of all who we are, if that is to be said.
   *
   * @throws {AuthenticationError | ConnectionError} the login failed.
   */
  async becomeReady(versions) {
    if (this.#closedBy !== null) throw this.#closedBy;
    this.#versions = versions;
    this.#options.onStep?.({ step: "negotiated", versions });
    this.#enter("authenticating");
    if (this.#options.mechanism) this.#reauthentication.began(await this.#login(this.#options.mechanism, false));
    this.#enter("ready");
    this.#mustBeReadyBy(Infinity);
    this.#answersBeforeReady = this.#wire.answeredCount;
    this.#idle.used();
    this.#idle.watch();
    if (readyChannel.hasSubscribers) {
      readyChannel.publish({ ...this.#target, connectMs: this.#options.clock.now() - this.#openedAtMs });
    }
  }
  /** The newest version of the API that both sides know; -1: none. */
  newestVersion(api2) {
    const range = this.#versions.get(api2.key);
    const version3 = Math.min(range?.max ?? -1, api2.maxVersion);
    return version3 >= Math.max(range?.min ?? 0, api2.minVersion) ? version3 : -1;
  }
  /**
   * Ends it if it was not used for too long and its timer has not had its turn yet: the broker, or something on the way,
   * has hung up most likely, and a request would find out the slow way.
   */
  closeIfIdleTooLong() {
    if (this.#state === "ready" && this.#idle.isOver) this.#idle.watch();
  }
  /** Asks, in the newest version that both sides know. */
  request(api2, body, options) {
    return this.requestAs(api2, body, (version3, frame) => decodeResponseFrame(api2, version3, frame), options);
  }
  /** The same with a decoder of the caller's; what it throws poisons the connection. */
  requestAs(api2, body, decode2, options) {
    const version3 = this.#chooseVersion(api2, options);
    if (typeof version3 !== "number") return Promise.resolve({ error: version3, wasWritten: false });
    return this.requestVersion(api2, version3, body, (frame) => decode2(version3, frame));
  }
  /** Asks in a given version; for the handshake, which cannot know the broker's versions yet. */
  requestVersion(api2, version3, body, decode2) {
    return new Promise((resolve3) => {
      this.#reauthentication.admit(
        () => this.#ask(api2, version3, body, decode2, resolve3),
        (error) => resolve3({ error, wasWritten: false })
      );
    });
  }
  /**
   * Sends a request that the broker does not answer (`acks: 0`). Settles when the operating system has taken it: what
   * happens after that, nobody tells.
   */
  requestWithoutAnswer(api2, body, options) {
    const version3 = this.#chooseVersion(api2, options);
    if (typeof version3 !== "number") return Promise.resolve({ error: version3, wasWritten: false });
    return new Promise((resolve3) => {
      const write = () => {
        const deadlineMs = this.#options.clock.now() + this.#options.requestTimeoutMs;
        this.#wire.tell({ api: api2, version: version3, body, deadlineMs }, resolve3);
      };
      this.#reauthentication.admit(write, (error) => resolve3({ error, wasWritten: false }));
    });
  }
  /** Ends the connection; what is in flight fails with `reason`. Harmless when it is over already. */
  close(reason = this.#error("CLOSED_BY_CLIENT", "the connection was closed on our side")) {
    this.#end(reason);
  }
  /** Past the requests that wait for a login. */
  #ask(api2, version3, body, decode2, resolve3) {
    const { clock, requestTimeoutMs } = this.#options;
    const capBytes = this.#state === "ready" ? CAP_BYTES[api2.name] ?? CAP_DEFAULT_BYTES : CAP_BEFORE_READY_BYTES;
    const deadlineMs = Math.max(clock.now(), this.throttledUntilMs) + requestTimeoutMs;
    const take = (frame) => {
      const response = decode2(frame);
      this.#onThrottle(api2, version3, response);
      return response;
    };
    this.#wire.ask({ api: api2, version: version3, body, decode: take, capBytes, deadlineMs }, resolve3);
  }
  /** @throws {KafkaError} the connection is of no use then. */
  async #login(mechanism2, isReauthentication) {
    const { host, clock, onStep, allowPlaintextCredentials } = this.#options;
    const [transport, versions, address] = [this.#transport, this.#versions, this.address];
    if (transport === null) throw new Error("connection: a login before it was dialled");
    const place = { address, host, mechanism: mechanism2, versions, transport, allowPlaintextCredentials, clock };
    const session = await login(this.#loginWire(), { ...place, signal: this.#abortDial.signal });
    if (this.#closedBy !== null) throw this.#closedBy;
    onStep?.({ step: "authenticated", session });
    if (authenticatedChannel.hasSubscribers) {
      const { authenticationMs, sessionLifetimeMs } = session;
      const { name: name2, user } = mechanism2;
      const times = { sessionLifetimeMs: BigInt(sessionLifetimeMs), authenticationMs };
      authenticatedChannel.publish({ ...this.#target, mechanism: name2, user, ...times, isReauthentication });
    }
    return session;
  }
  #loginAgain() {
    const { mechanism: mechanism2, clock, connectTimeoutMs } = this.#options;
    if (!mechanism2) throw new Error("connection: a session without a mechanism");
    this.#mustBeReadyBy(Math.max(clock.now(), this.throttledUntilMs) + connectTimeoutMs);
    return this.#login(mechanism2, true);
  }
  #loginWire() {
    return {
      ask: (api2, version3, body) => new Promise((resolve3, reject) => {
        const decode2 = (frame) => decodeResponseFrame(api2, version3, frame);
        this.#ask(
          api2,
          version3,
          body,
          decode2,
          (outcome) => "error" in outcome ? reject(outcome.error) : resolve3(outcome.response)
        );
      }),
      askBare: (token) => this.#wire.askBare(token, CAP_BEFORE_READY_BYTES)
    };
  }
  #onReauthentication(isWaiting) {
    this.#enter(isWaiting ? "reauthenticating" : "ready");
    if (isWaiting) this.#wire.keepAlive();
    else this.#mustBeReadyBy(Infinity);
  }
  #mustBeReadyBy(atMs) {
    this.#readyByMs = atMs;
    this.#wire.rearm();
  }
  #chooseVersion(api2, options) {
    if (!this.isReady) return this.#closedBy ?? this.#error("CONNECTION_CLOSED", `the connection is ${this.#state}`);
    try {
      return chooseVersion(api2, this.#versions, this.address, options);
    } catch (error) {
      return asKafkaError(this.address, error);
    }
  }
  #onThrottle(api2, version3, response) {
    const grantedMs = this.#throttle.ask(api2, version3, response);
    if (grantedMs === 0) return;
    const { throttleTimeMs } = response;
    if (throttleTimeMs > grantedMs) this.#options.onExcessiveThrottle?.(this.address, throttleTimeMs, grantedMs);
    if (!throttledChannel.hasSubscribers) return;
    throttledChannel.publish({ ...this.#target, throttleMs: grantedMs, askedMs: throttleTimeMs });
  }
  /** @param error null: the peer has closed it. */
  #onLost(error) {
    if (this.#closedBy !== null) return;
    const hasAnswered = this.#wire.answeredCount > 0;
    const byTls = this.#transport?.explain(error, hasAnswered) ?? null;
    if (byTls !== null && !hasAnswered) return this.#end(isGuessOfTls(byTls) ? asGuess(byTls) : byTls);
    const what = error === null ? `the broker closed the connection${this.#whenClosed()}` : `the connection broke: ${error.message}`;
    const failure = this.#error("CONNECTION_CLOSED", what, byTls ?? error ?? void 0);
    this.#end(hasAnswered && !this.wasUseful && !this.#options.mechanism ? asGuess(failure) : failure);
  }
  #whenClosed() {
    if (this.#state === "negotiating") return " after ApiVersions: does this listener want SASL or TLS?";
    if (this.#state === "authenticating") return " during authentication";
    if (this.#state === "reauthenticating") return " while we authenticated again";
    return this.wasUseful || this.#options.mechanism ? "" : " after ApiVersions: does this listener want SASL?";
  }
  #onDeadline() {
    const { requestTimeoutMs, connectTimeoutMs, clock } = this.#options;
    const { oldestApiName } = this.#wire;
    if (this.#readyByMs <= clock.now()) {
      const what2 = oldestApiName === null ? `it was still ${this.#state}` : `no answer to ${oldestApiName}`;
      return this.#end(this.#error("CONNECT_TIMEOUT", `${what2} within connectTimeoutMs (${connectTimeoutMs} ms)`));
    }
    const what = oldestApiName === null ? "the broker took no bytes" : `no answer to ${oldestApiName}`;
    this.#end(this.#error("REQUEST_TIMEOUT", `${what} within requestTimeoutMs (${requestTimeoutMs} ms)`));
  }
  #end(error) {
    if (this.#closedBy !== null) return;
    const wasReady = this.isReady;
    this.#closedBy = error;
    this.#readyByMs = Infinity;
    if (wasReady) this.#enter("closing");
    this.#idle.cancel();
    this.#abortDial.abort(error);
    this.#wire.end(error);
    this.#enter("closed");
    this.#wire.failAll(error);
    this.#reauthentication.giveUp(asSeenByParked(this.address, error));
    if (!wasReady) return;
    if (closedChannel.hasSubscribers) closedChannel.publish({ ...this.#target, error });
    this.onClosed?.(error);
  }
  #enter(state) {
    assertMove(this.#state, state);
    const isToTell = isTold(state) && this.#state !== "reauthenticating";
    this.#state = state;
    if (!stateChannel.hasSubscribers || !isToTell) return;
    stateChannel.publish({ ...this.#target, state, error: this.#closedBy });
  }
  get #target() {
    const { nodeId, host, port } = this.#options;
    return { nodeId, host, port };
  }
  #error(code, what, cause) {
    return connectionError(this.address, code, what, cause);
  }
};

// src/connection/tls-probe.ts
import { connect as connect3 } from "node:tls";
var PROBE_TIMEOUT_MS = 1e3;
async function speaksTls(options, opened) {
  const end = new AbortController();
  opened({ close: () => end.abort(new Error("it is not asked any more")) });
  let socket;
  try {
    const connectTimeoutMs = Math.min(options.connectTimeoutMs, PROBE_TIMEOUT_MS);
    socket = await openSocket({ ...options, connectTimeoutMs, signal: end.signal });
  } catch {
    return false;
  }
  const secure2 = connect3({ socket, rejectUnauthorized: false });
  socket.on("error", ignoreLateError);
  const isTls = await new Promise((resolve3) => {
    const timer2 = options.clock.after(PROBE_TIMEOUT_MS, () => resolve3(false));
    const settle = (is) => {
      timer2.cancel();
      resolve3(is);
    };
    end.signal.addEventListener("abort", () => settle(false), { once: true });
    if (end.signal.aborted) settle(false);
    secure2.once("secureConnect", () => settle(true));
    secure2.on("error", (error) => settle(/^ERR_SSL_(?!WRONG_VERSION)/.test(error.code ?? "")));
    secure2.once("close", () => settle(false));
  });
  secure2.destroy();
  socket.destroy();
  return isTls;
}

// src/connection/handshake.ts
async function openConnection(options, software, opened, hangUps = 0) {
  let version3 = firstVersion(hangUps);
  const readyByMs = options.clock.now() + options.connectTimeoutMs;
  for (; ; ) {
    const connection = new Connection({ ...options, readyByMs });
    opened(connection);
    await connection.dial();
    try {
      await connection.becomeReady(await negotiate(connection, version3, software));
      return connection;
    } catch (error) {
      const hungUp2 = isHangUp(connection, error);
      connection.close(error);
      if (hangUps > 0 && hungUp2) throw error;
      const next2 = hungUp2 ? nextApiVersionsAttempt(version3, "closed") : null;
      if (next2 === null)
        throw hungUp2 && !options.tls && await speaksTls(options, opened) ? needsTls(connection) : error;
      version3 = next2;
    }
  }
}
function firstVersion(hangUps) {
  const { maxVersion, minVersion } = apiVersions;
  return [maxVersion, maxVersion, maxVersion - 1, minVersion][hangUps === 0 ? 0 : 1 + (hangUps - 1) % 3] ?? maxVersion;
}
function isHangUp(connection, error) {
  return error instanceof ConnectionError && error.code === "CONNECTION_CLOSED" && !connection.hasReceived;
}
async function negotiate(connection, newest, software) {
  let version3 = newest;
  for (; ; ) {
    const asked = version3;
    const body = asked >= 3 ? { clientSoftwareName: software.name, clientSoftwareVersion: software.version } : {};
    const decode2 = (frame) => decodeApiVersionsFrame(asked, frame);
    const outcome = await connection.requestVersion(apiVersions, asked, body, decode2);
    if ("error" in outcome) throw outcome.error;
    const { response } = outcome;
    if (response.errorCode === 0) {
      return new Map(
        response.apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, { min: minVersion, max: maxVersion }])
      );
    }
    const next2 = nextApiVersionsAttempt(asked, response);
    if (next2 === null) throw refused2(connection, asked, response.errorCode);
    version3 = next2;
  }
}
function needsTls({ address }) {
  return new ConnectionError("PEER_SPEAKS_TLS", `${address}: PEER_SPEAKS_TLS: this port speaks TLS: set tls`);
}
function refused2(connection, version3, errorCode) {
  const { name: name2 } = errorByCode(errorCode);
  const what = `the broker answered ApiVersions v${version3} with ${name2} (${errorCode})`;
  return new ProtocolError("UNSUPPORTED_VERSION", `${connection.address}: UNSUPPORTED_VERSION: ${what}`);
}

// src/connection/sasl-probe.ts
var PROBE_TIMEOUT_MS2 = 1e3;
var [NONE, UNSUPPORTED_SASL_MECHANISM2] = [0, 33];
async function wantsSasl(options, opened) {
  const connection = probing(options, opened);
  try {
    await connection.dial();
    const versions = await connection.requestVersion(apiVersions, 0, {}, (frame) => decodeApiVersionsFrame(0, frame));
    if ("error" in versions) return false;
    await connection.becomeReady(
      new Map(versions.response.apiKeys.map(({ apiKey, minVersion: min, maxVersion: max }) => [apiKey, { min, max }]))
    );
    const answer = await connection.request(saslHandshake, { mechanism: "PLAIN" });
    return "response" in answer && [NONE, UNSUPPORTED_SASL_MECHANISM2].includes(answer.response.errorCode);
  } catch {
    return false;
  } finally {
    connection.close();
  }
}
function probing(options, opened) {
  const times = { connectTimeoutMs: PROBE_TIMEOUT_MS2, requestTimeoutMs: PROBE_TIMEOUT_MS2, readyByMs: void 0 };
  const connection = new Connection({ ...options, ...times, mechanism: null, onStep: void 0 });
  opened(connection);
  return connection;
}

// src/version.ts
var VERSION = "0.1.0";

// src/protocol/metadata-decode.ts
var PARTITIONS_PER_STEP = 5e4;
var PARTITIONS_PER_TOPIC = 20;
var MetadataReading = class {
  throttleTimeMs;
  #steps;
  /**
   * @param frame with its header, without its length.
   * @throws {ProtocolError} see `decodeResponseFrame`; so does `next`.
   */
  constructor(version3, frame) {
    const shape = shapeOf2(version3);
    const input = new Reader(frame, `Metadata v${version3} response`);
    input.skip(4);
    if (responseHeaderVersion(metadata, version3) === 1) skipTagged(input);
    this.throttleTimeMs = shape.hasThrottleTime ? input.int32() : 0;
    this.#steps = read(shape, input, this.throttleTimeMs);
  }
  /** One step further. @returns the answer, or null: there is more to read. */
  next() {
    const step = this.#steps.next();
    return step.done === true ? step.value : null;
  }
};
var shapes = [];
function shapeOf2(version3) {
  return shapes[version3] ??= newShape(version3);
}
function newShape(version3) {
  const whole = layoutOf(metadata, "response", version3);
  const broker = elementOf2(whole, "brokers");
  const topic = elementOf2(whole, "topics");
  const partition = elementOf2(topic, "partitions");
  return {
    isFlexible: whole.isFlexible,
    hasThrottleTime: has(whole, "throttleTimeMs"),
    hasRack: has(broker, "rack"),
    hasClusterId: has(whole, "clusterId"),
    hasControllerId: has(whole, "controllerId"),
    hasTopicId: has(topic, "topicId"),
    isNameNullable: topic.body.some(({ name: name2, isNullable }) => name2 === "name" && isNullable),
    hasIsInternal: has(topic, "isInternal"),
    hasTopicOperations: has(topic, "topicAuthorizedOperations"),
    hasClusterOperations: has(whole, "clusterAuthorizedOperations"),
    hasErrorCode: has(whole, "errorCode"),
    hasLeaderEpoch: has(partition, "leaderEpoch"),
    hasOfflineReplicas: has(partition, "offlineReplicas"),
    minBrokerBytes: broker.minBytes,
    minTopicBytes: topic.minBytes,
    minPartitionBytes: partition.minBytes
  };
}
function has({ body }, field2) {
  return body.some(({ name: name2 }) => name2 === field2);
}
function elementOf2({ body }, field2) {
  const slot = body.find(({ name: name2 }) => name2 === field2);
  return partOf(partOf(slot?.element ?? null).layout);
}
function* read(shape, input, throttleTimeMs) {
  const brokers = readBrokers(shape, input);
  const clusterId = shape.hasClusterId ? readString(shape, input, true) : null;
  if (shape.hasControllerId) input.skip(4);
  const topics2 = [];
  const count3 = readCount(shape, input, shape.minTopicBytes);
  let untilPause = PARTITIONS_PER_STEP;
  for (let i = 0; i < count3; i++) {
    const topic = readTopicHead(shape, input);
    topics2.push(topic);
    untilPause -= PARTITIONS_PER_TOPIC;
    for (let left = topic.leaders.length; left > 0 || untilPause <= 0; ) {
      if (untilPause <= 0) {
        untilPause = PARTITIONS_PER_STEP;
        yield;
      }
      const some = Math.min(left, untilPause);
      readPartitions(shape, input, topic, some);
      left -= some;
      untilPause -= some;
    }
    if (shape.hasTopicOperations) input.skip(4);
    if (shape.isFlexible) skipTagged(input);
  }
  if (shape.hasClusterOperations) input.skip(4);
  const errorCode = shape.hasErrorCode ? input.int16() : 0;
  if (shape.isFlexible) skipTagged(input);
  input.end();
  return { throttleTimeMs, errorCode, clusterId, brokers, topics: topics2 };
}
function readBrokers(shape, input) {
  const brokers = [];
  const count3 = readCount(shape, input, shape.minBrokerBytes);
  for (let i = 0; i < count3; i++) {
    brokers.push({ nodeId: input.int32(), host: readString(shape, input, false) ?? "", port: input.int32() });
    if (shape.hasRack) skipString(shape, input);
    if (shape.isFlexible) skipTagged(input);
  }
  return brokers;
}
function readTopicHead(shape, input) {
  const errorCode = input.int16();
  const name2 = readString(shape, input, shape.isNameNullable);
  const topicId = shape.hasTopicId ? input.bytes(16).toString("base64url") : ZERO_UUID;
  if (shape.hasIsInternal) input.skip(1);
  const count3 = readCount(shape, input, shape.minPartitionBytes);
  const leaders = new Int32Array(count3).fill(-1);
  const leaderEpochs = new Int32Array(count3).fill(-1);
  return { errorCode, name: name2, topicId, leaders, leaderEpochs };
}
function readPartitions(shape, input, { leaders, leaderEpochs }, count3) {
  const { isFlexible, hasLeaderEpoch, hasOfflineReplicas } = shape;
  for (let i = 0; i < count3; i++) {
    input.skip(2);
    const index = input.int32();
    const leader = input.int32();
    const epoch = hasLeaderEpoch ? input.int32() : -1;
    skipInt32s(isFlexible, input);
    skipInt32s(isFlexible, input);
    if (hasOfflineReplicas) skipInt32s(isFlexible, input);
    if (isFlexible) skipTagged(input);
    if (index < 0 || index >= leaders.length) continue;
    leaders[index] = leader;
    leaderEpochs[index] = epoch;
  }
}
function skipInt32s(isFlexible, input) {
  const count3 = isFlexible ? input.uvarint() - 1 : input.int32();
  if (count3 < 0) throw input.invalid(`an array of ${count3} elements`);
  if (count3 * 4 > input.remaining) throw input.invalid(`${count3} elements in ${input.remaining} bytes`);
  input.skip(count3 * 4);
}
function readCount(shape, input, minElementBytes) {
  const count3 = shape.isFlexible ? input.uvarint() - 1 : input.int32();
  if (count3 < 0) throw input.invalid(`an array of ${count3} elements`);
  if (count3 * minElementBytes > input.remaining) {
    throw input.invalid(`${count3} elements in ${input.remaining} bytes`);
  }
  return count3;
}
function readString(shape, input, isNullable) {
  const length = stringLength(shape, input, isNullable);
  return length === -1 ? null : input.utf8(length);
}
function skipString(shape, input) {
  const length = stringLength(shape, input, true);
  if (length > 0) input.skip(length);
}
function stringLength(shape, input, isNullable) {
  const length = shape.isFlexible ? input.uvarint() - 1 : input.int16();
  if (length < -1) throw input.invalid(`a string of ${length} bytes`);
  if (length === -1 && !isNullable) throw input.invalid("null where a string must be");
  if (length > MAX_STRING_BYTES) throw input.invalid(`a string of ${length} bytes`);
  return length;
}

// src/cluster/bootstrap.ts
var Bootstrap = class {
  #options;
  #waiting = /* @__PURE__ */ new Set();
  #latest = [];
  constructor(options) {
    this.#options = options;
  }
  /** As they were when they were asked for last. */
  get latest() {
    return this.#latest;
  }
  /** What a function of the user's throws may pass, and must not reach a caller as it is. @throws {KafkaError} */
  async addresses() {
    try {
      this.#latest = await this.#inTime(this.#options.brokers());
      return this.#latest;
    } catch (error) {
      if (error instanceof KafkaError) throw error;
      const what = `the brokers function failed: ${error instanceof Error ? error.message : String(error)}`;
      const details = { retriable: true, cause: error };
      throw new ConnectionError("BOOTSTRAP_FAILED", `connect: BOOTSTRAP_FAILED: ${what}`, details);
    }
  }
  /** Nobody waits any more. */
  close(error) {
    for (const giveUp of this.#waiting) giveUp(error);
  }
  #inTime(work) {
    const { clock, connectTimeoutMs } = this.#options;
    return new Promise((resolve3, reject) => {
      const giveUp = (error) => {
        end();
        reject(error);
      };
      const timer2 = clock.after(connectTimeoutMs, () => {
        giveUp(new Error(`no answer within connectTimeoutMs (${connectTimeoutMs} ms)`));
      });
      const end = () => {
        timer2.cancel();
        this.#waiting.delete(giveUp);
      };
      this.#waiting.add(giveUp);
      work.then(resolve3, reject).finally(end);
    });
  }
};

// src/cluster/candidates.ts
async function* candidates(links, clock, whereToBegin) {
  const { known } = links;
  const ready = known.filter((link) => link.ready !== null);
  ready.sort((a, b) => (a.ready?.inFlightCount ?? 0) - (b.ready?.inFlightCount ?? 0));
  yield* ready.filter((link) => !isThrottled(link));
  const others = shuffled(
    known.filter((link) => link.ready === null),
    clock
  );
  others.sort((a, b) => waitMs(a, clock) - waitMs(b, clock));
  yield* others;
  yield* ready.filter(isThrottled);
  if (whereToBegin === null) return;
  for (const address of shuffled(await whereToBegin(), clock)) yield links.seed(address);
}
function isThrottled({ ready }) {
  return ready !== null && ready.throttledUntilMs > -Infinity;
}
function waitMs({ retryAtMs }, clock) {
  return Math.max(retryAtMs - clock.now(), 0);
}
function shuffled(list3, clock) {
  const copy = [...list3];
  for (let i = copy.length - 1; i > 0; i--) {
    const j = Math.floor(clock.random() * (i + 1));
    const swap = copy[i];
    copy[i] = copy[j];
    copy[j] = swap;
  }
  return copy;
}

// src/cluster/inquiry.ts
var STAGGER_MS2 = 1e3;
var Inquiry = class {
  /** @throws {InquiryFailed} nobody answered. */
  answer;
  #parts;
  #failures = [];
  #asked = /* @__PURE__ */ new Set();
  #running = 0;
  #isExhausted = false;
  #isOver = false;
  #timer = null;
  #resolve;
  #reject;
  constructor(parts) {
    this.#parts = parts;
    this.answer = new Promise((resolve3, reject) => {
      this.#resolve = resolve3;
      this.#reject = reject;
    });
    void this.#askNext();
  }
  giveUp(error) {
    if (this.#end()) this.#reject(error);
  }
  async #askNext() {
    const link = await this.#nextLink();
    if (this.#hasEnded()) return;
    if (link === null) {
      this.#isExhausted = true;
      if (this.#running === 0) this.giveUp(new InquiryFailed(this.#failures));
      return;
    }
    this.#running++;
    this.#stagger();
    const reply = await this.#parts.ask(link);
    this.#running--;
    if ("answer" in reply) {
      if (this.#end()) this.#resolve(reply.answer);
      return;
    }
    this.#failures.push(reply.error);
    if (this.#hasEnded()) return;
    this.#timer?.cancel();
    if (!this.#isExhausted) await this.#askNext();
    else if (this.#running === 0) this.giveUp(new InquiryFailed(this.#failures));
  }
  /** The next one at an address that was not asked yet; null: there is nobody left. */
  async #nextLink() {
    try {
      for (; ; ) {
        const next2 = await this.#parts.candidates.next();
        if (next2.done === true) return null;
        const link = next2.value;
        if (this.#asked.has(link.address)) continue;
        this.#asked.add(link.address);
        return link;
      }
    } catch (error) {
      this.#failures.push(error);
      return null;
    }
  }
  #stagger() {
    this.#timer?.cancel();
    this.#timer = null;
    if (!this.#parts.isStaggered || this.#isExhausted) return;
    this.#timer = this.#parts.clock.after(STAGGER_MS2, () => void this.#askNext(), false);
  }
  /** It may have, while something was awaited. */
  #hasEnded() {
    return this.#isOver;
  }
  /** @returns false if it was over already. */
  #end() {
    this.#timer?.cancel();
    const isFirst = !this.#isOver;
    this.#isOver = true;
    return isFirst;
  }
};
var InquiryFailed = class extends Error {
  failures;
  constructor(failures) {
    super("nobody answered");
    this.failures = failures;
  }
};

// src/cluster/asker.ts
var LAST_OLD_METADATA = 8;
var BELIEVED = 3;
var BELIEVED_AT_LOGIN = 2;
var REBOOTSTRAP_REQUIRED = errorByName("REBOOTSTRAP_REQUIRED")?.code;
var mismatchChannel = diagnosticChannel("headrace:cluster:mismatch");
var Asker = class {
  #options;
  #links;
  #listener;
  #bootstrap;
  #inquiries = /* @__PURE__ */ new Set();
  /** Failures that every further try would meet again. */
  #hopeless = /* @__PURE__ */ new WeakSet();
  #hasUnderstood = false;
  /** What was inferred of an address at the last try, and how often in a row. */
  #guessed = /* @__PURE__ */ new Map();
  /** The cluster that answered first is ours for good: records must not go to another one. */
  #clusterId = null;
  /** Addresses that are known to lead to it. */
  #judged = /* @__PURE__ */ new Set();
  /** Not the newest Metadata for a cluster that has it wrong. */
  #metadataVersions = {};
  /** What cannot be understood now will not be understood later either. */
  #isGarbageFinal = false;
  #closedBy = null;
  constructor(options, links, listener) {
    this.#options = options;
    this.#links = links;
    this.#listener = listener;
    this.#bootstrap = new Bootstrap(options);
  }
  /** Every further try would end like this. */
  isHopeless(failure) {
    return this.#hopeless.has(failure);
  }
  /** @throws {KafkaError} what each broker that was tried said. */
  ask(api2, body) {
    const isMetadata = api2.key === metadata.key;
    return this.#inquire(isMetadata, async (link) => {
      const connection = await link.connect();
      const outcome = await connection.request(api2, body, isMetadata ? this.#metadataVersions : {});
      if ("error" in outcome) return outcome;
      if (!isMetadata) return { answer: outcome.response };
      const { clusterId } = outcome.response;
      const error = this.#judgeCluster(connection, clusterId);
      return error === null ? { answer: outcome.response } : { error };
    });
  }
  /**
   * One round of asking for metadata.
   *
   * @param isFirst nobody of this cluster has been understood yet. One garbled answer is an accident, or a broker that
   *   has the newest version wrong; two in a row are how it speaks.
   */
  async askMetadata(question, isFirst) {
    const reply = await this.#tryMetadata(question);
    if (!isFirst || "answer" in reply) return reply;
    const { error } = reply;
    const isGarbled = error instanceof ProtocolError || error.cause instanceof ProtocolError;
    if (!isGarbled || this.#hopeless.has(error)) return reply;
    this.#metadataVersions = { maxVersion: LAST_OLD_METADATA };
    this.#isGarbageFinal = true;
    const second = await this.#tryMetadata(question);
    this.#isGarbageFinal = false;
    if ("error" in second) this.#metadataVersions = {};
    return second;
  }
  /** Bootstrap addresses of which nobody knows where they lead. */
  get unknownAddresses() {
    const brokers = new Set(this.#links.known.map(({ address }) => address));
    return this.#bootstrap.latest.filter((target) => {
      const address = formatAddress(target);
      return !brokers.has(address) && !this.#judged.has(address);
    });
  }
  /**
   * Looks at those: one that leads to another cluster is a mistake that would show on the day on which ours is down.
   * What is found is told as any other loss of a connection.
   */
  async checkBootstrap() {
    for (const target of this.unknownAddresses) {
      if (this.#closedBy !== null) return;
      const link = this.#links.seed(target);
      await this.#askOne(link, () => this.#askForMetadata(link, { topics: [], allowAutoTopicCreation: false }));
      link.ready?.close();
    }
  }
  close(error) {
    this.#closedBy = error;
    this.#bootstrap.close(error);
    for (const inquiry of this.#inquiries) inquiry.giveUp(error);
  }
  async #tryMetadata(question) {
    try {
      return { answer: await this.#inquire(true, (link) => this.#askForMetadata(link, question)) };
    } catch (error) {
      return { error };
    }
  }
  async #askForMetadata(link, question) {
    const connection = await link.connect();
    const outcome = await connection.requestAs(metadata, question, beginReading, this.#metadataVersions);
    if ("error" in outcome) return outcome;
    const { answer, reading } = outcome.response;
    const reply = answer === null ? await this.#readOn(connection, reading) : { answer };
    if ("error" in reply) return reply;
    const error = this.#judgeCluster(connection, reply.answer.clusterId) ?? this.#judgeAnswer(link, reply.answer);
    return error === null ? reply : { error };
  }
  /** A large answer is read in several turns. One that makes no sense ends the connection, as any other would. */
  async #readOn(connection, reading) {
    try {
      for (; ; ) {
        await new Promise((resolve3) => this.#options.clock.soon(resolve3));
        const answer = reading.next();
        if (answer !== null) return { answer };
      }
    } catch (error) {
      const failure = asKafkaError(connection.address, error);
      connection.close(failure);
      return { error: failure };
    }
  }
  async #inquire(isMetadata, ask3) {
    if (this.#closedBy !== null) throw this.#closedBy;
    const { clock } = this.#options;
    const whereToBegin = isMetadata ? () => this.#bootstrap.addresses() : null;
    const inquiry = new Inquiry({
      clock,
      candidates: candidates(this.#links, clock, whereToBegin),
      ask: (link) => this.#askOne(link, ask3),
      isStaggered: isMetadata
    });
    this.#inquiries.add(inquiry);
    try {
      return await inquiry.answer;
    } catch (error) {
      throw error instanceof InquiryFailed ? this.#nobodyAnswered(error.failures) : error;
    } finally {
      this.#inquiries.delete(inquiry);
    }
  }
  async #askOne(link, ask3) {
    try {
      const reply = await ask3(link);
      if ("answer" in reply) this.#onUnderstood(link);
      else await this.#judgeFailure(link, reply.error, this.#isGarbageFinal && reply.error instanceof ProtocolError);
      if (this.#closedBy === null) this.#listener.onReply();
      return reply;
    } catch (error) {
      const failure = error;
      await this.#judgeFailure(link, failure, failure instanceof ProtocolError || !failure.retriable);
      return { error: failure };
    }
  }
  #onUnderstood({ address }) {
    this.#hasUnderstood = true;
    this.#guessed.delete(address);
  }
  /** Whether every further try would end like this. Only who has never been understood gives up so early. */
  async #judgeFailure(link, failure, isFinal) {
    if (isFinal) this.#hopeless.add(failure);
    if (!isGuess(failure) || this.#hasUnderstood) return void this.#guessed.delete(link.address);
    if (failure.code !== "CONNECTION_CLOSED") {
      const times = this.#timesGuessed(link.address, failure.code);
      const isAtLogin = failure.code === "SASL_AUTHENTICATION_FAILED";
      if (times >= (isAtLogin ? BELIEVED_AT_LOGIN : BELIEVED)) this.#hopeless.add(failure);
    } else if (await this.#options.wantsSasl?.(link) === true) this.#hopeless.add(failure);
  }
  #timesGuessed(address, code) {
    const before = this.#guessed.get(address);
    const times = before?.code === code ? before.times + 1 : 1;
    this.#guessed.set(address, { code, times });
    return times;
  }
  /** @returns why nothing may be sent to this one; null: it belongs to our cluster, or is too old to say. */
  #judgeCluster(connection, clusterId) {
    if (clusterId === null) return null;
    this.#clusterId ??= clusterId;
    const { address } = connection;
    if (clusterId === this.#clusterId) {
      this.#judged.add(address);
      return null;
    }
    if (mismatchChannel.hasSubscribers) {
      mismatchChannel.publish({ address, clusterId, expectedClusterId: this.#clusterId });
    }
    const what = `it belongs to the cluster ${brokerText(clusterId)}, and this producer to ${brokerText(this.#clusterId)}: are there two clusters among the brokers?`;
    const error = new ConnectionError("CLUSTER_MISMATCH", `${address}: CLUSTER_MISMATCH: ${what}`, { retriable: true });
    connection.close(error);
    return error;
  }
  /** @returns why an answer that could be read is none. */
  #judgeAnswer({ address }, { errorCode, brokers }) {
    if (errorCode !== 0) {
      const error = toBrokerError(errorCode, `${address}: Metadata`, { retriable: true });
      if (errorCode === REBOOTSTRAP_REQUIRED) this.#listener.onRebootstrap(`${address} asks for it`);
      return error;
    }
    if (brokers.length > 0) return null;
    const what = "Metadata without any broker";
    return new ProtocolError("INVALID_VALUE", `${address}: INVALID_VALUE: ${what}`, { retriable: true });
  }
  #nobodyAnswered(failures) {
    const [first] = failures;
    if (first !== void 0 && failures.length === 1) return first;
    const isHopeless = failures.every((failure) => this.#hopeless.has(failure));
    const reasons = failures.map(({ message }) => message).join("; ");
    const what = `connect: BOOTSTRAP_FAILED: no broker could be used: ${reasons}`;
    const error = new ConnectionError("BOOTSTRAP_FAILED", what, { retriable: !isHopeless, cause: first });
    if (isHopeless) this.#hopeless.add(error);
    return error;
  }
};
function beginReading(version3, frame) {
  const reading = new MetadataReading(version3, frame);
  return { reading, answer: reading.next(), throttleTimeMs: reading.throttleTimeMs };
}

// src/cluster/backoff.ts
var BASE = 2;
var JITTER = 0.2;
function backoffMs(failures, initialMs, maxMs, random) {
  const exponent = Math.min(Math.max(failures - 1, 0), 30);
  const plain3 = Math.min(initialMs * BASE ** exponent, maxMs);
  return plain3 * (1 - JITTER + 2 * JITTER * random);
}

// src/cluster/link.ts
var MAX_CONNECT_TIMEOUT_MS = 3e4;
var Link = class {
  #options;
  #connection = null;
  #dialing = null;
  #begun = null;
  #lastError = null;
  #pause = null;
  #isClosed = false;
  constructor(options) {
    this.#options = options;
  }
  get target() {
    return this.#options.target;
  }
  get nodeId() {
    return this.#options.nodeId;
  }
  get address() {
    return formatAddress(this.#options.target);
  }
  /** The connection, if there is one to be used now. */
  get ready() {
    return this.#connection?.isReady === true ? this.#connection : null;
  }
  /** Neither connected nor about to be. */
  get isUnused() {
    return this.ready === null && this.#dialing === null;
  }
  /** When the next attempt may begin, by the clock; in the past if now is fine. */
  get retryAtMs() {
    return this.#options.backoff.retryAtMs;
  }
  /** How often in a row the peer has refused us, or could not be trusted. */
  get refusals() {
    return this.#options.backoff.refusals;
  }
  /** Nobody may dial now: whoever asks hears again why. */
  get isRefused() {
    return this.#options.backoff.refusal !== null;
  }
  /** Why there is no connection, if there should be one; null while all is well. */
  get lastError() {
    return this.#lastError;
  }
  /** Begins to connect unless that is under way or it is too early to try again. Never throws; `onChange` hears. */
  want() {
    if (this.#isClosed || this.ready !== null || this.#dialing !== null) return;
    if (this.#options.clock.now() < this.retryAtMs) return;
    this.connect().catch(toldByOnChange);
  }
  /**
   * Connects, although the backoff may not be over; a peer that fails again and again is given its time all the same, and
   * one that has refused us gives that answer until then. Callers at the same time share one attempt.
   */
  connect() {
    if (this.ready !== null) return Promise.resolve(this.ready);
    const { refusal: refusal9 } = this.#options.backoff;
    if (this.#dialing === null && refusal9 !== null) return Promise.reject(refusal9);
    this.#dialing ??= this.#dial().finally(() => this.#dialing = null);
    return this.#dialing;
  }
  /** Takes over a connection that was opened by another name (a bootstrap address that is this broker). */
  adopt(connection) {
    this.#connection = connection;
    this.#lastError = null;
    this.#options.backoff.connected();
    connection.onClosed = (error) => this.#onLost(connection, error);
  }
  /** Gives the connection away; the link is empty afterwards. */
  release() {
    const connection = this.ready;
    this.#connection = null;
    return connection;
  }
  /** @param reason what requests that are in flight fail with. */
  close(reason) {
    this.#isClosed = true;
    this.#pause?.end();
    this.#begun?.close(reason);
    this.#connection?.close(reason);
  }
  async #dial() {
    const { nodeId, target, open } = this.#options;
    if (this.#options.backoff.isPersistent) await this.#untilRetry();
    const waitedFor = this.ready;
    if (waitedFor !== null) return waitedFor;
    try {
      if (this.#isClosed) throw closedError(this.address);
      const opened = (begun) => {
        this.#begun = begun;
        if (this.#isClosed) begun.close();
      };
      const connectTimeoutMs = this.#connectTimeoutMs();
      const connection = await open({
        nodeId,
        target,
        connectTimeoutMs,
        hangUps: this.#options.backoff.hangUps,
        opened
      });
      const adopted = this.#readyNow();
      if (adopted !== null) {
        connection.close();
        return adopted;
      }
      this.adopt(connection);
      this.#options.onChange(this, null);
      return connection;
    } catch (error) {
      this.#lastError = error;
      this.#options.backoff.failed(error);
      this.#options.onChange(this, error);
      throw error;
    } finally {
      this.#begun = null;
    }
  }
  /** After something was awaited. */
  #readyNow() {
    return this.ready;
  }
  /** The time that an attempt gets doubles while attempts fail, as in Java: a slow network is not helped by haste. */
  #connectTimeoutMs() {
    const { clock, connectTimeoutMs, backoff } = this.#options;
    const { failures } = backoff;
    if (failures === 0) return connectTimeoutMs;
    const maxMs = Math.max(MAX_CONNECT_TIMEOUT_MS, connectTimeoutMs);
    return Math.round(backoffMs(failures + 1, connectTimeoutMs, maxMs, clock.random()));
  }
  #untilRetry() {
    const { clock } = this.#options;
    const waitMs2 = this.retryAtMs - clock.now();
    if (waitMs2 <= 0 || this.#isClosed) return Promise.resolve();
    return new Promise((resolve3) => {
      const end = () => {
        this.#pause?.timer.cancel();
        this.#pause = null;
        resolve3();
      };
      this.#pause = { timer: clock.after(waitMs2, end), end };
    });
  }
  #onLost(connection, error) {
    if (this.#connection !== connection) return;
    this.#connection = null;
    if (this.#isClosed) return;
    const isOurs = error instanceof ConnectionError && error.code === "CLOSED_BY_CLIENT";
    this.#lastError = isOurs ? null : error;
    if (!isOurs) this.#options.backoff.lost(connection);
    this.#options.onChange(this, this.#lastError);
  }
};
function closedError(address) {
  const what = `${address}: CLOSED_BY_CLIENT: the connection was closed on our side`;
  return new ConnectionError("CLOSED_BY_CLIENT", what, { retriable: true });
}
function toldByOnChange() {
  return void 0;
}

// src/cluster/reconnect-backoff.ts
var STEADY_MS = 1e4;
var PERSISTENT = 3;
var REFUSAL_BACKOFF_MAX_MS = 1e4;
var MIN_REFUSAL_BACKOFF_MS = 50;
var CREDENTIALS_SHARE_OF_PAUSE = 0.75;
var ReconnectBackoff = class {
  #options;
  #failures = 0;
  #hangUps = 0;
  #refusals = 0;
  #refusal = null;
  #retryAtMs = -Infinity;
  constructor(options) {
    this.#options = options;
  }
  /** By the clock; in the past if now is fine. */
  get retryAtMs() {
    return this.#retryAtMs;
  }
  /** Attempts in a row that gave no connection. */
  get failures() {
    return this.#failures;
  }
  /** How often in a row the peer accepted us and hung up before it was good for anything. */
  get hangUps() {
    return this.#hangUps;
  }
  /** It has failed so often that nobody may hurry the next attempt. */
  get isPersistent() {
    return Math.max(this.#failures, this.#hangUps) >= PERSISTENT;
  }
  /** How often in a row credentials or certificates did not do, on one side or the other. */
  get refusals() {
    return this.#refusals;
  }
  /** Why nobody may try now: it would be refused as it was the last time. */
  get refusal() {
    return this.#options.clock.now() < this.#retryAtMs ? this.#refusal : null;
  }
  connected() {
    this.#failures = 0;
    this.#refusals = 0;
    this.#refusal = null;
    this.#retryAtMs = -Infinity;
  }
  failed(error) {
    this.#failures++;
    if (error.code === "CONNECTION_CLOSED") this.#hangUps++;
    const isRefusal2 = error instanceof AuthenticationError && !error.retriable;
    this.#refusals = isRefusal2 ? this.#refusals + 1 : 0;
    this.#refusal = isRefusal2 ? error : null;
    const share = error.code === "CREDENTIALS_UNAVAILABLE" ? CREDENTIALS_SHARE_OF_PAUSE : 1;
    this.#wait(isRefusal2 ? this.#refusalDelayMs() : share * this.#delayMs(this.#failures));
  }
  /** A connection that was there is gone. */
  lost({ wasUseful, openedAtMs }) {
    const isSteady = wasUseful || this.#options.clock.now() - openedAtMs >= STEADY_MS;
    this.#hangUps = isSteady ? 0 : this.#hangUps + 1;
    this.#wait(this.#hangUps <= 1 ? 0 : this.#delayMs(this.#hangUps - 1));
  }
  #delayMs(failures) {
    const { clock, reconnectBackoffMs, reconnectBackoffMaxMs } = this.#options;
    const random = clock.random();
    const growingMs = backoffMs(failures, reconnectBackoffMs, reconnectBackoffMaxMs, random);
    if (this.#hangUps < PERSISTENT) return growingMs;
    return Math.max(growingMs, reconnectBackoffMaxMs * (1 + 0.2 * random));
  }
  #refusalDelayMs() {
    const { clock, reconnectBackoffMs, reconnectBackoffMaxMs } = this.#options;
    const maxMs = Math.max(REFUSAL_BACKOFF_MAX_MS, reconnectBackoffMaxMs);
    return backoffMs(this.#refusals, Math.max(reconnectBackoffMs, MIN_REFUSAL_BACKOFF_MS), maxMs, clock.random());
  }
  #wait(delayMs2) {
    this.#retryAtMs = this.#options.clock.now() + delayMs2;
  }
};

// src/cluster/links.ts
var Links = class {
  #options;
  #newLink;
  #byNode = /* @__PURE__ */ new Map();
  #seeds = /* @__PURE__ */ new Map();
  /** By address: a broker is spared whatever name it is dialled by. */
  #backoffs = /* @__PURE__ */ new Map();
  #brokers = /* @__PURE__ */ new Map();
  constructor(options, newLink) {
    this.#options = options;
    this.#newLink = newLink;
  }
  /** The link to a broker; null: nobody has told us where it is. One that moved gets a new link. */
  to(nodeId) {
    const target = this.#brokers.get(nodeId);
    const known = this.#byNode.get(nodeId);
    if (target === void 0) return known ?? null;
    if (known !== void 0 && known.address === formatAddress(target)) return known;
    known?.close();
    const link = this.#newLink(nodeId, target, this.#backoff(target));
    this.#byNode.set(nodeId, link);
    return link;
  }
  /** As it is, whatever its address should be. */
  peek(nodeId) {
    return this.#byNode.get(nodeId);
  }
  /** One for each broker of the latest picture. */
  get known() {
    return [...this.#brokers.keys()].map((nodeId) => this.to(nodeId)).filter((link) => link !== null);
  }
  /** Wherever one could begin one would hear the refusal of the last time. */
  get isEverySeedRefused() {
    return this.#seeds.size > 0 && [...this.#seeds.values()].every(({ isRefused }) => isRefused);
  }
  seed(address) {
    const name2 = formatAddress(address);
    const seed = this.#seeds.get(name2) ?? this.#newLink(null, address, this.#backoff(address));
    this.#seeds.set(name2, seed);
    return seed;
  }
  /** Takes the brokers of a new picture. */
  update(brokers) {
    this.#brokers = brokers;
    this.#adoptSeeds();
    for (const [nodeId, link] of this.#byNode) {
      if (!brokers.has(nodeId) && link.isUnused) this.#byNode.delete(nodeId);
    }
    for (const [address, seed] of this.#seeds) if (seed.isUnused) this.#seeds.delete(address);
  }
  /** All links end, and nothing is known. */
  forget(reason) {
    for (const link of [...this.#byNode.values(), ...this.#seeds.values()]) link.close(reason);
    this.#byNode.clear();
    this.#seeds.clear();
    this.#backoffs.clear();
    this.#brokers = /* @__PURE__ */ new Map();
  }
  #backoff(target) {
    const address = formatAddress(target);
    const backoff = this.#backoffs.get(address) ?? new ReconnectBackoff(this.#options);
    this.#backoffs.set(address, backoff);
    return backoff;
  }
  /** A bootstrap connection whose address is that of a broker is the connection to that broker. */
  #adoptSeeds() {
    for (const [nodeId, target] of this.#brokers) {
      const seed = this.#seeds.get(formatAddress(target));
      const known = this.#byNode.get(nodeId)?.ready ?? null;
      if (seed === void 0 || known !== null) continue;
      const connection = seed.release();
      if (connection !== null) this.to(nodeId)?.adopt(connection);
    }
  }
};

// src/cluster/shared-map.ts
var MIN_CHANGES = 64;
var SharedMap = class _SharedMap {
  size;
  #base;
  /** What has become of entries since the base was made; null: removed. */
  #changes;
  constructor(base, changes, size) {
    this.#base = base;
    this.#changes = changes;
    this.size = size;
  }
  static empty() {
    return new _SharedMap(/* @__PURE__ */ new Map(), /* @__PURE__ */ new Map(), 0);
  }
  get(key) {
    if (this.#changes.size === 0) return this.#base.get(key);
    const change = this.#changes.get(key);
    return change === void 0 ? this.#base.get(key) : change ?? void 0;
  }
  /** With these entries set, or removed where the value is null. */
  with(entries) {
    let { size } = this;
    for (const [key, value] of entries) size += (value === null ? 0 : 1) - (this.get(key) === void 0 ? 0 : 1);
    const changes = new Map(this.#changes);
    for (const [key, value] of entries) changes.set(key, value);
    if (changes.size <= Math.max(MIN_CHANGES, Math.sqrt(this.#base.size)))
      return new _SharedMap(this.#base, changes, size);
    const base = new Map(this.#base);
    for (const [key, value] of changes) {
      if (value === null) base.delete(key);
      else base.set(key, value);
    }
    return new _SharedMap(base, /* @__PURE__ */ new Map(), size);
  }
};

// src/cluster/topic-metadata.ts
var NO_TOPIC_ID = ZERO_UUID;
var NONE_HINTED = /* @__PURE__ */ new Map();
var KnownTopic = class _KnownTopic {
  topic;
  topicId;
  leaders;
  leaderEpochs;
  revision;
  /** The id that the topic had before it was made anew: an answer that still has it is old. */
  formerTopicId;
  /** Partitions whose leader only a hint has named, and the leader epoch that Metadata told before. */
  #toldEpochs;
  #available = null;
  constructor(parts, toldEpochs = NONE_HINTED) {
    this.topic = parts.topic;
    this.topicId = parts.topicId;
    this.leaders = parts.leaders;
    this.leaderEpochs = parts.leaderEpochs;
    this.revision = parts.revision;
    this.formerTopicId = parts.formerTopicId ?? NO_TOPIC_ID;
    this.#toldEpochs = toldEpochs;
  }
  /** Made when somebody asks: most topics of a large cluster are never written to. */
  get available() {
    return this.#available ??= availableOf(this.leaders);
  }
  /** With another leader of one partition, which no Metadata has told of. */
  withHintedLeader(partition, leader, leaderEpoch) {
    const leaders = this.leaders.slice();
    const leaderEpochs = this.leaderEpochs.slice();
    const toldEpoch = this.#toldEpochs.get(partition) ?? leaderEpochs[partition] ?? -1;
    leaders[partition] = leader;
    leaderEpochs[partition] = leaderEpoch;
    const toldEpochs = new Map(this.#toldEpochs).set(partition, toldEpoch);
    return new _KnownTopic({ ...partsOf(this), leaders, leaderEpochs }, toldEpochs);
  }
  /**
   * With the epochs that Metadata told, where a hint named a leader that cannot be reached: an epoch that some broker made
   * up would stand against every answer for ever.
   */
  withoutHintsOf(isUnreachable) {
    if (this.#toldEpochs.size === 0) return this;
    const toldEpochs = new Map(this.#toldEpochs);
    const leaderEpochs = this.leaderEpochs.slice();
    for (const [partition, toldEpoch] of this.#toldEpochs) {
      if (!isUnreachable(this.leaders[partition] ?? -1)) continue;
      leaderEpochs[partition] = toldEpoch;
      toldEpochs.delete(partition);
    }
    return new _KnownTopic({ ...partsOf(this), leaderEpochs }, toldEpochs);
  }
  /** With what an answer to Metadata made of it. @param told the answer's own epochs: hints that are older are confirmed. */
  afterTold(parts, told) {
    let toldEpochs = this.#toldEpochs;
    if (toldEpochs.size > 0) {
      const isOpen = (partition) => (told[partition] ?? -1) < (this.leaderEpochs[partition] ?? -1);
      toldEpochs = new Map([...toldEpochs].filter(([partition]) => isOpen(partition)));
    }
    return new _KnownTopic({ ...partsOf(this), ...parts }, toldEpochs);
  }
};
function afterAnswer(name2, answer, known, wasGone, revision) {
  const { topicId } = answer;
  if (known === void 0) return newTopic({ topic: name2, ...arraysOf(answer), topicId, revision }, false);
  if (topicId !== NO_TOPIC_ID && topicId === known.formerTopicId) return null;
  const areIdsKnown = topicId !== NO_TOPIC_ID && known.topicId !== NO_TOPIC_ID;
  if (areIdsKnown ? topicId !== known.topicId : wasGone && topicId === NO_TOPIC_ID) {
    return newTopic({ topic: name2, ...arraysOf(answer), topicId, revision, formerTopicId: known.topicId }, true);
  }
  return sameTopic(answer, known, areIdsKnown, revision);
}
function newTopic(parts, isRecreated) {
  return { topic: new KnownTopic(parts), isRecreated, keptLeaders: NONE2 };
}
var NONE2 = /* @__PURE__ */ new Set();
function sameTopic(answer, known, areIdsKnown, revision) {
  const keptLeaders = /* @__PURE__ */ new Set();
  let { leaders, leaderEpochs } = answer;
  const isShorter = leaders.length < known.leaders.length;
  const mayShrink = !areIdsKnown && !hasOlderEpoch(answer, known);
  if (isShorter && !mayShrink) {
    leaders = known.leaders.slice();
    leaders.set(answer.leaders);
    leaderEpochs = known.leaderEpochs.slice();
    leaderEpochs.set(answer.leaderEpochs);
    for (const leader of known.leaders.subarray(answer.leaders.length)) keptLeaders.add(leader);
  }
  const count3 = Math.min(answer.leaders.length, known.leaders.length);
  for (let i = 0; i < count3; i++) {
    const epoch = leaderEpochs[i] ?? -1;
    const knownEpoch = known.leaderEpochs[i] ?? -1;
    if (epoch >= knownEpoch) continue;
    if (leaders === answer.leaders) [leaders, leaderEpochs] = [leaders.slice(), leaderEpochs.slice()];
    leaderEpochs[i] = knownEpoch;
    if (epoch < 0) continue;
    const leader = known.leaders[i] ?? -1;
    leaders[i] = leader;
    keptLeaders.add(leader);
  }
  const topicId = answer.topicId === NO_TOPIC_ID ? known.topicId : answer.topicId;
  const topic = known.afterTold({ topicId, leaders, leaderEpochs, revision }, answer.leaderEpochs);
  return { topic, isRecreated: false, keptLeaders };
}
function hasOlderEpoch(answer, known) {
  return answer.leaderEpochs.some((epoch, i) => epoch >= 0 && epoch < (known.leaderEpochs[i] ?? -1));
}
function arraysOf({ leaders, leaderEpochs }) {
  return { leaders, leaderEpochs };
}
function partsOf({ topic, topicId, leaders, leaderEpochs, revision, formerTopicId }) {
  return { topic, topicId, leaders, leaderEpochs, revision, formerTopicId };
}
function availableOf(leaders) {
  const withLeader = [];
  leaders.forEach((leader, partition) => {
    if (leader >= 0) withLeader.push(partition);
  });
  return withLeader.length > 0 ? withLeader : Array.from(leaders.keys());
}

// src/protocol/error-numbers.ts
var CORRUPT_MESSAGE = 2;
var UNKNOWN_TOPIC_OR_PARTITION = 3;
var LEADER_NOT_AVAILABLE = 5;
var NOT_LEADER_OR_FOLLOWER = 6;
var MESSAGE_TOO_LARGE = 10;
var INVALID_TOPIC_EXCEPTION = 17;
var NOT_ENOUGH_REPLICAS = 19;
var INVALID_REQUIRED_ACKS = 21;
var INVALID_REQUEST2 = 42;
var OUT_OF_ORDER_SEQUENCE_NUMBER = 45;
var INVALID_PRODUCER_EPOCH = 47;
var UNKNOWN_PRODUCER_ID = 59;
var UNSUPPORTED_COMPRESSION_TYPE = 76;
var INVALID_RECORD = 87;
var UNKNOWN_TOPIC_ID = 100;
var TRANSACTIONAL_ID_NOT_FOUND = 105;

// src/cluster/metadata.ts
var NOTHING = {
  clusterId: null,
  brokers: /* @__PURE__ */ new Map(),
  topics: SharedMap.empty(),
  problems: SharedMap.empty(),
  revision: 0
};
var Metadata = class _Metadata {
  #parts;
  constructor(parts = NOTHING) {
    this.#parts = parts;
  }
  get clusterId() {
    return this.#parts.clusterId;
  }
  get brokers() {
    return this.#parts.brokers;
  }
  topic(name2) {
    return this.#parts.topics.get(name2);
  }
  /** `NO_TOPIC_ID`, if the topic is not known, or the brokers are too old for ids. */
  topicId(name2) {
    return this.#parts.topics.get(name2)?.topicId ?? NO_TOPIC_ID;
  }
  /** The error that the latest answer gave for a topic, if it gave one. */
  problem(name2) {
    return this.#parts.problems.get(name2);
  }
  get topicCount() {
    return this.#parts.topics.size;
  }
  /** The leader of a partition: its node id, or -1. */
  leader(topic, partition) {
    return this.#parts.topics.get(topic)?.leaders[partition] ?? -1;
  }
  /**
   * The picture after an answer. Topics that the answer does not speak of stay; a topic that it calls unknown stays, too,
   * with its problem noted: topics vanish from metadata for a moment and come back (faults-and-security.md, S3).
   * What an answer says that is older than the picture is not believed (`afterAnswer`).
   *
   * @param isWanted topics that nobody asks about any more are passed over: nobody would keep them up to date.
   * @param onRecreated hears of topics that are not the ones that they were.
   * @param isUnreachable brokers that are, and that only a hint made leaders, lead no longer if the answer says so.
   */
  merge(answer, isWanted, onRecreated, isUnreachable = () => false) {
    const topics2 = /* @__PURE__ */ new Map();
    const problems = /* @__PURE__ */ new Map();
    const keptLeaders = /* @__PURE__ */ new Set();
    const revision = this.#parts.revision + 1;
    for (const told of answer.topics) {
      const { name: name2, errorCode } = told;
      if (name2 === null || !isWanted(name2)) continue;
      const known = this.#parts.topics.get(name2)?.withoutHintsOf(isUnreachable);
      if (told.leaders.length > 0) {
        const wasGone = this.problem(name2)?.errorCode === UNKNOWN_TOPIC_OR_PARTITION;
        const news = afterAnswer(name2, told, known, wasGone, revision);
        if (news === null) continue;
        topics2.set(name2, news.topic);
        for (const leader of news.keptLeaders) keptLeaders.add(leader);
        if (news.isRecreated) {
          onRecreated?.({ topic: name2, topicId: told.topicId, formerTopicId: known?.topicId ?? NO_TOPIC_ID });
        }
      }
      if (errorCode !== 0) problems.set(name2, { errorCode });
      else if (this.problem(name2) !== void 0) problems.set(name2, null);
    }
    const brokers = new Map(answer.brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]));
    this.#keep(keptLeaders, brokers);
    return new _Metadata({
      clusterId: answer.clusterId ?? this.clusterId,
      brokers,
      topics: this.#parts.topics.with(topics2),
      problems: this.#parts.problems.with(problems),
      revision
    });
  }
  /** The picture without what was said of topics that are no longer asked about. */
  without(topics2) {
    const removed = new Map(topics2.map((topic) => [topic, null]));
    return this.#but({ topics: this.#parts.topics.with(removed), problems: this.#parts.problems.with(removed) });
  }
  /** The picture without the brokers: where they are must be asked anew. What is known of topics stays. */
  withoutBrokers() {
    return this.#but({ brokers: /* @__PURE__ */ new Map() });
  }
  /**
   * The picture after a broker refused a record and named the leader itself (KIP-951). Only a newer leader epoch is
   * believed, and only if the broker can be where it is said to be.
   */
  withLeader(hint) {
    const { topic, partition, leader, leaderEpoch, endpoint } = hint;
    const known = this.#parts.topics.get(topic);
    const knownEpoch = known?.leaderEpochs[partition];
    if (known === void 0 || knownEpoch === void 0 || leaderEpoch <= knownEpoch) return this;
    if (endpoint !== null && !isPossible(endpoint)) return this;
    let { brokers } = this;
    if (endpoint !== null) brokers = new Map(brokers).set(leader, { host: endpoint.host, port: endpoint.port });
    if (!brokers.has(leader)) return this;
    const changed = /* @__PURE__ */ new Map([[topic, known.withHintedLeader(partition, leader, leaderEpoch)]]);
    return this.#but({ brokers, topics: this.#parts.topics.with(changed) });
  }
  /** A leader that stays known in spite of an older answer keeps the address that this answer does not have. */
  #keep(leaders, brokers) {
    for (const leader of leaders) {
      const address = this.brokers.get(leader);
      if (address !== void 0 && !brokers.has(leader)) brokers.set(leader, address);
    }
  }
  #but(change) {
    return new _Metadata({ ...this.#parts, ...change });
  }
};
function isPossible({ host, port }) {
  return host !== "" && port >= 1 && port <= 65535;
}

// src/cluster/rounds.ts
var MAX_ROUND_PAUSE_MS = 500;
var Rounds = class {
  #options;
  #run;
  #round = null;
  #isAnotherWanted = false;
  #isHurry = false;
  #timer = null;
  #ageTimer = null;
  #earliestMs = -Infinity;
  /** Rounds in a row, none of them long after the one before: asking has not helped so far. */
  #inARow = 0;
  #isClosed = false;
  /** @param run one round; gives what went wrong, never rejects; calls `ended` before it tells anybody. */
  constructor(options, run) {
    this.#options = options;
    this.#run = run;
  }
  get isAsking() {
    return this.#round !== null;
  }
  /** Wants news as soon as the backoff allows. */
  soon() {
    if (this.#isClosed) return;
    if (this.#round !== null) {
      this.#isAnotherWanted = true;
      return;
    }
    const waitMs2 = this.#earliestMs - this.#options.clock.now();
    this.#timer?.cancel();
    this.#timer = null;
    if (waitMs2 > 0) this.#timer = this.#options.clock.after(waitMs2, () => void this.now());
    else void this.now();
  }
  /** Wants news about something that nobody was asked about yet: without regard to the backoff. */
  atOnce() {
    this.#isHurry = this.#round !== null;
    this.#earliestMs = -Infinity;
    this.soon();
  }
  /** One round now, or the one that is running; resolves with the error if no broker answered. */
  now() {
    this.#round ??= this.#begin();
    return this.#round;
  }
  close() {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#ageTimer?.cancel();
  }
  /** Metadata is fresh from now on; it is asked for again when it is old. */
  restartAge(onOld) {
    this.#ageTimer?.cancel();
    if (this.#isClosed) return;
    this.#ageTimer = this.#options.clock.after(this.#options.metadataMaxAgeMs, onOld, false);
  }
  /** The round is over, as far as the next one is concerned; whoever hears of its outcome may want another. */
  ended(failure) {
    this.#pause(failure === null ? MAX_ROUND_PAUSE_MS : Infinity);
    if (this.#isHurry && failure === null) this.#earliestMs = -Infinity;
    this.#isHurry = false;
    this.#round = null;
  }
  /** Whoever wanted news while the round ran may have come too late for it. */
  goOn() {
    if (this.#isAnotherWanted) this.soon();
  }
  #begin() {
    this.#timer?.cancel();
    this.#timer = null;
    this.#isAnotherWanted = false;
    return this.#run();
  }
  /** The next round begins no sooner than this: later and later while one follows the other. */
  #pause(maxPauseMs) {
    const { clock, retryBackoffMs, retryBackoffMaxMs, metadataMaxAgeMs } = this.#options;
    const nowMs = clock.now();
    const isSoonAfter = nowMs - this.#earliestMs < Math.min(2 * MAX_ROUND_PAUSE_MS, metadataMaxAgeMs / 2);
    this.#inARow = isSoonAfter ? this.#inARow + 1 : 1;
    const maxMs = Math.min(retryBackoffMaxMs, Math.max(maxPauseMs, retryBackoffMs));
    this.#earliestMs = nowMs + backoffMs(this.#inARow, retryBackoffMs, maxMs, clock.random());
  }
};

// src/cluster/watched-topics.ts
var MAX_IDLE_MS = 3e5;
var MAX_FORGOTTEN = 1e3;
var WatchedTopics = class {
  #clock;
  #topics = /* @__PURE__ */ new Map();
  /** Watched since the latest question. */
  #new = /* @__PURE__ */ new Set();
  /** Topics that were given up lately. */
  #forgotten = /* @__PURE__ */ new Set();
  constructor(clock) {
    this.#clock = clock;
  }
  has(topic) {
    return this.#topics.has(topic);
  }
  get names() {
    return [...this.#topics.keys()];
  }
  /** Those that nobody was asked about yet. */
  get newNames() {
    return [...this.#new];
  }
  get hasNew() {
    return this.#new.size > 0;
  }
  /** A record was sent to it. */
  use(topic) {
    const watched = this.#topics.get(topic);
    if (watched !== void 0) watched.isUsed = true;
  }
  /** @returns whether there is a hurry: it is new, and was not given up a moment ago. */
  add(topic) {
    if (this.#topics.has(topic)) {
      this.use(topic);
      return false;
    }
    this.#topics.set(topic, { lastUsedMs: this.#clock.now(), isUsed: false });
    if (this.#forgotten.has(topic)) return false;
    this.#new.add(topic);
    return true;
  }
  /** The question is on its way. */
  asked(topics2) {
    for (const topic of topics2) this.#new.delete(topic);
  }
  forget(topic) {
    this.#topics.delete(topic);
    this.#new.delete(topic);
    if (this.#forgotten.size >= MAX_FORGOTTEN) this.#forgotten.clear();
    this.#forgotten.add(topic);
  }
  /** Stops watching the topics that nobody has used for five minutes. @returns which. */
  dropIdle(isInUse) {
    const nowMs = this.#clock.now();
    const idle = [];
    for (const [topic, watched] of this.#topics) {
      if (watched.isUsed || isInUse(topic)) {
        watched.lastUsedMs = nowMs;
        watched.isUsed = false;
      } else if (nowMs - watched.lastUsedMs >= MAX_IDLE_MS) {
        this.#topics.delete(topic);
        this.#new.delete(topic);
        idle.push(topic);
      }
    }
    return idle;
  }
};

// src/cluster/cluster.ts
var REBOOTSTRAP_TRIGGER_MS = 3e5;
var CHECK_BOOTSTRAP_AFTER_MS = 1e3;
var FINAL_REFUSALS = 6;
var refreshedChannel = diagnosticChannel("headrace:metadata:refreshed");
var failedChannel = diagnosticChannel("headrace:metadata:failed");
var recreatedChannel = diagnosticChannel("headrace:topic:recreated");
var rebootstrapChannel = diagnosticChannel("headrace:cluster:rebootstrap");
var Cluster = class {
  #options;
  #listener;
  #links;
  #topics;
  #asker;
  #rounds;
  #metadata = new Metadata();
  /** The next round is about all topics, not only about new ones. */
  #isFullWanted = true;
  /** Since when metadata is asked for in vain, by the clock. */
  #inVainSinceMs = null;
  /** Of the latest round, if it failed. */
  #lastFailure = null;
  #hasBegun = false;
  /** Questions on connections of their own. */
  #probes = /* @__PURE__ */ new Set();
  #checkTimer = null;
  #isClosed = false;
  constructor(options, listener) {
    this.#options = options;
    this.#listener = listener;
    this.#links = new Links(options, (nodeId, target, backoff) => this.#newLink(nodeId, target, backoff));
    this.#topics = new WatchedTopics(options.clock);
    this.#rounds = new Rounds(options, () => this.#runRound());
    this.#asker = new Asker({ ...options, wantsSasl: (link) => this.#wantsSasl(link) }, this.#links, {
      onReply: () => this.#onLinkChange(null),
      onRebootstrap: (reason) => this.#rebootstrap(reason)
    });
  }
  get metadata() {
    return this.#metadata;
  }
  /** Asks about this topic from now on: at once, if it is new, otherwise as soon as the backoff allows. */
  watch(topic) {
    const refusal9 = this.#standingRefusal;
    if (refusal9 !== null) return this.#options.clock.soon(() => this.#listener.onStillRefused?.(refusal9));
    if (this.#topics.has(topic)) {
      this.#topics.use(topic);
      return this.refreshUnlessAsking();
    }
    if (this.#topics.add(topic)) return this.#rounds.atOnce();
    this.refreshSoon();
  }
  /** A record was sent to it: its metadata is kept up for another five minutes at least. Costs a look into a map. */
  use(topic) {
    this.#topics.use(topic);
  }
  /** Asks no longer: the topic is not there, and asking could make it. */
  forget(topic) {
    this.#topics.forget(topic);
    this.#metadata = this.#metadata.without([topic]);
  }
  /** Wants metadata, and an answer that is on its way will do. */
  refreshUnlessAsking() {
    if (!this.#rounds.isAsking) this.refreshSoon();
  }
  /** Wants newer metadata, as soon as the backoff allows. */
  refreshSoon() {
    this.#isFullWanted = true;
    this.#rounds.soon();
  }
  /** One round now, or the one that is running; resolves with the error if no broker answered. */
  refreshNow() {
    this.#isFullWanted ||= !this.#rounds.isAsking;
    return this.#rounds.now();
  }
  /** A connection to a broker that is ready now, or null: then one is being made, if it is time, and `onChange` tells. */
  connectionTo(nodeId) {
    const link = this.#links.to(nodeId);
    if (link === null) this.refreshSoon();
    link?.ready?.closeIfIdleTooLong();
    link?.want();
    return link?.ready ?? null;
  }
  /** When the broker may be dialled again, by the clock. */
  retryAtMs(nodeId) {
    return this.#links.peek(nodeId)?.retryAtMs ?? -Infinity;
  }
  /**
   * Why a broker will not let us in, whatever we do: it has refused the same credentials again and again, and they cannot
   * change. Null: it lets us in, or may yet, or is being asked at this moment.
   */
  refusal(nodeId) {
    const link = this.#links.peek(nodeId);
    if (link === void 0 || !link.isUnused || link.refusals < FINAL_REFUSALS) return null;
    const error = link.lastError;
    return this.#options.mechanism?.isFixed === true && isAboutCredentials(error) ? error : null;
  }
  /** Why records for a partition do not get through, as far as we can see; null if we see nothing wrong. */
  trouble(topic, partition) {
    const leader = this.#metadata.leader(topic, partition);
    return this.#links.peek(leader)?.lastError ?? this.#lastFailure;
  }
  /** For how long the leader of a partition goes on not to read from us, milliseconds; undefined: it reads. */
  throttledForMs(topic, partition) {
    return this.#links.peek(this.#metadata.leader(topic, partition))?.ready?.throttledForMs;
  }
  /** A broker named a partition's leader in its refusal (KIP-951). @returns whether that was news. */
  hintLeader(hint) {
    const before = this.#metadata;
    this.#metadata = before.withLeader(hint);
    if (this.#metadata.brokers !== before.brokers) this.#links.update(this.#metadata.brokers);
    return this.#metadata !== before;
  }
  /**
   * Asks whichever broker answers first. Only Metadata is asked of addresses that are not known to belong to the cluster.
   *
   * @throws {KafkaError} what each broker that was tried said.
   */
  async ask(api2, body) {
    if (api2.key !== metadata.key && this.#metadata.brokers.size === 0) {
      const failure = await this.refreshNow();
      if (failure !== null) throw failure;
    }
    return this.#asker.ask(api2, body);
  }
  close() {
    this.#isClosed = true;
    this.#asker.close(closedError2());
    this.#rounds.close();
    this.#checkTimer?.cancel();
    this.#links.forget();
    for (const probe of this.#probes) probe.close();
  }
  /** What every further try would hear, for a while; null: one may try. */
  get #standingRefusal() {
    const failure = this.#hasBegun || this.#options.brokers.isFixed !== true ? null : this.#lastFailure;
    return failure !== null && this.#asker.isHopeless(failure) && this.#links.isEverySeedRefused ? failure : null;
  }
  async #runRound() {
    const isFull = this.#takeFullWanted();
    if (isFull) this.#dropIdleTopics();
    const topics2 = isFull ? this.#topics.names : this.#topics.newNames;
    this.#topics.asked(topics2);
    this.#inVainSinceMs ??= this.#options.clock.now();
    const outcome = await this.#asker.askMetadata(
      {
        topics: topics2.map((name2) => ({ name: name2, topicId: NO_TOPIC_ID })),
        allowAutoTopicCreation: this.#options.allowAutoTopicCreation
      },
      !this.#hasBegun
    );
    const failure = "error" in outcome ? outcome.error : null;
    if ("answer" in outcome) this.#apply(outcome.answer);
    else this.#isFullWanted ||= isFull;
    if (isFull && this.#hasBegun) this.#rounds.restartAge(() => this.refreshSoon());
    this.#rounds.ended(failure);
    this.#lastFailure = failure;
    if (this.#isClosed) return closedError2();
    if (failure !== null) this.#onRoundFailed(failure);
    else this.#listener.onChange(null);
    this.#rounds.goOn();
    return failure;
  }
  /** New topics are asked about alone (KIP-526): ten thousand of them, one after the other, must not ask 50 million times. */
  #takeFullWanted() {
    const isFull = this.#isFullWanted || !this.#topics.hasNew;
    this.#isFullWanted = false;
    return isFull;
  }
  #dropIdleTopics() {
    const idle = this.#topics.dropIdle((topic) => this.#listener.isInUse?.(topic) === true);
    if (idle.length > 0) this.#metadata = this.#metadata.without(idle);
  }
  #apply(answer) {
    const isFirst = !this.#hasBegun;
    this.#hasBegun = true;
    this.#inVainSinceMs = null;
    this.#metadata = this.#metadata.merge(
      answer,
      (topic) => this.#topics.has(topic),
      (recreated) => recreatedChannel.hasSubscribers && recreatedChannel.publish(recreated),
      (nodeId) => (this.#links.peek(nodeId)?.lastError ?? null) !== null
    );
    if (this.#isClosed) return;
    this.#links.update(this.#metadata.brokers);
    if (isFirst) this.#checkBootstrapLater();
    if (refreshedChannel.hasSubscribers) {
      const { brokers, topicCount, clusterId } = this.#metadata;
      refreshedChannel.publish({ brokers: brokers.size, topics: topicCount, clusterId });
    }
  }
  #checkBootstrapLater() {
    if (this.#asker.unknownAddresses.length === 0) return;
    const check2 = () => void this.#asker.checkBootstrap();
    this.#checkTimer = this.#options.clock.after(CHECK_BOOTSTRAP_AFTER_MS, check2, false);
  }
  #onRoundFailed(failure) {
    if (failedChannel.hasSubscribers) failedChannel.publish({ error: failure });
    const { clock } = this.#options;
    if (clock.now() - (this.#inVainSinceMs ?? Infinity) >= REBOOTSTRAP_TRIGGER_MS) {
      this.#inVainSinceMs = null;
      this.#rebootstrap(`no metadata for ${REBOOTSTRAP_TRIGGER_MS / 1e3} s`);
    }
    this.#listener.onRefreshFailed(failure, !this.#hasBegun && this.#asker.isHopeless(failure));
  }
  /** Nothing that is known of the brokers counts any more (KIP-1102); the next question goes to where we began. */
  #rebootstrap(reason) {
    if (rebootstrapChannel.hasSubscribers) rebootstrapChannel.publish({ reason });
    this.#listener.onNotice?.({ reason }, `beginning again at the bootstrap addresses: ${reason}`);
    const what = `cluster: CONNECTION_CLOSED: began again at the bootstrap addresses: ${reason}`;
    this.#metadata = this.#metadata.withoutBrokers();
    this.#links.forget(new ConnectionError("CONNECTION_CLOSED", what, { retriable: true }));
  }
  #newLink(nodeId, target, backoff) {
    return new Link({
      ...this.#options,
      ...{ nodeId, target, backoff },
      open: (attempt) => this.#open(attempt),
      onChange: (_link, error) => this.#onLinkChange(error)
    });
  }
  #open({ nodeId, target, connectTimeoutMs, hangUps, opened }) {
    const options = this.#connectionOptions(nodeId, target, connectTimeoutMs);
    return openConnection(options, { name: "headrace", version: VERSION }, opened, hangUps);
  }
  async #wantsSasl({ nodeId, target }) {
    if (this.#options.mechanism || this.#isClosed) return false;
    const options = this.#connectionOptions(nodeId, target, this.#options.connectTimeoutMs);
    const begun = [];
    const opened = (probe) => {
      begun.push(probe);
      this.#probes.add(probe);
    };
    return await wantsSasl(options, opened).finally(() => begun.forEach((probe) => this.#probes.delete(probe)));
  }
  #connectionOptions(nodeId, target, connectTimeoutMs) {
    const { connectionsMaxIdleMs: maxIdleMs, ...others } = this.#options;
    const onExcessiveThrottle = (address, askedMs, grantedMs) => {
      const what = `${address} throttles us for ${askedMs} ms; it is granted ${grantedMs} ms`;
      this.#listener.onNotice?.({ address, askedMs, grantedMs }, what);
    };
    return { ...others, ...target, nodeId, connectTimeoutMs, maxIdleMs, onExcessiveThrottle };
  }
  #onLinkChange(error) {
    if (!this.#isClosed) this.#listener.onChange(error);
  }
};
function isAboutCredentials(error) {
  return error instanceof AuthenticationError && !error.retriable && !error.code.includes("CERTIFICATE");
}
function closedError2() {
  return new ConnectionError("CLOSED_BY_CLIENT", "connect: CLOSED_BY_CLIENT: the producer was closed");
}

// src/compression/codec-sources.ts
import { createRequire } from "node:module";
import * as zlib from "node:zlib";
var { zstdCompressSync, zstdCompress } = zlib;
var codecSources = {
  requirePackage: createRequire(import.meta.url),
  zstd: zstdCompressSync === void 0 || zstdCompress === void 0 ? null : { compressSync: zstdCompressSync, compress: zstdCompress }
};
function loadPackage(sources, packageName, install, functionNames) {
  let loaded;
  try {
    loaded = sources.requirePackage(packageName);
  } catch (cause) {
    if (isNotFound(cause, packageName)) {
      throw new Error(`needs the package ${packageName}, which is not installed: npm install ${install}`, { cause });
    }
    const why = cause instanceof Error ? cause.message.split("\n")[0] ?? "" : String(cause);
    const advice = `install it on the machine where it runs: npm install ${install}`;
    throw new Error(`needs the package ${packageName}, which cannot be loaded (${why}); ${advice}`, { cause });
  }
  const functions = loaded;
  const missing4 = functionNames.filter((name2) => typeof functions[name2] !== "function");
  if (missing4.length === 0) return functions;
  throw new Error(`needs ${install}; the ${packageName} that is installed has no ${missing4.join(", ")}`);
}
function isNotFound(error, packageName) {
  const { code, message } = error;
  return code === "MODULE_NOT_FOUND" && message.includes(`'${packageName}'`);
}

// src/compression/gzip.ts
import * as zlib2 from "node:zlib";
import { promisify } from "node:util";

// src/compression/gzip-format.ts
import { constants } from "node:buffer";
import { gunzipSync } from "node:zlib";

// src/compression/bounded-output.ts
var BoundedOutput = class {
  bytes;
  length = 0;
  #where;
  #maxBytes;
  /** @param expectedBytes a first guess; the decoder has checked that the input can hold as much. */
  constructor(where, maxBytes, expectedBytes) {
    this.#where = where;
    this.#maxBytes = maxBytes;
    if (expectedBytes > maxBytes) throw this.tooLong();
    this.bytes = Buffer.allocUnsafe(expectedBytes);
  }
  /** Makes room for up to `count` more bytes, less where the limit is nearer. @returns where that room ends. */
  reserve(count3) {
    const end = Math.min(this.length + count3, this.#maxBytes);
    if (end > this.bytes.length) {
      const larger = Buffer.allocUnsafe(Math.min(Math.max(end, this.bytes.length * 2), this.#maxBytes));
      larger.set(this.bytes.subarray(0, this.length));
      this.bytes = larger;
    }
    return end;
  }
  /** Appends bytes as they are. */
  append(bytes2) {
    if (this.reserve(bytes2.length) < this.length + bytes2.length) throw this.tooLong();
    this.bytes.set(bytes2, this.length);
    this.length += bytes2.length;
  }
  /** Appends one byte `count` times. */
  fill(byte3, count3) {
    if (this.reserve(count3) < this.length + count3) throw this.tooLong();
    this.bytes.fill(byte3, this.length, this.length + count3);
    this.length += count3;
  }
  /** What was decoded, exactly. */
  finish() {
    return this.bytes.subarray(0, this.length);
  }
  tooLong() {
    return refusal(this.#where, "INVALID_VALUE", `more than ${this.#maxBytes} bytes when decompressed`);
  }
};
function refusal(where, code, what, cause) {
  return new ProtocolError(code, `${where}: ${code}: ${what}`, { cause });
}
var LOOP_BYTES = 32;
function copyMatch(bytes2, at, distance, length) {
  if (distance >= length && length > LOOP_BYTES) {
    bytes2.copyWithin(at, at - distance, at - distance + length);
  } else if (distance === 1 && length > LOOP_BYTES) {
    bytes2.fill(bytes2[at - 1], at, at + length);
  } else {
    for (let i = at; i < at + length; i++) bytes2[i] = bytes2[i - distance];
  }
}
function copyLiterals(output2, at, input, from, to) {
  if (to - from > LOOP_BYTES) output2.set(input.subarray(from, to), at);
  else for (let i = 0; i < to - from; i++) output2[at + i] = input[from + i];
}

// src/compression/gzip-format.ts
var WHERE = "gzip";
function decompressGzip(bytes2, maxOutputBytes) {
  const { buffer, engine } = gunzip(bytes2, maxOutputBytes);
  const restBytes = bytes2.length - engine.bytesWritten;
  if (restBytes > 0) throw refusal(WHERE, "TRAILING_BYTES", `${restBytes} bytes after the last member`);
  return buffer;
}
function gunzip(bytes2, maxOutputBytes) {
  try {
    const options = { maxOutputLength: Math.min(Math.max(maxOutputBytes, 1), constants.MAX_LENGTH), info: true };
    const result = gunzipSync(bytes2, options);
    if (result.buffer.length <= maxOutputBytes) return result;
  } catch (cause) {
    if (cause.code !== "ERR_BUFFER_TOO_LARGE") {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw refusal(WHERE, "INVALID_VALUE", why, cause);
    }
  }
  throw new BoundedOutput(WHERE, maxOutputBytes, 0).tooLong();
}

// src/compression/gzip.ts
var gzipAsync = promisify(zlib2.gzip);
var gzip2 = {
  id: 1,
  levels: { min: 1, max: 9 },
  decompress: decompressGzip,
  load(level) {
    const options = level === void 0 ? {} : { level };
    return {
      compressSync: (bytes2) => zlib2.gzipSync(bytes2, options),
      compress: (bytes2) => gzipAsync(bytes2, options),
      asyncFromBytes: 8 * 1024
    };
  }
};

// src/compression/xxhash.ts
var P32 = [2654435761, 2246822519, 3266489917, 668265263, 374761393];
function xxh32(bytes2, start = 0, end = bytes2.length) {
  const [p1, p2, p3, p4, p5] = P32;
  const view = new DataView(bytes2.buffer, bytes2.byteOffset, bytes2.byteLength);
  let at = start;
  let hash = p5;
  if (end - start >= 16) {
    let a = p1 + p2 | 0;
    let b = p2;
    let c2 = 0;
    let d = -p1 | 0;
    for (; end - at >= 16; at += 16) {
      a = round32(a, view.getInt32(at, true));
      b = round32(b, view.getInt32(at + 4, true));
      c2 = round32(c2, view.getInt32(at + 8, true));
      d = round32(d, view.getInt32(at + 12, true));
    }
    hash = rotate32(a, 1) + rotate32(b, 7) + rotate32(c2, 12) + rotate32(d, 18);
  }
  hash = hash + end - start | 0;
  for (; end - at >= 4; at += 4) {
    hash = Math.imul(rotate32(hash + Math.imul(view.getInt32(at, true), p3) | 0, 17), p4);
  }
  for (; at < end; at++) hash = Math.imul(rotate32(hash + Math.imul(view.getUint8(at), p5) | 0, 11), p1);
  hash = Math.imul(hash ^ hash >>> 15, p2);
  hash = Math.imul(hash ^ hash >>> 13, p3);
  return (hash ^ hash >>> 16) >>> 0;
}
function round32(lane, word2) {
  return Math.imul(rotate32(lane + Math.imul(word2, P32[1]) | 0, 13), P32[0]);
}
function rotate32(value, bits) {
  return value << bits | value >>> 32 - bits;
}
var P64 = [
  0x9e3779b185ebca87n,
  0xc2b2ae3d27d4eb4fn,
  0x165667b19e3779f9n,
  0x85ebca77c2b2ae63n,
  0x27d4eb2f165667c5n
];
function xxh64(bytes2) {
  const [p1, p2, p3, p4, p5] = P64;
  const view = new DataView(bytes2.buffer, bytes2.byteOffset, bytes2.byteLength);
  const end = bytes2.length;
  let at = 0;
  let hash = p5;
  if (end >= 32) {
    const lanes = [u64(p1 + p2), p2, 0n, u64(-p1)];
    for (; end - at >= 32; at += 32) {
      for (let i = 0; i < 4; i++) lanes[i] = round64(lanes[i], view.getBigUint64(at + 8 * i, true));
    }
    hash = u64(rotate64(lanes[0], 1n) + rotate64(lanes[1], 7n) + rotate64(lanes[2], 12n) + rotate64(lanes[3], 18n));
    for (const lane of lanes) hash = u64((hash ^ round64(0n, lane)) * p1 + p4);
  }
  hash = u64(hash + BigInt(end));
  for (; end - at >= 8; at += 8) {
    hash = u64(rotate64(hash ^ round64(0n, view.getBigUint64(at, true)), 27n) * p1 + p4);
  }
  if (end - at >= 4) {
    hash = u64(rotate64(hash ^ u64(BigInt(view.getUint32(at, true)) * p1), 23n) * p2 + p3);
    at += 4;
  }
  for (; at < end; at++) hash = u64(rotate64(hash ^ u64(BigInt(view.getUint8(at)) * p5), 11n) * p1);
  hash = u64((hash ^ hash >> 33n) * p2);
  hash = u64((hash ^ hash >> 29n) * p3);
  return hash ^ hash >> 32n;
}
function round64(lane, word2) {
  return u64(rotate64(u64(lane + u64(word2 * P64[1])), 31n) * P64[0]);
}
function rotate64(value, bits) {
  return u64(value << bits | value >> 64n - bits);
}
function u64(value) {
  return BigInt.asUintN(64, value);
}

// src/compression/lz4-format.ts
var WHERE2 = "lz4";
var MAGIC = 407708164;
var MAGIC_BYTES = 4;
var CHECKSUM_BYTES = 4;
var STORED = 2147483648;
var VERSION_MASK = 192;
var VERSION_1 = 64;
var INDEPENDENT_BLOCKS = 32;
var BLOCK_CHECKSUMS = 16;
var CONTENT_SIZE = 8;
var CONTENT_CHECKSUM = 4;
var RESERVED_OR_DICTIONARY = 3;
var MIN_MATCH = 4;
var MAX_RATIO = 255;
function lz4FrameForMagic0(frame) {
  const at = checksumPosition(frame);
  const copy = Buffer.from(frame);
  copy[at] = xxh32(frame, 0, at) >>> 8 & 255;
  return copy;
}
function decompressLz4(frame, maxOutputBytes, options = {}) {
  const bytes2 = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength);
  const header = decodeHeader(bytes2, options);
  const { contentSize, hasBlockChecksums, hasContentChecksum, maxBlockBytes } = header;
  if (contentSize !== null && contentSize > maxOutputBytes) throw new BoundedOutput(WHERE2, maxOutputBytes, 0).tooLong();
  const output2 = new BoundedOutput(WHERE2, maxOutputBytes, 0);
  let at = header.end;
  for (; ; ) {
    const word2 = uint322(bytes2, at);
    at += 4;
    if (word2 === 0) break;
    const size = word2 % STORED;
    if (size > maxBlockBytes) throw refusal(WHERE2, "INVALID_VALUE", `a block of ${size} bytes, over ${maxBlockBytes}`);
    const end = at + size;
    if (end > bytes2.length) throw refusal(WHERE2, "TRUNCATED", `a block of ${size} bytes at byte ${at}`);
    if (hasBlockChecksums) check(bytes2, end, xxh32(bytes2, at, end));
    if (word2 >= STORED) output2.append(bytes2.subarray(at, end));
    else decodeBlock(bytes2, at, end, output2, maxBlockBytes);
    at = end + (hasBlockChecksums ? CHECKSUM_BYTES : 0);
  }
  const content = output2.finish();
  if (contentSize !== null && contentSize !== content.length) {
    throw refusal(WHERE2, "INVALID_VALUE", `${content.length} bytes, the header says ${contentSize}`);
  }
  if (hasContentChecksum) {
    check(bytes2, at, xxh32(content));
    at += CHECKSUM_BYTES;
  }
  if (at < bytes2.length) throw refusal(WHERE2, "TRAILING_BYTES", `${bytes2.length - at} bytes after the frame`);
  return content;
}
function decodeHeader(bytes2, { allowKip57Checksum = false }) {
  const checksumAt = checksumPosition(bytes2);
  const flags = bytes2[MAGIC_BYTES];
  const descriptor = bytes2[MAGIC_BYTES + 1];
  const blockSize = descriptor >>> 4;
  const isIndependent = (flags & INDEPENDENT_BLOCKS) !== 0;
  if ((flags & VERSION_MASK) !== VERSION_1 || (flags & RESERVED_OR_DICTIONARY) !== 0 || !isIndependent) {
    throw refusal(WHERE2, "INVALID_VALUE", `flags 0x${flags.toString(16)}`);
  }
  if ((descriptor & 15) !== 0 || blockSize < 4 || blockSize > 7) {
    throw refusal(WHERE2, "INVALID_VALUE", `block descriptor 0x${descriptor.toString(16)}`);
  }
  const checksum = bytes2[checksumAt];
  const isCorrect = checksum === secondByte(xxh32(bytes2, MAGIC_BYTES, checksumAt));
  if (!isCorrect && !(allowKip57Checksum && checksum === secondByte(xxh32(bytes2, 0, checksumAt)))) {
    throw refusal(WHERE2, "INVALID_VALUE", "the header checksum does not fit the header");
  }
  return {
    end: checksumAt + 1,
    contentSize: flags & CONTENT_SIZE ? Number(bytes2.readBigUInt64LE(MAGIC_BYTES + 2)) : null,
    hasBlockChecksums: (flags & BLOCK_CHECKSUMS) !== 0,
    hasContentChecksum: (flags & CONTENT_CHECKSUM) !== 0,
    maxBlockBytes: 1 << 8 + 2 * blockSize
  };
}
function checksumPosition(bytes2) {
  if (bytes2.length < 7) throw refusal(WHERE2, "TRUNCATED", `a frame header in ${bytes2.length} bytes`);
  const magic = uint322(bytes2, 0);
  if (magic !== MAGIC) throw refusal(WHERE2, "INVALID_VALUE", `magic 0x${magic.toString(16)}`);
  const at = bytes2[MAGIC_BYTES] & CONTENT_SIZE ? 14 : 6;
  if (at >= bytes2.length) throw refusal(WHERE2, "TRUNCATED", `a frame header in ${bytes2.length} bytes`);
  return at;
}
function decodeBlock(input, from, to, out, maxBlockBytes) {
  const limit = out.reserve(Math.min(maxBlockBytes, (to - from) * MAX_RATIO));
  const output2 = out.bytes;
  const start = out.length;
  let at = start;
  let next2 = from;
  for (; ; ) {
    if (next2 >= to) throw refusal(WHERE2, "TRUNCATED", "a block ends before its last literals");
    const token = input[next2++];
    let literals = token >>> 4;
    if (literals === 15) {
      let more = 255;
      while (more === 255 && next2 < to) literals += more = input[next2++];
      if (more === 255) throw refusal(WHERE2, "TRUNCATED", "a block ends inside a length");
    }
    if (literals > to - next2) throw refusal(WHERE2, "TRUNCATED", `${literals} literals, ${to - next2} left`);
    if (literals > limit - at) throw tooLong(out, limit - start, maxBlockBytes);
    copyLiterals(output2, at, input, next2, next2 + literals);
    next2 += literals;
    at += literals;
    if (next2 === to) break;
    if (to - next2 < 2) throw refusal(WHERE2, "TRUNCATED", "a block ends inside a distance");
    const distance = input[next2] | input[next2 + 1] << 8;
    next2 += 2;
    let length = token & 15;
    if (length === 15) {
      let more = 255;
      while (more === 255 && next2 < to) length += more = input[next2++];
      if (more === 255) throw refusal(WHERE2, "TRUNCATED", "a block ends inside a length");
    }
    length += MIN_MATCH;
    if (distance === 0 || distance > at - start) {
      throw refusal(WHERE2, "INVALID_VALUE", `a match ${distance} bytes back, ${at - start} are there`);
    }
    if (length > limit - at) throw tooLong(out, limit - start, maxBlockBytes);
    copyMatch(output2, at, distance, length);
    at += length;
  }
  out.length = at;
}
function tooLong(out, room, maxBlockBytes) {
  if (room < maxBlockBytes) return out.tooLong();
  return refusal(WHERE2, "INVALID_VALUE", `a block of more than ${maxBlockBytes} bytes when decompressed`);
}
function check(bytes2, at, actual) {
  if (uint322(bytes2, at) !== actual) throw refusal(WHERE2, "INVALID_VALUE", "a checksum does not fit its bytes");
}
function uint322(bytes2, at) {
  if (at + 4 > bytes2.length)
    throw refusal(WHERE2, "TRUNCATED", `4 bytes wanted at byte ${at}, ${bytes2.length - at} left`);
  return new DataView(bytes2.buffer, bytes2.byteOffset, bytes2.byteLength).getUint32(at, true);
}
function secondByte(hash) {
  return hash >>> 8 & 255;
}

// src/compression/lz4.ts
var lz4 = {
  id: 3,
  // lz4-napi is lz4_flex, which has one level, the fast one.
  levels: null,
  // Knows nothing of magic: what `lz4FrameForMagic0` made for an old broker must be understood when it is split (KIP-57).
  decompress: (bytes2, maxOutputBytes) => decompressLz4(bytes2, maxOutputBytes, { allowKip57Checksum: true }),
  load(_level, sources) {
    const names = ["compressFrameSync", "compressFrame"];
    const { compressFrameSync, compressFrame } = loadPackage(sources, "lz4-napi", "lz4-napi", names);
    return {
      compressSync: (bytes2) => compressFrameSync(asBuffer(bytes2)),
      compress: (bytes2) => compressFrame(asBuffer(bytes2)),
      asyncFromBytes: 64 * 1024
    };
  }
};
function asBuffer(bytes2) {
  return Buffer.from(bytes2.buffer, bytes2.byteOffset, bytes2.byteLength);
}

// src/compression/snappy-format.ts
var WHERE3 = "snappy";
var XERIAL_BLOCK_BYTES = 32 * 1024;
var XERIAL_MAGIC = Buffer.from("82534e4150505900", "hex");
var XERIAL_HEADER = Buffer.from("82534e41505059000000000100000001", "hex");
var MAX_RATIO2 = 22;
function frameXerial(blocks) {
  const size = blocks.reduce((sum2, block) => sum2 + 4 + block.length, XERIAL_HEADER.length);
  const framed = Buffer.allocUnsafe(size);
  framed.set(XERIAL_HEADER);
  let at = XERIAL_HEADER.length;
  for (const block of blocks) {
    framed.writeInt32BE(block.length, at);
    framed.set(block, at + 4);
    at += 4 + block.length;
  }
  return framed;
}
function decompressSnappy(bytes2, maxOutputBytes) {
  const isFramed = XERIAL_MAGIC.equals(bytes2.subarray(0, XERIAL_MAGIC.length));
  const output2 = new BoundedOutput(WHERE3, maxOutputBytes, 0);
  const reader = new Reader(bytes2, WHERE3);
  if (!isFramed) {
    decodeBlock2(reader, output2);
    return output2.finish();
  }
  reader.skip(XERIAL_MAGIC.length);
  const [version3, compatible] = [reader.int32(), reader.int32()];
  if (compatible !== 1) throw refusal(WHERE3, "INVALID_VALUE", `framing of version ${version3}, compatible ${compatible}`);
  while (reader.remaining > 0) decodeBlock2(new Reader(reader.bytes(reader.int32()), WHERE3), output2);
  return output2.finish();
}
function decodeBlock2(reader, output2) {
  const size = reader.uvarint();
  const input = reader.bytes(reader.remaining);
  if (size > input.length * MAX_RATIO2) throw refusal(WHERE3, "INVALID_VALUE", `${size} bytes out of ${input.length}`);
  const start = output2.length;
  const end = start + size;
  if (output2.reserve(size) < end) throw output2.tooLong();
  const made = decodeElements(input, output2.bytes, start, end);
  if (made !== end) throw refusal(WHERE3, "TRUNCATED", `${made - start} of ${size} bytes`);
  output2.length = end;
}
function decodeElements(input, output2, start, end) {
  let at = start;
  let next2 = 0;
  while (next2 < input.length) {
    const tag = input[next2++];
    const kind = tag & 3;
    let length = (tag >>> 2) + 1;
    if (kind === 0) {
      if (length > 60) {
        const lengthBytes = length - 60;
        length = littleEndian(input, next2, lengthBytes) + 1;
        next2 += lengthBytes;
      }
      if (length > input.length - next2 || length > end - at) throw tooFar("a literal", length);
      copyLiterals(output2, at, input, next2, next2 + length);
      next2 += length;
    } else {
      const distanceBytes = kind === 3 ? 4 : kind;
      let distance = littleEndian(input, next2, distanceBytes);
      next2 += distanceBytes;
      if (kind === 1) {
        length = 4 + (tag >>> 2 & 7);
        distance += tag >>> 5 << 8;
      }
      if (distance === 0 || distance > at - start) throw tooFar("a copy from", distance);
      if (length > end - at) throw tooFar("a copy of", length);
      copyMatch(output2, at, distance, length);
    }
    at += length;
  }
  return at;
}
function littleEndian(bytes2, at, count3) {
  if (at + count3 > bytes2.length) throw refusal(WHERE3, "TRUNCATED", `inside an element at byte ${at}`);
  return bytes2.readUIntLE(at, count3);
}
function tooFar(what, count3) {
  return refusal(WHERE3, "INVALID_VALUE", `${what} ${count3} bytes, which are not there`);
}

// src/compression/snappy.ts
var snappy = {
  id: 2,
  levels: null,
  decompress: decompressSnappy,
  load(_level, sources) {
    const { compressSync, compress } = loadPackage(sources, "snappy", "snappy", ["compressSync", "compress"]);
    return {
      compressSync: (bytes2) => frameXerial(blocksOf(bytes2).map((block) => compressSync(block))),
      compress: async (bytes2) => frameXerial(await Promise.all(blocksOf(bytes2).map((block) => compress(block)))),
      asyncFromBytes: 64 * 1024
    };
  }
};
function blocksOf(bytes2) {
  const count3 = Math.ceil(bytes2.length / XERIAL_BLOCK_BYTES);
  return Array.from({ length: count3 }, (_, i) => bytes2.subarray(i * XERIAL_BLOCK_BYTES, (i + 1) * XERIAL_BLOCK_BYTES));
}

// src/compression/zstd.ts
import { promisify as promisify2 } from "node:util";
import { constants as constants2 } from "node:zlib";

// src/compression/zstd-bits.ts
var WHERE4 = "zstd";
var BackwardBits = class {
  #bytes;
  #start;
  /** Bits that are left; negative: so many more were taken, as zeros. */
  #left;
  /** The last byte's highest bit that is set is no data: it says where the data end. */
  constructor(bytes2, start, end) {
    const last = start < end ? bytes2[end - 1] : 0;
    if (last === 0) throw refusal(WHERE4, "INVALID_VALUE", "a bit stream without its end");
    this.#bytes = bytes2;
    this.#start = start;
    this.#left = (end - start) * 8 - 1 - Math.clz32(last << 24);
  }
  get left() {
    return this.#left;
  }
  /** The next `count` bits, at most 25, without taking them. Where none are left there are zeros. */
  peek(count3) {
    const low = this.#left - count3;
    if (low < 0) return this.#left <= 0 ? 0 : this.#window(0) << -low & (1 << count3) - 1;
    return (this.#window(low) & (1 << count3) - 1) >>> 0;
  }
  skip(count3) {
    this.#left -= count3;
  }
  /** Takes `count` bits, at most 25. */
  read(count3) {
    if (count3 === 0) return 0;
    const value = this.peek(count3);
    this.#left -= count3;
    return value;
  }
  /** Bits from `position` on, at least 25 of them, or all that there are in the bytes of this stream. */
  #window(position) {
    const at = this.#start + (position >>> 3);
    const bytes2 = this.#bytes;
    const word2 = at + 4 <= bytes2.length ? bytes2[at] | bytes2[at + 1] << 8 | bytes2[at + 2] << 16 | bytes2[at + 3] << 24 : bytes2.readUIntLE(at, bytes2.length - at);
    return word2 >>> (position & 7);
  }
};

// src/compression/zstd-fse.ts
function fseOfOne(symbol) {
  return { accuracyLog: 0, symbols: Uint8Array.of(symbol), bits: Uint8Array.of(0), bases: Uint16Array.of(0) };
}
function buildFse(counts, accuracyLog) {
  const size = 1 << accuracyLog;
  const symbols = new Uint8Array(size);
  const next2 = new Uint16Array(counts.length);
  let high = size;
  counts.forEach((count3, symbol) => {
    if (count3 === -1) symbols[--high] = symbol;
    next2[symbol] = Math.abs(count3);
  });
  const step = (size >> 1) + (size >> 3) + 3;
  let at = 0;
  counts.forEach((count3, symbol) => {
    for (let i = 0; i < count3; i++) {
      symbols[at] = symbol;
      do
        at = at + step & size - 1;
      while (at >= high);
    }
  });
  const bits = new Uint8Array(size);
  const bases = new Uint16Array(size);
  for (let state = 0; state < size; state++) {
    const symbol = symbols[state];
    const rank = next2[symbol];
    next2[symbol] = rank + 1;
    const width = accuracyLog - (31 - Math.clz32(rank));
    bits[state] = width;
    bases[state] = (rank << width) - size;
  }
  return { accuracyLog, symbols, bits, bases };
}
function readFse(bytes2, start, end, maxLog, maxSymbol) {
  const bits = new ForwardBits(bytes2, start, end);
  const accuracyLog = bits.read(4) + 5;
  if (accuracyLog > maxLog) throw refusal(WHERE4, "INVALID_VALUE", `table of accuracy ${accuracyLog}, over ${maxLog}`);
  const counts = [];
  let left = 1 << accuracyLog;
  while (left > 0 && counts.length <= maxSymbol) {
    const count3 = readCount2(bits, left);
    counts.push(count3);
    left -= Math.abs(count3);
    if (count3 !== 0) continue;
    for (let more = 3; more === 3; ) {
      more = bits.read(2);
      for (let i = 0; i < more; i++) counts.push(0);
    }
  }
  if (left !== 0 || counts.length > maxSymbol + 1) throw refusal(WHERE4, "INVALID_VALUE", "a table that is not full");
  return [buildFse(counts, accuracyLog), bits.endByte()];
}
function readCount2(bits, left) {
  const width = 32 - Math.clz32(left + 1);
  const value = bits.peek(width);
  const lower = value & (1 << width - 1) - 1;
  const threshold = (1 << width) - 2 - left;
  if (lower < threshold) {
    bits.skip(width - 1);
    return lower - 1;
  }
  bits.skip(width);
  return (value === lower ? value : value - threshold) - 1;
}
function firstState({ accuracyLog }, stream) {
  return stream.read(accuracyLog);
}
function nextState({ bases, bits }, state, stream) {
  return bases[state] + stream.read(bits[state]);
}
var ForwardBits = class {
  #bytes;
  #start;
  #end;
  #at = 0;
  constructor(bytes2, start, end) {
    this.#bytes = bytes2;
    this.#start = start;
    this.#end = end;
  }
  /** Zeros behind the end; `skip` refuses to go there. */
  peek(count3) {
    let value = 0;
    for (let i = 0; i < count3; i++) {
      const at = this.#start + (this.#at + i >>> 3);
      const byte3 = at < this.#end ? this.#bytes[at] : 0;
      value |= (byte3 >>> (this.#at + i & 7) & 1) << i;
    }
    return value;
  }
  skip(count3) {
    this.#at += count3;
    if (this.endByte() > this.#end) throw refusal(WHERE4, "TRUNCATED", "inside the description of a table");
  }
  read(count3) {
    const value = this.peek(count3);
    this.skip(count3);
    return value;
  }
  endByte() {
    return this.#start + Math.ceil(this.#at / 8);
  }
};

// src/compression/zstd-literals.ts
var MAX_CODE_BITS = 11;
var MAX_WEIGHT_ACCURACY = 6;
function readLiterals(block, maxBytes, known) {
  const first = byteAt(block, 0, block.length);
  const kind = first & 3;
  const format = first >>> 2 & 3;
  if (kind < 2) return readPlain(block, format, maxBytes, known);
  const start = format < 2 ? 3 : format + 2;
  if (block.length < start) throw truncated();
  const sizeBits = format < 2 ? 10 : format * 4 + 6;
  const sizes = Math.floor(block.readUIntLE(0, start) / 16);
  const size = sizes % 2 ** sizeBits;
  const end = start + Math.floor(sizes / 2 ** sizeBits);
  checkSize(size, maxBytes);
  if (end > block.length) throw truncated();
  const [table3, treeEnd] = kind === 2 ? readTable(block, start, end) : [known, start];
  if (table3 === null) throw refusal(WHERE4, "INVALID_VALUE", "literals with the code of no block before");
  const bytes2 = Buffer.allocUnsafe(size);
  if (format === 0) decodeStream(table3, new BackwardBits(block, treeEnd, end), bytes2, 0, size);
  else decodeFourStreams(table3, block, treeEnd, end, bytes2);
  return { bytes: bytes2, end, table: table3 };
}
function readPlain(block, format, maxBytes, table3) {
  const start = format === 3 ? 3 : format === 1 ? 2 : 1;
  if (block.length < start) throw truncated();
  const size = block.readUIntLE(0, start) >>> (start === 1 ? 3 : 4);
  checkSize(size, maxBytes);
  const isOneByte = (byteAt(block, 0, block.length) & 3) === 1;
  if (isOneByte) return { bytes: Buffer.alloc(size, byteAt(block, start, block.length)), end: start + 1, table: table3 };
  const end = start + size;
  if (end > block.length) throw truncated();
  return { bytes: block.subarray(start, end), end, table: table3 };
}
function decodeFourStreams(table3, block, at, end, out) {
  if (end - at < 6) throw truncated();
  const quarter = out.length + 3 >>> 2;
  let start = at + 6;
  for (let i = 0; i < 4; i++) {
    const stop = i === 3 ? end : start + block.readUInt16LE(at + 2 * i);
    const made = Math.min(i * quarter, out.length);
    if (stop > end) throw truncated();
    decodeStream(table3, new BackwardBits(block, start, stop), out, made, i === 3 ? out.length : made + quarter);
    start = stop;
  }
}
function decodeStream(table3, stream, out, from, to) {
  const { maxBits, symbols, bits } = table3;
  if (to > out.length) throw refusal(WHERE4, "INVALID_VALUE", `four streams of ${out.length} literals`);
  for (let at = from; at < to; at++) {
    const code = stream.peek(maxBits);
    out[at] = symbols[code];
    stream.skip(bits[code]);
  }
  if (stream.left !== 0) throw refusal(WHERE4, "INVALID_VALUE", `${stream.left} bits after the last literal`);
}
function readTable(block, at, end) {
  const header = byteAt(block, at, end);
  const start = at + 1;
  const isDirect = header >= 128;
  const stop = start + (isDirect ? header - 126 >>> 1 : header);
  if (stop > end) throw truncated();
  const weights = isDirect ? Array.from({ length: header - 127 }, (_, i) => block[start + (i >> 1)] >>> (i & 1 ? 0 : 4) & 15) : readWeights(block, start, stop);
  return [buildTable(weights), stop];
}
function readWeights(block, start, end) {
  const [table3, at] = readFse(block, start, end, MAX_WEIGHT_ACCURACY, MAX_CODE_BITS);
  const stream = new BackwardBits(block, at, end);
  const weights = [];
  let state = firstState(table3, stream);
  let other = firstState(table3, stream);
  if (stream.left < 0) throw truncated();
  while (weights.length < 254) {
    weights.push(table3.symbols[state]);
    const next2 = nextState(table3, state, stream);
    if (stream.left < 0) {
      weights.push(table3.symbols[other]);
      return weights;
    }
    state = other;
    other = next2;
  }
  throw refusal(WHERE4, "INVALID_VALUE", "a code of more than 256 symbols");
}
function buildTable(weights) {
  let parts = 0;
  for (const weight of weights) parts += 1 << weight >> 1;
  const maxBits = 32 - Math.clz32(parts);
  const left = (1 << maxBits) - parts;
  if (parts === 0 || maxBits > MAX_CODE_BITS || (left & left - 1) !== 0) {
    throw refusal(WHERE4, "INVALID_VALUE", `a code whose weights make ${parts}`);
  }
  weights.push(32 - Math.clz32(left));
  const symbols = new Uint8Array(1 << maxBits);
  const bits = new Uint8Array(1 << maxBits);
  let at = 0;
  for (let weight = 1; weight <= maxBits; weight++) {
    const count3 = 1 << weight - 1;
    for (let symbol = 0; symbol < weights.length; symbol++) {
      if (weights[symbol] !== weight) continue;
      symbols.fill(symbol, at, at + count3);
      bits.fill(maxBits + 1 - weight, at, at + count3);
      at += count3;
    }
  }
  return { maxBits, symbols, bits };
}
function checkSize(size, maxBytes) {
  if (size > maxBytes) throw refusal(WHERE4, "INVALID_VALUE", `${size} literals in a block of at most ${maxBytes} bytes`);
}
function byteAt(block, at, end) {
  if (at >= end) throw truncated();
  return block[at];
}
function truncated() {
  return refusal(WHERE4, "TRUNCATED", "a block ends inside its literals");
}

// src/compression/zstd-sequences.ts
var LITERAL_LENGTHS = [4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1];
var MATCH_LENGTHS = [1, 4, 3, 2, 2, 2, 2, 2, 2].concat(new Array(37).fill(1), new Array(7).fill(-1));
var DISTANCES = [1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1];
var literalKind = {
  maxLog: 9,
  maxSymbol: 35,
  predefined: buildFse(LITERAL_LENGTHS.concat([-1, -1, -1, -1]), 6)
};
var distanceKind = { maxLog: 8, maxSymbol: 31, predefined: buildFse(DISTANCES, 5) };
var matchKind = { maxLog: 9, maxSymbol: 52, predefined: buildFse(MATCH_LENGTHS, 6) };
var LITERAL_BITS = new Array(16).fill(0).concat([1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
var MATCH_BITS = new Array(32).fill(0).concat([1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
var LITERAL_BASES = basesOf(LITERAL_BITS, 0);
var MATCH_BASES = basesOf(MATCH_BITS, 3);
var NO_TABLES = { literals: fseOfOne(0), distances: fseOfOne(0), matches: fseOfOne(0) };
function newSequenceState() {
  return { tables: null, recent: [1, 4, 8] };
}
function executeSequences(block, state, frame) {
  const { literals } = block;
  const { output: output2, maxBlockBytes } = frame;
  const limit = output2.reserve(maxBlockBytes);
  const out = output2.bytes;
  let at = output2.length;
  let used = 0;
  const sequences = new SequenceReader(block, state);
  while (sequences.next()) {
    const { literalLength, matchLength, distance } = sequences;
    if (literalLength > literals.length - used) throw refusal(WHERE4, "INVALID_VALUE", "more literals than there are");
    if (literalLength + matchLength > limit - at) throw tooLong2(output2, limit, maxBlockBytes);
    copyLiterals(out, at, literals, used, used + literalLength);
    used += literalLength;
    at += literalLength;
    if (distance > at - frame.start) throw refusal(WHERE4, "INVALID_VALUE", `a match ${distance} bytes back`);
    copyMatch(out, at, distance, matchLength);
    at += matchLength;
  }
  if (literals.length - used > limit - at) throw tooLong2(output2, limit, maxBlockBytes);
  copyLiterals(out, at, literals, used, literals.length);
  output2.length = at + literals.length - used;
}
var SequenceReader = class {
  literalLength = 0;
  matchLength = 0;
  distance = 0;
  #recent;
  #stream;
  #codes;
  #left;
  #literalState = 0;
  #distanceState = 0;
  #matchState = 0;
  constructor({ bytes: bytes2, start, end }, state) {
    const [count3, at] = readCount3(bytes2, start, end);
    this.#left = count3;
    this.#recent = state.recent;
    this.#codes = NO_TABLES;
    this.#stream = null;
    if (count3 === 0) {
      if (at !== end) throw refusal(WHERE4, "INVALID_VALUE", "bytes after the last sequence");
      return;
    }
    const [codes, stream] = readTables(bytes2, at, end, state);
    this.#codes = codes;
    this.#stream = stream;
    this.#literalState = firstState(codes.literals, stream);
    this.#distanceState = firstState(codes.distances, stream);
    this.#matchState = firstState(codes.matches, stream);
  }
  /** Reads the next sequence; false: there is none, and the stream ended where it should. */
  next() {
    const stream = this.#stream;
    if (stream === null) return false;
    if (this.#left === 0) {
      if (stream.left !== 0) throw refusal(WHERE4, "INVALID_VALUE", `${stream.left} bits after the last sequence`);
      return false;
    }
    const { literals, distances, matches } = this.#codes;
    const distanceValue = readDistance(stream, distances.symbols[this.#distanceState]);
    const match = matches.symbols[this.#matchState];
    this.matchLength = MATCH_BASES[match] + stream.read(MATCH_BITS[match]);
    const literal = literals.symbols[this.#literalState];
    this.literalLength = LITERAL_BASES[literal] + stream.read(LITERAL_BITS[literal]);
    if (--this.#left > 0) {
      this.#literalState = nextState(literals, this.#literalState, stream);
      this.#matchState = nextState(matches, this.#matchState, stream);
      this.#distanceState = nextState(distances, this.#distanceState, stream);
    }
    if (stream.left < 0) throw refusal(WHERE4, "TRUNCATED", "the sequences end early");
    this.distance = recall(this.#recent, distanceValue, this.literalLength);
    return true;
  }
};
function readCount3(block, at, end) {
  const first = at < end ? block[at] : 0;
  const size = first < 128 ? 1 : first < 255 ? 2 : 3;
  if (end - at < size) throw refusal(WHERE4, "TRUNCATED", "a block ends before its sequences");
  if (size === 1) return [first, at + 1];
  if (size === 2) return [(first - 128 << 8) + block[at + 1], at + 2];
  return [block.readUInt16LE(at + 1) + 32512, at + 3];
}
function readTables(block, start, end, state) {
  if (start >= end) throw refusal(WHERE4, "TRUNCATED", "a block ends before its tables");
  const modes = block[start];
  if ((modes & 3) !== 0) throw refusal(WHERE4, "INVALID_VALUE", `table modes 0x${modes.toString(16)}`);
  const known = state.tables;
  const reading = { block, end, at: start + 1 };
  const literals = readTable2(reading, modes >>> 6, literalKind, known?.literals);
  const distances = readTable2(reading, modes >>> 4 & 3, distanceKind, known?.distances);
  const matches = readTable2(reading, modes >>> 2 & 3, matchKind, known?.matches);
  state.tables = { literals, distances, matches };
  return [state.tables, new BackwardBits(block, reading.at, end)];
}
function readTable2(reading, mode2, kind, known) {
  const { block, at, end } = reading;
  if (mode2 === 0) return kind.predefined;
  if (mode2 === 1) {
    const symbol = at < end ? block[at] : Infinity;
    if (symbol > kind.maxSymbol) throw refusal(WHERE4, "INVALID_VALUE", `code ${symbol}, over ${kind.maxSymbol}`);
    reading.at = at + 1;
    return fseOfOne(symbol);
  }
  if (mode2 === 2) {
    const [table3, tableEnd] = readFse(block, at, end, kind.maxLog, kind.maxSymbol);
    reading.at = tableEnd;
    return table3;
  }
  if (known === void 0) throw refusal(WHERE4, "INVALID_VALUE", "sequences with the table of no block before");
  return known;
}
function readDistance(stream, code) {
  const high = code > 16 ? stream.read(code - 16) : 0;
  const low = stream.read(Math.min(code, 16));
  return 2 ** code + high * 2 ** 16 + low;
}
function recall(recent, value, literalLength) {
  const [first, second, third] = recent;
  if (value > 3) {
    recent[2] = second;
    recent[1] = first;
    return recent[0] = value - 3;
  }
  const which2 = value + (literalLength === 0 ? 1 : 0);
  if (which2 === 1) return first;
  const distance = which2 === 2 ? second : which2 === 3 ? third : first - 1;
  if (distance === 0) throw refusal(WHERE4, "INVALID_VALUE", "a match 0 bytes back");
  if (which2 !== 2) recent[2] = second;
  recent[1] = first;
  return recent[0] = distance;
}
function tooLong2(output2, limit, maxBytes) {
  if (limit < output2.length + maxBytes) return output2.tooLong();
  return refusal(WHERE4, "INVALID_VALUE", `a block of more than ${maxBytes} bytes when decompressed`);
}
function basesOf(bits, first) {
  let base = first;
  return bits.map((count3) => {
    const start = base;
    base += 2 ** count3;
    return start;
  });
}

// src/compression/zstd-format.ts
var MAGIC2 = 4247762216;
var SKIPPABLE = 25481893;
var MAX_BLOCK_BYTES = 128 * 1024;
var MAX_WINDOW_BYTES = 2 ** 27;
function decompressZstd(bytes2, maxOutputBytes) {
  const reader = new Reader(bytes2, WHERE4);
  const output2 = new BoundedOutput(WHERE4, maxOutputBytes, 0);
  do {
    const magic = littleEndian2(reader, 4);
    if (magic === MAGIC2) decodeFrame(reader, output2, maxOutputBytes);
    else if (magic >>> 4 === SKIPPABLE) reader.skip(littleEndian2(reader, 4));
    else throw refusal(WHERE4, "INVALID_VALUE", `magic 0x${magic.toString(16)}`);
  } while (reader.remaining > 0);
  return output2.finish();
}
function decodeFrame(reader, output2, maxOutputBytes) {
  const start = output2.length;
  const { contentSize, maxBlockBytes, hasChecksum } = decodeHeader2(reader);
  if (contentSize !== null && contentSize > maxOutputBytes - start) throw output2.tooLong();
  const sequences = newSequenceState();
  let table3 = null;
  for (let isLast = false; !isLast; ) {
    const header = littleEndian2(reader, 3);
    isLast = (header & 1) === 1;
    const kind = header >>> 1 & 3;
    const size = header >>> 3;
    if (size > maxBlockBytes) throw refusal(WHERE4, "INVALID_VALUE", `a block of ${size} bytes, over ${maxBlockBytes}`);
    if (kind === 0) output2.append(reader.bytes(size));
    else if (kind === 1) output2.fill(littleEndian2(reader, 1), size);
    else if (kind === 2) {
      const bytes2 = reader.bytes(size);
      const literals = readLiterals(bytes2, maxBlockBytes, table3);
      table3 = literals.table;
      const block = { bytes: bytes2, start: literals.end, end: size, literals: literals.bytes };
      executeSequences(block, sequences, { output: output2, start, maxBlockBytes });
    } else throw refusal(WHERE4, "INVALID_VALUE", "a block of the reserved kind");
  }
  const content = output2.finish().subarray(start);
  if (contentSize !== null && contentSize !== content.length) {
    throw refusal(WHERE4, "INVALID_VALUE", `${content.length} bytes, the header says ${contentSize}`);
  }
  if (hasChecksum && littleEndian2(reader, 4) !== Number(xxh64(content) & 0xffffffffn)) {
    throw refusal(WHERE4, "INVALID_VALUE", "the checksum does not fit the content");
  }
}
function decodeHeader2(reader) {
  const descriptor = littleEndian2(reader, 1);
  const isSingleSegment = (descriptor & 32) !== 0;
  if ((descriptor & 8) !== 0) throw refusal(WHERE4, "INVALID_VALUE", "the reserved bit is set");
  let windowBytes = 0;
  if (!isSingleSegment) {
    const window = littleEndian2(reader, 1);
    const base = 2 ** (10 + (window >>> 3));
    windowBytes = base + base / 8 * (window & 7);
  }
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3];
  const dictionary = littleEndian2(reader, dictionaryBytes);
  if (dictionary !== 0) throw refusal(WHERE4, "INVALID_VALUE", `dictionary ${dictionary}`);
  const contentSize = readContentSize(reader, descriptor >>> 6, isSingleSegment);
  if (isSingleSegment) windowBytes = contentSize ?? 0;
  else if (windowBytes > MAX_WINDOW_BYTES) throw refusal(WHERE4, "INVALID_VALUE", `a window of ${windowBytes} bytes`);
  return {
    contentSize,
    maxBlockBytes: Math.min(windowBytes, MAX_BLOCK_BYTES),
    hasChecksum: (descriptor & 4) !== 0
  };
}
function readContentSize(reader, flag, isSingleSegment) {
  if (flag === 0) return isSingleSegment ? littleEndian2(reader, 1) : null;
  if (flag === 1) return littleEndian2(reader, 2) + 256;
  if (flag === 2) return littleEndian2(reader, 4);
  return littleEndian2(reader, 4) + littleEndian2(reader, 4) * 2 ** 32;
}
function littleEndian2(reader, size) {
  return size === 0 ? 0 : reader.bytes(size).readUIntLE(0, size);
}

// src/compression/zstd.ts
var PACKAGE = "@mongodb-js/zstd";
var INSTALL = `${PACKAGE}@1.2`;
var ASYNC_FROM_BYTES = 32 * 1024;
var MAX_SYNC_LEVEL = 9;
var LEVEL = constants2.ZSTD_c_compressionLevel ?? 100;
var zstd = {
  id: 4,
  levels: { min: 1, max: 22 },
  decompress: decompressZstd,
  load(level, sources) {
    return sources.zstd === null ? ofPackage(level, sources) : ofNode(level, sources.zstd);
  }
};
function ofNode(level, { compressSync, compress }) {
  const options = { params: level === void 0 ? {} : { [LEVEL]: level } };
  const compressAsync = promisify2(compress);
  return {
    compressSync: (bytes2) => compressSync(bytes2, options),
    compress: (bytes2) => compressAsync(bytes2, options),
    asyncFromBytes: level !== void 0 && level > MAX_SYNC_LEVEL ? 0 : ASYNC_FROM_BYTES
  };
}
function ofPackage(level, sources) {
  const { compress } = level === void 0 ? load(sources) : loadWithLevels(sources);
  return {
    compress: (bytes2) => compress(Buffer.from(bytes2.buffer, bytes2.byteOffset, bytes2.byteLength), level),
    asyncFromBytes: 0
  };
}
function load(sources) {
  return loadPackage(sources, PACKAGE, INSTALL, ["compress"]);
}
function loadWithLevels(sources) {
  const door = load(sources);
  try {
    return sources.requirePackage(`${PACKAGE}/bindings.js`);
  } catch {
    return door;
  }
}

// src/compression/load-codec.ts
var kinds = { gzip: gzip2, snappy, lz4, zstd };
var NAMES = Object.keys(kinds);
var EXPECTED = `'none', ${NAMES.map((name2) => `'${name2}'`).join(", ")}, or { codec, level?, compress? }`;
function checkCompression(value) {
  if (value === void 0 || value === "none") return { value: null };
  const settings = typeof value === "string" ? { codec: value } : value;
  if (typeof settings !== "object" || settings === null || Array.isArray(settings)) return { expected: EXPECTED };
  const { codec, level, compress, ...others } = settings;
  const [other] = Object.keys(others);
  if (other !== void 0) return { problem: `unknown key ${show(other)}, expected ${EXPECTED}` };
  if (codec === "none" && level === void 0 && compress === void 0) return { value: null };
  if (!isCodecName(codec)) return { problem: `got codec ${show(codec)}, expected ${EXPECTED}` };
  if (compress !== void 0 && typeof compress !== "function") {
    return { problem: `got compress ${show(compress)}, expected a function` };
  }
  const problem3 = compress === void 0 ? problemOfLevel(codec, level) : null;
  if (problem3 !== null) return { problem: problem3 };
  if (level !== void 0 && !Number.isInteger(level))
    return { problem: `got level ${show(level)}, expected an integer` };
  return { value: { codec, level, compress } };
}
function loadCodec(option, where = "Producer", sources = codecSources) {
  const checked = checkCompression(option);
  if (!("value" in checked)) {
    const what = "expected" in checked ? `got ${show(option)}, expected ${checked.expected}` : checked.problem;
    throw refusal2(where, "INVALID_OPTIONS", `compression: ${what}`);
  }
  if (checked.value === null) throw refusal2(where, "INVALID_OPTIONS", "compression: 'none' is no codec");
  const { codec: name2, level, compress } = checked.value;
  const { id, decompress: decompress3, load: load4 } = kinds[name2];
  if (compress !== void 0) return { name: name2, id, decompress: decompress3, asyncFromBytes: 0, compress: injected(compress, level) };
  try {
    return { name: name2, id, decompress: decompress3, ...load4(level, sources) };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw refusal2(where, "CODEC_UNAVAILABLE", `compression '${name2}' ${why}`, cause);
  }
}
function injected(compress, level) {
  return async (bytes2) => {
    const compressed = await compress(bytes2, level);
    if (compressed instanceof Uint8Array && compressed.length > 0) return compressed;
    const what = `compression.compress gave ${show(compressed)}, expected a Uint8Array that is not empty`;
    throw refusal2("Producer", "INVALID_ARGUMENT", what);
  };
}
function problemOfLevel(name2, level) {
  if (level === void 0) return null;
  const { levels } = kinds[name2];
  if (levels === null)
    return `got level ${show(level)}, ${name2} has no levels here; bring a compress function of your own`;
  const isFine = typeof level === "number" && Number.isInteger(level) && level >= levels.min && level <= levels.max;
  return isFine ? null : `got level ${show(level)}, expected an integer, ${levels.min} to ${levels.max} for ${name2}`;
}
function isCodecName(value) {
  return typeof value === "string" && Object.hasOwn(kinds, value);
}
function refusal2(where, code, what, cause) {
  return new OptionError(code, `${where}: ${code}: ${what}`, { cause });
}

// src/bytes/crc32c-module.ts
var VECTOR_BYTES = 16;
var MEMORY_PAGES = 2;
var I32 = 127;
var localGet = (index) => [32, index];
var localTee = (index) => [34, index];
var constant = (value) => [65, ...signed(value)];
var I32_ADD = 106;
var I32_LESS = 73;
var END = 11;
var load2 = (offset) => [253, 0, 4, ...unsigned(offset)];
var store = (offset) => [253, 11, 4, ...unsigned(offset)];
var XOR = [253, ...unsigned(81)];
function foldModule(base, distances, turn) {
  const [at, end] = [0, 1];
  const foldOne = (offset) => [
    ...[...localGet(at), ...localGet(at), ...load2(base + offset)],
    ...distances.flatMap((distance) => [
      ...[...localGet(at), ...load2(base + offset - distance * VECTOR_BYTES), ...XOR]
    ]),
    ...store(base + offset)
  ];
  const fold = [
    ...Array.from({ length: turn }, (_, i) => foldOne(i * VECTOR_BYTES)).flat(),
    ...[...advanced(at, turn * VECTOR_BYTES), ...localGet(end), I32_LESS]
  ];
  const [to, from, addEnd] = [0, 1, 2];
  const add = [
    ...[...localGet(to), ...localGet(to), ...load2(0), ...localGet(from), ...load2(0), ...XOR, ...store(0)],
    ...[...advanced(from, VECTOR_BYTES), 26],
    // dropped: only the new value counts
    ...[...advanced(to, VECTOR_BYTES), ...localGet(addEnd), I32_LESS]
  ];
  return Uint8Array.from([
    ...[0, 97, 115, 109, 1, 0, 0, 0],
    // "\0asm", version 1
    ...section(1, list([functionType(2), functionType(3)])),
    ...section(3, list([[0], [1]])),
    // the types of the functions
    ...section(5, list([[0, MEMORY_PAGES]])),
    ...section(7, list([exported("memory", 2, 0), exported("fold", 0, 0), exported("add", 0, 1)])),
    ...section(10, list([loop(fold), loop(add)]))
  ]);
}
function loop(code) {
  const body = [0, 3, 64, ...code, 13, 0, END, END];
  return [...unsigned(body.length), ...body];
}
function advanced(local, by) {
  return [...localGet(local), ...constant(by), I32_ADD, ...localTee(local)];
}
function functionType(parameters) {
  return [96, ...list(Array.from({ length: parameters }, () => [I32])), 0];
}
function exported(name2, kind, index) {
  return [...list([...Buffer.from(name2)].map((byte3) => [byte3])), kind, index];
}
function section(id, content) {
  return [id, ...unsigned(content.length), ...content];
}
function list(items) {
  return [...unsigned(items.length), ...items.flat()];
}
function unsigned(value) {
  return value < 128 ? [value] : [value & 127 | 128, ...unsigned(value >>> 7)];
}
function signed(value) {
  return value < 64 ? [value] : [value & 127 | 128, ...signed(value >>> 7)];
}

// src/bytes/crc32c-table.ts
var TABLES = buildTables();
var IS_LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
function crc32cByTable(bytes2, start, end, seed) {
  let crc = ~seed;
  let at = start;
  const aligned = Math.min(end, at + (-(bytes2.byteOffset + at) & 3));
  while (at < aligned) crc = crc >>> 8 ^ table((crc ^ byte(bytes2, at++)) & 255);
  if (IS_LITTLE_ENDIAN && end - at >= 16) {
    const words = new Int32Array(bytes2.buffer, bytes2.byteOffset + at, end - at >>> 2);
    const count3 = words.length & ~3;
    for (let i = 0; i < count3; i += 4) {
      const a = crc ^ word(words, i);
      const b = word(words, i + 1);
      const c2 = word(words, i + 2);
      const d = word(words, i + 3);
      crc = table(3840 + (a & 255)) ^ table(3584 + (a >>> 8 & 255)) ^ table(3328 + (a >>> 16 & 255)) ^ table(3072 + (a >>> 24)) ^ table(2816 + (b & 255)) ^ table(2560 + (b >>> 8 & 255)) ^ table(2304 + (b >>> 16 & 255)) ^ table(2048 + (b >>> 24)) ^ table(1792 + (c2 & 255)) ^ table(1536 + (c2 >>> 8 & 255)) ^ table(1280 + (c2 >>> 16 & 255)) ^ table(1024 + (c2 >>> 24)) ^ table(768 + (d & 255)) ^ table(512 + (d >>> 8 & 255)) ^ table(256 + (d >>> 16 & 255)) ^ table(d >>> 24);
    }
    at += count3 * 4;
  }
  while (at < end) crc = crc >>> 8 ^ table((crc ^ byte(bytes2, at++)) & 255);
  return ~crc >>> 0;
}
function buildTables() {
  const tables2 = new Int32Array(16 * 256);
  for (let value = 0; value < 256; value++) {
    let crc = value;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >>> 1 ^ 2197175160 : crc >>> 1;
    tables2[value] = crc;
  }
  for (let i = 256; i < tables2.length; i++) {
    const shorter2 = word(tables2, i - 256);
    tables2[i] = shorter2 >>> 8 ^ word(tables2, shorter2 & 255);
  }
  return tables2;
}
function table(index) {
  return TABLES[index];
}
function word(words, index) {
  return words[index];
}
function byte(bytes2, index) {
  return bytes2[index];
}

// src/bytes/crc32c-fold.ts
var FOLDED_FROM_BYTES = 8192;
var VECTOR_BYTES2 = 16;
var DISTANCES2 = [65, 155, 170, 195, 209];
var LEFT_BYTES = 209 * VECTOR_BYTES2;
var TURN = 4;
var TURN_BYTES = TURN * VECTOR_BYTES2;
var CHUNK_BYTES = 65536;
function foldingCrc32c(host = hostHere()) {
  const kernel = host === null ? null : loadKernel(host);
  return kernel === null ? null : (bytes2, start, end, seed) => foldAll(kernel, bytes2, start, end, seed);
}
function foldAll({ memory, fold, add }, bytes2, start, end, seed) {
  const foldedEnd = start + Math.floor((end - start - LEFT_BYTES) / TURN_BYTES) * TURN_BYTES;
  memory.fill(0, 0, LEFT_BYTES);
  for (let at = start; at < foldedEnd; at += CHUNK_BYTES) {
    const chunk = Math.min(CHUNK_BYTES, foldedEnd - at);
    memory.set(bytes2.subarray(at, at + chunk), LEFT_BYTES);
    if (at === start) addSeed(memory, seed);
    fold(0, chunk);
    memory.copyWithin(0, chunk, chunk + LEFT_BYTES);
  }
  memory.set(bytes2.subarray(foldedEnd, foldedEnd + LEFT_BYTES), LEFT_BYTES);
  for (const distance of DISTANCES2) {
    const owed = distance * VECTOR_BYTES2;
    add(LEFT_BYTES, LEFT_BYTES - owed, LEFT_BYTES + owed);
  }
  const NONE4 = 4294967295;
  const crc = crc32cByTable(memory, LEFT_BYTES, 2 * LEFT_BYTES, NONE4);
  return crc32cByTable(bytes2, foldedEnd + LEFT_BYTES, end, crc);
}
function addSeed(memory, seed) {
  for (let i = 0; i < 4; i++) memory[LEFT_BYTES + i] = (memory[LEFT_BYTES + i] ?? 0) ^ ~seed >>> 8 * i;
}
function hostHere() {
  return globalThis.WebAssembly ?? null;
}
function loadKernel(host) {
  try {
    const code = foldModule(LEFT_BYTES, DISTANCES2, TURN);
    if (!host.validate(code)) return null;
    const { exports } = new host.Instance(new host.Module(code));
    const { memory, fold, add } = exports;
    return { memory: new Uint8Array(memory.buffer), fold, add };
  } catch {
    return null;
  }
}

// src/bytes/crc32c.ts
var folding;
function crc32c(bytes2, start = 0, end = bytes2.length, seed = 0) {
  if (end - start < FOLDED_FROM_BYTES) return crc32cByTable(bytes2, start, end, seed);
  folding ??= foldingCrc32c();
  return (folding ?? crc32cByTable)(bytes2, start, end, seed);
}

// src/protocol/record-batch-layout.ts
var WHERE5 = "RecordBatch";
var HEADER_BYTES2 = 61;
var LENGTH_END = 12;
var CRC_START = 21;
var MAGIC3 = 2;
var CODEC_MASK = 7;
var LOG_APPEND_TIME = 8;
var TRANSACTIONAL = 16;
var CONTROL = 32;
var COMPRESSIONS = ["none", "gzip", "snappy", "lz4", "zstd"];
function decodeRecordBatchHeader(bytes2) {
  const reader = new Reader(bytes2, WHERE5);
  const baseOffset = reader.int64();
  const batchLength = reader.int32();
  const partitionLeaderEpoch = reader.int32();
  const magic = reader.int8();
  if (magic !== MAGIC3) throw refusal3("INVALID_VALUE", `magic ${magic}, not ${MAGIC3}`);
  if (batchLength < HEADER_BYTES2 - LENGTH_END) throw refusal3("INVALID_VALUE", `batchLength ${batchLength}`);
  const size = LENGTH_END + batchLength;
  if (size > bytes2.length) throw refusal3("TRUNCATED", `a batch of ${size} bytes in ${bytes2.length} bytes`);
  const crc = reader.uint32();
  const attributes = reader.int16();
  const codec = attributes & CODEC_MASK;
  return {
    baseOffset,
    batchLength,
    partitionLeaderEpoch,
    magic,
    crc,
    attributes,
    codec,
    compression: compressionOf(codec),
    timestampType: attributes & LOG_APPEND_TIME ? "LogAppendTime" : "CreateTime",
    isTransactional: (attributes & TRANSACTIONAL) !== 0,
    isControl: (attributes & CONTROL) !== 0,
    lastOffsetDelta: reader.int32(),
    baseTimestamp: reader.int64(),
    maxTimestamp: reader.int64(),
    producerId: reader.int64(),
    producerEpoch: reader.int16(),
    baseSequence: reader.int32(),
    recordCount: reader.int32()
  };
}
function compressionOf(codec) {
  return COMPRESSIONS[codec] ?? "unknown";
}
function isCodecId(codec) {
  return codec < COMPRESSIONS.length;
}
function writeInt64(bytes2, value, at) {
  bytes2.writeInt32BE(Math.floor(value / 2 ** 32), at);
  bytes2.writeInt32BE(value | 0, at + 4);
}
function checkTimestamp(timestamp) {
  if (Number.isSafeInteger(timestamp) && timestamp >= -1) return;
  throw refusal3("NOT_REPRESENTABLE", `timestamp ${timestamp}`);
}
function refusal3(code, what, cause) {
  return new ProtocolError(code, `${WHERE5}: ${code}: ${what}`, { cause });
}

// src/bytes/varint.ts
function sizeOfVarint(value) {
  return (38 - Math.clz32(value << 1 ^ value >> 31 | 1)) / 7 | 0;
}
function writeVarint(bytes2, at, value) {
  let rest = value << 1 ^ value >> 31;
  while ((rest & ~127) !== 0) {
    bytes2[at++] = rest | 128;
    rest >>>= 7;
  }
  bytes2[at] = rest;
  return at + 1;
}
function sizeOfVarlong(value) {
  return value === (value | 0) ? sizeOfVarint(value) : sizeBeyond32Bits(value);
}
function writeVarlong(bytes2, at, value) {
  return value === (value | 0) ? writeVarint(bytes2, at, value) : writeBeyond32Bits(bytes2, at, value);
}
function sizeBeyond32Bits(value) {
  let size = 1;
  for (let rest = Math.floor(withoutSign(value) / 64); rest > 0; rest = Math.floor(rest / 128)) size++;
  return size;
}
function writeBeyond32Bits(bytes2, at, value) {
  const magnitude = withoutSign(value);
  let low = magnitude % 64 * 2 + (value < 0 ? 1 : 0);
  let rest = Math.floor(magnitude / 64);
  while (rest > 0) {
    bytes2[at++] = low | 128;
    low = rest % 128;
    rest = Math.floor(rest / 128);
  }
  bytes2[at] = low;
  return at + 1;
}
function withoutSign(value) {
  return value < 0 ? -value - 1 : value;
}

// src/protocol/record.ts
var MIN_RECORD_BYTES = 7;
var MAX_RECORD_OVERHEAD_BYTES = 21;
var NULL_LENGTH = 1;
var RECORD_BATCH_OVERHEAD_BYTES = 61;
var LOOP_BYTES2 = 8;
var LOOP_CHARS = 16;
var SHORT_CHARS = 64;
var KEY = 0;
var VALUE = 1;
var FIRST_HEADER = 2;
var texts = ["", ""];
var textLengths = [0, 0];
function measureRecord(key, value, headers) {
  const size = sizeOfField(KEY, key) + sizeOfField(VALUE, value);
  return headers.length === 0 ? size + 1 : size + measureHeaders(headers);
}
function sizeOfRecord(timestampDelta, offsetDelta, contentBytes) {
  return sizeWithLength(1 + sizeOfVarlong(timestampDelta) + sizeOfVarint(offsetDelta) + contentBytes);
}
function writeRecord(bytes2, start, timestampDelta, offsetDelta, key, value, headers, contentBytes) {
  const deltaBytes = sizeOfVarlong(timestampDelta) + sizeOfVarint(offsetDelta);
  let at = start;
  let rest = 2 * (1 + deltaBytes + contentBytes);
  while (rest > 127) {
    bytes2[at++] = rest | 128;
    rest >>>= 7;
  }
  bytes2[at++] = rest;
  bytes2[at++] = 0;
  if (timestampDelta === (timestampDelta | 0)) {
    rest = (timestampDelta << 1 ^ timestampDelta >> 31) >>> 0;
    while (rest > 127) {
      bytes2[at++] = rest | 128;
      rest >>>= 7;
    }
    bytes2[at++] = rest;
  } else {
    at = writeVarlong(bytes2, at, timestampDelta);
  }
  rest = 2 * offsetDelta;
  while (rest > 127) {
    bytes2[at++] = rest | 128;
    rest >>>= 7;
  }
  bytes2[at++] = rest;
  if (key === null) bytes2[at++] = NULL_LENGTH;
  else at = writeField(bytes2, at, KEY, key);
  at = writeField(bytes2, at, VALUE, value);
  if (headers.length > 0) return writeHeaders(bytes2, at, headers);
  bytes2[at] = 0;
  return at + 1;
}
function upperBoundOfRecordBatch(key, value, headers) {
  return RECORD_BATCH_OVERHEAD_BYTES + MAX_RECORD_OVERHEAD_BYTES + measureRecord(key, value, headers);
}
function readRecord(reader, offsetDelta, baseOffset, baseTimestamp, logAppendTimeMs) {
  const length = reader.varint();
  if (length < MIN_RECORD_BYTES - 1) throw reader.invalid(`record length ${length}`);
  if (length > reader.remaining) throw reader.invalid(`record length ${length} with ${reader.remaining} bytes left`);
  const end = reader.position + length;
  reader.skip(1);
  const ownTimestamp = Number(baseTimestamp + reader.varlong());
  const timestamp = logAppendTimeMs ?? ownTimestamp;
  if (!Number.isSafeInteger(timestamp)) throw reader.invalid("timestamp beyond 2^53");
  const declaredDelta = reader.varint();
  if (declaredDelta !== offsetDelta) throw reader.invalid(`offset delta ${declaredDelta} of record ${offsetDelta}`);
  const key = readWithLength(reader);
  const value = readWithLength(reader);
  const headers = readHeaders(reader, end);
  if (reader.position !== end) throw reader.invalid(`record that should end at byte ${end} ends`);
  return { key, value, headers, timestamp, offset: baseOffset + BigInt(offsetDelta) };
}
function sizeOfField(slot, field2) {
  return field2 === null ? 1 : sizeWithLength(typeof field2 === "string" ? lengthOfText(slot, field2) : field2.length);
}
function sizeWithLength(length) {
  return sizeOfVarint(length) + length;
}
function lengthOfText(slot, text3) {
  if (text3 === texts[slot]) return textLengths[slot];
  texts[slot] = text3;
  return textLengths[slot] = Buffer.byteLength(text3);
}
function measureHeaders(headers) {
  while (texts.length < FIRST_HEADER + 2 * headers.length) textLengths[texts.push("") - 1] = 0;
  let slot = FIRST_HEADER;
  let size = sizeOfVarint(headers.length);
  for (const [key, value] of headers) {
    size += sizeOfField(slot++, key) + sizeOfField(slot++, value);
  }
  return size;
}
function writeHeaders(bytes2, start, headers) {
  let slot = FIRST_HEADER;
  let at = writeVarint(bytes2, start, headers.length);
  for (const [key, value] of headers) {
    at = writeField(bytes2, at, slot++, key);
    at = writeField(bytes2, at, slot++, value);
  }
  return at;
}
function writeField(bytes2, start, slot, field2) {
  if (field2 === null) {
    bytes2[start] = NULL_LENGTH;
    return start + 1;
  }
  return typeof field2 === "string" ? writeText(bytes2, start, slot, field2) : writeBytes(bytes2, start, field2);
}
function writeBytes(bytes2, start, field2) {
  const length = field2.length;
  const at = writeVarint(bytes2, start, length);
  if (length > LOOP_BYTES2) bytes2.set(field2, at);
  else copyShort(bytes2, at, field2);
  return at + length;
}
function copyShort(bytes2, at, field2) {
  for (let i = 0; i < field2.length; i++) bytes2[at + i] = field2[i];
}
function writeText(bytes2, start, slot, text3) {
  const length = lengthOfText(slot, text3);
  const at = writeVarint(bytes2, start, length);
  if (length !== text3.length) bytes2.write(text3, at, length, "utf8");
  else if (length > LOOP_CHARS) bytes2.write(text3, at, length, "latin1");
  else for (let i = 0; i < length; i++) bytes2[at + i] = text3.charCodeAt(i);
  if (length > SHORT_CHARS) {
    texts[slot] = "";
    textLengths[slot] = 0;
  }
  return at + length;
}
function readWithLength(reader) {
  const length = reader.varint();
  return length === -1 ? null : reader.bytes(length);
}
function readHeaders(reader, end) {
  const count3 = reader.varint();
  if (count3 < 0 || count3 > (end - reader.position) / 2) throw reader.invalid(`header count ${count3}`);
  const headers = [];
  for (let i = 0; i < count3; i++) headers.push([reader.utf8(reader.varint()), readWithLength(reader)]);
  return headers;
}

// src/protocol/record-batch-decode.ts
function decodeRecordBatch(bytes2, options = {}) {
  const header = decodeRecordBatchHeader(bytes2);
  const end = LENGTH_END + header.batchLength;
  if (end < bytes2.length)
    throw refusal3("TRAILING_BYTES", `${bytes2.length - end} bytes follow the batch of ${end} bytes`);
  return decodeWhole(bytes2, header, options);
}
function decodeWhole(bytes2, header, options) {
  const { crc, recordCount, lastOffsetDelta } = header;
  const actualCrc = crc32c(bytes2, CRC_START);
  if (actualCrc !== crc) throw refusal3("INVALID_VALUE", `CRC-32C ${hex(crc)}, the bytes have ${hex(actualCrc)}`);
  if (recordCount < 1) throw refusal3("INVALID_VALUE", `recordCount ${recordCount}`);
  if (lastOffsetDelta !== recordCount - 1) {
    throw refusal3("INVALID_VALUE", `lastOffsetDelta ${lastOffsetDelta} of ${recordCount} records`);
  }
  const isRaw = header.codec === 0;
  const reader = isRaw ? new Reader(bytes2, WHERE5, HEADER_BYTES2) : new Reader(decompressed(bytes2.subarray(HEADER_BYTES2), header, options), `${WHERE5}, decompressed`);
  if (recordCount > reader.remaining / MIN_RECORD_BYTES) {
    throw refusal3("INVALID_VALUE", `recordCount ${recordCount} in ${reader.remaining} bytes`);
  }
  const { baseOffset, baseTimestamp } = header;
  const logAppendTimeMs = header.timestampType === "LogAppendTime" ? safeTimestamp(header.maxTimestamp) : void 0;
  const records2 = [];
  for (let i = 0; i < recordCount; i++) {
    records2.push(readRecord(reader, i, baseOffset, baseTimestamp, logAppendTimeMs));
  }
  reader.end();
  return { ...header, records: records2 };
}
function decompressed(records2, header, { decompress: decompress3 }) {
  const { codec, compression } = header;
  if (!isCodecId(codec)) throw refusal3("INVALID_VALUE", `codec ${codec} of the attributes is unknown`);
  if (decompress3 === void 0) {
    throw refusal3("INVALID_VALUE", `the records are compressed (${compression}) and no decompress function was given`);
  }
  try {
    return decompress3(codec, records2);
  } catch (cause) {
    throw refusal3("INVALID_VALUE", `the records cannot be decompressed (${compression})`, cause);
  }
}
function safeTimestamp(timestamp) {
  const ms = Number(timestamp);
  if (!Number.isSafeInteger(ms)) throw refusal3("INVALID_VALUE", `maxTimestamp ${timestamp}`);
  return ms;
}
function hex(value) {
  return value.toString(16).padStart(8, "0");
}

// src/protocol/record-batch.ts
var NO_BYTES = Buffer.alloc(0);
var RecordBatchBuilder = class {
  #buffer;
  #at = HEADER_BYTES2;
  #recordCount = 0;
  #baseTimestamp = -1;
  #maxTimestamp = -1;
  /** The records, from when there may be no more of them. */
  #sealed = null;
  #isBuilt = false;
  constructor(initialCapacityBytes) {
    this.#buffer = Buffer.allocUnsafe(Math.max(initialCapacityBytes, HEADER_BYTES2));
  }
  get recordCount() {
    return this.#recordCount;
  }
  /** Of the whole batch, before compression. */
  get sizeBytes() {
    return this.#at;
  }
  /** Of the first record, milliseconds since the Unix epoch; -1 while there is none. */
  get baseTimestamp() {
    return this.#baseTimestamp;
  }
  /** The latest of all records, milliseconds since the Unix epoch; -1 while there is none. */
  get maxTimestamp() {
    return this.#maxTimestamp;
  }
  /** What `sizeBytes` would be with this record. An `append` that follows, to this batch or the next, does not measure again. */
  sizeAfter(timestamp, key, value, headers) {
    const timestampDelta = this.#recordCount === 0 ? 0 : timestamp - this.#baseTimestamp;
    return this.#at + sizeOfRecord(timestampDelta, this.#recordCount, measureRecord(key, value, headers));
  }
  /**
   * Adds a record; the caller keeps its bytes. Returns by how many bytes the batch grew.
   *
   * @param timestamp milliseconds since the Unix epoch, an integer; may be older than that of the record before.
   */
  append(timestamp, key, value, headers) {
    const start = this.#at;
    const offsetDelta = this.#recordCount;
    if (offsetDelta === 0) this.#baseTimestamp = this.#maxTimestamp = timestamp;
    else if (timestamp > this.#maxTimestamp) this.#maxTimestamp = timestamp;
    const timestampDelta = timestamp - this.#baseTimestamp;
    const contentBytes = measureRecord(key, value, headers);
    if (start + MAX_RECORD_OVERHEAD_BYTES + contentBytes > this.#buffer.length) {
      this.#reserve(start + sizeOfRecord(timestampDelta, offsetDelta, contentBytes));
    }
    const end = writeRecord(this.#buffer, start, timestampDelta, offsetDelta, key, value, headers, contentBytes);
    this.#recordCount = offsetDelta + 1;
    this.#at = end;
    return end - start;
  }
  /**
   * The encoded records alone, what a codec compresses: a view of the builder's memory, valid until `build`. No record
   * can be appended from now on.
   *
   * @throws {ProtocolError} `NOT_REPRESENTABLE`: there are no records.
   */
  records() {
    return this.#seal().subarray(HEADER_BYTES2);
  }
  /**
   * The finished batch, for nobody's producer id and without a valid CRC until `stampRecordBatch`. Only once: an
   * uncompressed batch is the builder's own memory; compressed records are copied behind a header once.
   *
   * @throws {ProtocolError} `NOT_REPRESENTABLE`: there are no records.
   */
  build(options = {}) {
    if (this.#isBuilt) throw new Error("RecordBatchBuilder: built twice");
    const batch = withCodec(this.#seal(), options);
    batch.fill(0, 0, LENGTH_END);
    batch.writeInt32BE(batch.length - LENGTH_END, 8);
    batch.writeInt32BE(-1, 12);
    batch.writeInt8(MAGIC3, 16);
    batch.writeUInt32BE(0, 17);
    batch.writeInt16BE(attributesOf(options), 21);
    batch.writeInt32BE(this.#recordCount - 1, 23);
    writeInt64(batch, this.#baseTimestamp, 27);
    writeInt64(batch, this.#maxTimestamp, 35);
    batch.fill(255, 43, 57);
    batch.writeInt32BE(this.#recordCount, 57);
    this.#sealed = NO_BYTES;
    this.#isBuilt = true;
    return batch;
  }
  #seal() {
    if (this.#recordCount === 0) throw refusal3("NOT_REPRESENTABLE", "a batch without records");
    this.#sealed ??= this.#buffer.subarray(0, this.#at);
    this.#buffer = NO_BYTES;
    return this.#sealed;
  }
  #reserve(neededBytes) {
    if (this.#sealed !== null) throw new Error("RecordBatchBuilder: append after records() or build()");
    if (neededBytes <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(neededBytes, this.#buffer.length * 2));
    larger.set(this.#buffer.subarray(0, this.#at));
    this.#buffer = larger;
  }
};
function stampRecordBatch(batch, stamp) {
  const bytes2 = asBuffer2(batch);
  if (stamp === null) {
    bytes2.fill(255, 43, 57);
  } else {
    bytes2.writeBigInt64BE(stamp.producerId, 43);
    bytes2.writeInt16BE(stamp.producerEpoch, 51);
    bytes2.writeInt32BE(stamp.baseSequence, 53);
  }
  bytes2.writeUInt32BE(crc32c(bytes2, CRC_START), 17);
}
function withCodec(raw, { codec = 0, compress, compressedRecords }) {
  if (codec === 0) return raw;
  const records2 = compressedRecords ?? compress?.(raw.subarray(HEADER_BYTES2));
  if (records2 === void 0) throw new Error(`RecordBatchBuilder: codec ${codec} without compressed records`);
  const batch = Buffer.allocUnsafe(HEADER_BYTES2 + records2.length);
  batch.set(records2, HEADER_BYTES2);
  return batch;
}
function attributesOf({ codec = 0, isTransactional = false, isControl = false }) {
  return codec | (isTransactional ? TRANSACTIONAL : 0) | (isControl ? CONTROL : 0);
}
function asBuffer2(bytes2) {
  return Buffer.isBuffer(bytes2) ? bytes2 : Buffer.from(bytes2.buffer, bytes2.byteOffset, bytes2.byteLength);
}

// src/producer/arguments.ts
function isAsyncIterable(records2) {
  return Symbol.asyncIterator in records2;
}
function withTopic(record3, topic) {
  const given = record3;
  const isIncomplete = typeof given === "object" && given !== null && record3.topic === void 0 && topic !== void 0;
  if (!isIncomplete) return record3;
  const { value, key, headers, partition, timestamp } = record3;
  return { topic, value, key, headers, partition, timestamp };
}
function checkIterable(records2) {
  const isIterable2 = typeof records2 === "object" && records2 !== null && (Symbol.iterator in records2 || Symbol.asyncIterator in records2);
  if (isIterable2) return;
  const what = `records: got ${show(records2)}, expected an array or another iterable of records`;
  throw new OptionError("INVALID_ARGUMENT", `sendAll: INVALID_ARGUMENT: ${what}`);
}
function checkTimeout(where, timeoutMs) {
  if (timeoutMs === void 0 || typeof timeoutMs === "number" && timeoutMs >= 0) return;
  const what = `timeoutMs: got ${show(timeoutMs)}, expected milliseconds from 0`;
  throw new OptionError("INVALID_ARGUMENT", `${where}: INVALID_ARGUMENT: ${what}`);
}
function misuseOf(check2) {
  try {
    check2();
    return null;
  } catch (error) {
    return asKafkaError2(error);
  }
}
function asKafkaError2(error) {
  if (error instanceof KafkaError) return error;
  const what = error instanceof Error ? error.message : String(error);
  return new OptionError("INVALID_RECORD", `send: INVALID_RECORD: the record could not be read: ${what}`, {
    cause: error
  });
}

// src/compression/codec.ts
function compressWith(codec, bytes2) {
  const { compressSync } = codec;
  return compressSync === void 0 || bytes2.length >= codec.asyncFromBytes ? codec.compress(bytes2) : compressSync(bytes2);
}
function isWorthwhile(rawBytes, compressedBytes) {
  return compressedBytes < rawBytes;
}

// src/bytes/crc32.ts
import { crc32 as crc32OfNode } from "node:zlib";
function crc32(bytes2, start = 0, end = bytes2.length) {
  return crc32OfNode(bytes2.subarray(start, end));
}

// src/protocol/message-set-layout.ts
var WHERE6 = "MessageSet";
var SIZE_END = 12;
var CRC_START2 = 16;
var ATTRIBUTES_AT = 17;
var TIMESTAMP_AT = 18;
var CODEC_MASK2 = 7;
var LOG_APPEND_TIME2 = 8;
var ZSTD = 4;
var NO_TIMESTAMP = -1;
function messageOverheadBytes(magic) {
  return magic === 0 ? 26 : 34;
}
function refusal4(code, what, cause) {
  return new ProtocolError(code, `${WHERE6}: ${code}: ${what}`, { cause });
}

// src/protocol/message-set.ts
var NO_HEADERS = [];
var NO_BYTES2 = Buffer.alloc(0);
var NULL_LENGTH2 = -1;
var MessageSetBuilder = class {
  #magic;
  #buffer;
  #at = 0;
  #recordCount = 0;
  #baseTimestamp = NO_TIMESTAMP;
  #maxTimestamp = NO_TIMESTAMP;
  /** The messages, from when there may be no more of them. */
  #sealed = null;
  #isBuilt = false;
  constructor(initialCapacityBytes, magic) {
    this.#magic = magic;
    this.#buffer = Buffer.allocUnsafe(initialCapacityBytes);
  }
  get recordCount() {
    return this.#recordCount;
  }
  /** Of the whole set, before compression. */
  get sizeBytes() {
    return this.#at;
  }
  /** Of the first record, milliseconds since the Unix epoch; -1 while there is none. */
  get baseTimestamp() {
    return this.#baseTimestamp;
  }
  /** The latest of all records, milliseconds since the Unix epoch; -1 while there is none. */
  get maxTimestamp() {
    return this.#maxTimestamp;
  }
  /** What `sizeBytes` would be with this record. */
  sizeAfter(_timestamp, key, value, _headers) {
    return this.#at + messageOverheadBytes(this.#magic) + byteLength(key) + byteLength(value);
  }
  /**
   * Adds a record; the caller keeps its bytes. Returns by how many bytes the set grew.
   *
   * @param timestamp milliseconds since the Unix epoch, an integer; magic 0 drops it.
   * @throws {ProtocolError} `NOT_REPRESENTABLE`: the record has headers. The set is as it was.
   */
  append(timestamp, key, value, headers) {
    const [first] = headers;
    if (first !== void 0) {
      throw refusal4(
        "NOT_REPRESENTABLE",
        `header ${JSON.stringify(first[0])}: messages of magic ${this.#magic} have none`
      );
    }
    const start = this.#at;
    const end = this.sizeAfter(timestamp, key, value, headers);
    this.#reserve(end);
    const bytes2 = this.#buffer;
    const head = { offset: this.#recordCount, magic: this.#magic, attributes: 0, timestamp };
    let at = writeMessageHead(bytes2, start, end, head);
    at = writeField2(bytes2, at, key);
    writeField2(bytes2, at, value);
    bytes2.writeUInt32BE(crc32(bytes2, start + CRC_START2, end), start + SIZE_END);
    if (this.#recordCount === 0) this.#baseTimestamp = this.#maxTimestamp = timestamp;
    else if (timestamp > this.#maxTimestamp) this.#maxTimestamp = timestamp;
    this.#recordCount++;
    this.#at = end;
    return end - start;
  }
  /**
   * The messages, what a codec compresses: a view of the builder's memory, valid until `build`. No record can be
   * appended from now on.
   *
   * @throws {ProtocolError} `NOT_REPRESENTABLE`: there are no records.
   */
  records() {
    if (this.#recordCount === 0) throw refusal4("NOT_REPRESENTABLE", "a message set without records");
    this.#sealed ??= this.#buffer.subarray(0, this.#at);
    this.#buffer = NO_BYTES2;
    return this.#sealed;
  }
  /**
   * The finished message set. Only once: an uncompressed one is the builder's own memory; compressed messages are copied
   * into their wrapper once.
   *
   * @throws {ProtocolError} `NOT_REPRESENTABLE`: no records, zstd, or something transactional.
   */
  build({ codec = 0, compress, compressedRecords, isTransactional, isControl } = {}) {
    if (this.#isBuilt) throw new Error("MessageSetBuilder: built twice");
    if (codec === ZSTD) throw refusal4("NOT_REPRESENTABLE", "zstd: it needs record batches, Produce v7 and Kafka 2.1");
    if (isTransactional === true || isControl === true) {
      throw refusal4("NOT_REPRESENTABLE", "a transaction: it needs record batches and Kafka 0.11");
    }
    const messages = this.records();
    const value = codec === 0 ? null : compressedRecords ?? compress?.(messages);
    if (value === void 0) throw new Error(`MessageSetBuilder: codec ${codec} without compressed records`);
    this.#isBuilt = true;
    this.#sealed = NO_BYTES2;
    return value === null ? messages : this.#wrap(value, codec);
  }
  #wrap(value, codec) {
    const size = messageOverheadBytes(this.#magic) + value.length;
    const wrapper = Buffer.allocUnsafe(size);
    const [offset, timestamp] = [this.#recordCount - 1, this.#maxTimestamp];
    const head = { offset, magic: this.#magic, attributes: codec, timestamp };
    const at = writeMessageHead(wrapper, 0, size, head);
    writeField2(wrapper, writeField2(wrapper, at, null), value);
    wrapper.writeUInt32BE(crc32(wrapper, CRC_START2), SIZE_END);
    return wrapper;
  }
  #reserve(neededBytes) {
    if (this.#sealed !== null) throw new Error("MessageSetBuilder: append after it was sealed");
    if (neededBytes <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(neededBytes, this.#buffer.length * 2));
    larger.set(this.#buffer.subarray(0, this.#at));
    this.#buffer = larger;
  }
};
function encodeMessageSet(records2, options) {
  const builder = new MessageSetBuilder(1024, options.magic);
  for (const { timestamp, key, value, headers } of records2) {
    checkTimestamp(timestamp);
    builder.append(timestamp, key, value, headers ?? NO_HEADERS);
  }
  return builder.build(options);
}
function writeMessageHead(bytes2, start, end, head) {
  bytes2.writeInt32BE(0, start);
  bytes2.writeInt32BE(head.offset, start + 4);
  bytes2.writeInt32BE(end - start - SIZE_END, start + 8);
  bytes2.writeInt8(head.magic, start + CRC_START2);
  bytes2.writeInt8(head.attributes, start + ATTRIBUTES_AT);
  if (head.magic === 0) return start + TIMESTAMP_AT;
  writeInt64(bytes2, head.timestamp, start + TIMESTAMP_AT);
  return start + TIMESTAMP_AT + 8;
}
function writeField2(bytes2, at, field2) {
  if (field2 === null) return bytes2.writeInt32BE(NULL_LENGTH2, at);
  const length = byteLength(field2);
  bytes2.writeInt32BE(length, at);
  if (typeof field2 === "string") bytes2.write(field2, at + 4, length, "utf8");
  else bytes2.set(field2, at + 4);
  return at + 4 + length;
}
function byteLength(field2) {
  return field2 === null ? 0 : typeof field2 === "string" ? Buffer.byteLength(field2) : field2.length;
}

// src/producer/payload.ts
var FIRST_PRODUCE_WITH_BATCHES = 3;
var FIRST_PRODUCE_WITH_TIMESTAMPS = 2;
var FIRST_PRODUCE_WITH_ZSTD = 7;
function formatFor(produceVersion, codec, broker) {
  if (codec?.name === "zstd" && produceVersion < FIRST_PRODUCE_WITH_ZSTD) {
    const needs = `compression 'zstd' needs Produce v${FIRST_PRODUCE_WITH_ZSTD} (Kafka 2.1)`;
    const what = `${needs}, and the broker has none newer than v${produceVersion}; use another codec`;
    throw new ProtocolError("UNSUPPORTED_VERSION", `${broker}: UNSUPPORTED_VERSION: ${what}`);
  }
  if (produceVersion >= FIRST_PRODUCE_WITH_BATCHES) return { magic: 2, codec };
  return { magic: produceVersion >= FIRST_PRODUCE_WITH_TIMESTAMPS ? 1 : 0, codec };
}
function versionsFor({
  magic,
  codec
}) {
  if (magic === 2) return { minVersion: codec?.name === "zstd" ? FIRST_PRODUCE_WITH_ZSTD : FIRST_PRODUCE_WITH_BATCHES };
  return magic === 1 ? { minVersion: 2, maxVersion: 2 } : { minVersion: 0, maxVersion: 1 };
}
function encodePayload(builder, format) {
  const { codec, magic } = format;
  if (magic !== 2) return encodeOld(builder, magic, codec);
  if (codec === null) return builder.build();
  const raw = builder.records();
  const finish2 = (compressed) => isWorthwhile(raw.byteLength, compressed.byteLength) ? builder.build({ codec: codec.id, compressedRecords: compressed }) : builder.build();
  try {
    const compressed = compressWith(codec, raw);
    if (!(compressed instanceof Promise)) return finish2(compressed);
    return compressed.then(finish2, (error) => Promise.reject(compressionFailed(codec, error)));
  } catch (error) {
    throw compressionFailed(codec, error);
  }
}
function encodeOld(builder, magic, codec) {
  const { records: records2 } = decodeRecordBatch(stamped(builder.build()));
  if (codec === null) return encodeMessageSet(records2, { magic });
  const { compressSync } = codec;
  if (compressSync === void 0) {
    const what = "a codec of your own cannot be used with brokers before Kafka 0.11";
    throw new DeliveryError("COMPRESSION_FAILED", `send: COMPRESSION_FAILED: compression '${codec.name}': ${what}`);
  }
  const compress = (bytes2) => codec.name === "lz4" && magic === 0 ? lz4FrameForMagic0(compressSync(bytes2)) : compressSync(bytes2);
  return encodeMessageSet(records2, { magic, codec: codec.id, compress });
}
function stamped(batch) {
  stampRecordBatch(batch, null);
  return batch;
}
function compressionFailed(codec, cause) {
  if (cause instanceof KafkaError) return cause;
  const what = `compression '${codec.name}': ${cause instanceof Error ? cause.message : String(cause)}`;
  return new DeliveryError("COMPRESSION_FAILED", `send: COMPRESSION_FAILED: ${what}`, { cause });
}

// src/producer/sequences.ts
function wireSequence(sequence) {
  return sequence & 2147483647;
}
function producerStamp({ producerId, producerEpoch, firstSequence }) {
  return { producerId, producerEpoch, baseSequence: wireSequence(firstSequence) };
}
var REMEMBERED = 8;
var Sequences = class {
  #identity = null;
  #next;
  #first;
  #isBroken = false;
  #isIdSpent = false;
  /** The latest acknowledgements, by sequence: what comes must fit in between. */
  #acknowledged = [];
  /** @param first where the first epoch begins: 0, except in tests of the wrap. */
  constructor(first = 0) {
    this.#first = first;
    this.#next = first;
  }
  get identity() {
    return this.#identity;
  }
  get isBroken() {
    return this.#isBroken;
  }
  /** Not another epoch but another producer id is needed. */
  get isIdSpent() {
    return this.#isIdSpent;
  }
  markBroken(isIdSpent = false) {
    if (this.#identity === null) return;
    this.#isBroken = true;
    this.#isIdSpent ||= isIdSpent;
  }
  /** Begins anew under another identity. The caller sees to it that nothing of the old one is on its way. */
  adopt(identity) {
    this.#next = this.#identity === null ? this.#first : 0;
    this.#identity = identity;
    this.#isBroken = false;
    this.#isIdSpent = false;
    const last = this.#acknowledged.at(-1);
    this.#acknowledged = last === void 0 ? [] : [{ ...last, firstSequence: -1 }];
  }
  /** Sequences are not used any more. */
  drop() {
    this.#identity = null;
    this.#isBroken = false;
    this.#isIdSpent = false;
  }
  /** The numbers of the next `recordCount` records. */
  take(recordCount) {
    if (this.#identity === null || this.#isBroken) throw new Error("sequences: taken without an identity");
    const stamp = { ...this.#identity, firstSequence: this.#next };
    this.#next += recordCount;
    return stamp;
  }
  /** The partition may be another one by now (its topic was deleted): its offsets say nothing of the old ones. */
  forgetLog() {
    this.#acknowledged = [];
  }
  /**
   * The partition had another leader, or its broker has forgotten us: the log may be shorter than it was, even if the
   * next acknowledgement comes over the same connection.
   */
  doubtLog() {
    const connection = {};
    this.#acknowledged = this.#acknowledged.map((known) => ({ ...known, source: { ...known.source, connection } }));
  }
  /**
   * Looks at an acknowledged offset: records with higher sequences must lie behind those with lower ones, whichever was
   * acknowledged first. If they do not, either the log lost its tail, which needs another leader or at least a lost
   * connection, or the broker took new records for old ones: `desync` (faults-and-security.md, O7).
   */
  acknowledge({ firstSequence }, baseOffset, recordCount, source) {
    if (baseOffset < 0n) return "fine";
    const endOffset = baseOffset + BigInt(recordCount);
    const all = this.#acknowledged;
    if (all.some((known) => known.source.topicId !== source.topicId)) all.length = 0;
    const found = all.findIndex((known) => known.firstSequence > firstSequence);
    const at = found < 0 ? all.length : found;
    const [before, after] = [all[at - 1], all[at]];
    const isBehind = before === void 0 || before.endOffset <= baseOffset;
    const isAhead = after === void 0 || endOffset <= after.baseOffset;
    if (isBehind && isAhead) {
      all.splice(at, 0, { firstSequence, baseOffset, endOffset, source });
      if (all.length > REMEMBERED) all.shift();
      return "fine";
    }
    const other = isBehind ? after : before;
    const isSameLeader = other?.source.connection === source.connection && other.source.leaderEpoch === source.leaderEpoch;
    if (isSameLeader) return "desync";
    this.#acknowledged = [{ firstSequence, baseOffset, endOffset, source }];
    return "truncated";
  }
};

// src/producer/batch.ts
var moves2 = {
  open: ["compressing", "settled"],
  compressing: ["sealed", "settled"],
  // passed through at once where nothing has to be waited for
  sealed: ["inFlight", "settled"],
  inFlight: ["sealed", "settled"],
  settled: []
};
var Batch = class {
  topic;
  partition;
  createdMs;
  deadlineMs;
  /** Do not wait for more records: somebody flushes. */
  isUrgent = false;
  /** Takes no more records although it is open: it is a part of one that was split, with its sequences given. */
  isClosed = false;
  attempts = 0;
  /** What it holds of `bufferBytes`. */
  chargedBytes = 0;
  /** Sticky: once an attempt may have been written, no later refusal makes that undone. */
  maybeWritten = false;
  lastError = null;
  /** How often in all the brokers called it corrupt. */
  corruptCount = 0;
  /** An acknowledgement of it made no sense under this revision of its topic's metadata; null: none did. */
  doubtRevision = null;
  /** Not to be sent again before this, by the clock. */
  notBeforeMs = -Infinity;
  #state = "open";
  #builder;
  #payload = null;
  #format = null;
  #stamp = null;
  /** The stamp and the CRC are in the payload. */
  #isFinal = false;
  #receipts = [];
  #tokens = [];
  #charges = [];
  #timestamps = [];
  #tickets = [];
  constructor({ topic, partition, createdMs, deadlineMs }, capacityBytes) {
    this.topic = topic;
    this.partition = partition;
    this.createdMs = createdMs;
    this.deadlineMs = deadlineMs;
    this.#builder = new RecordBatchBuilder(capacityBytes);
  }
  get state() {
    return this.#state;
  }
  get recordCount() {
    return this.#receipts.length;
  }
  get sizeBytes() {
    return this.#builder?.sizeBytes ?? this.#payload?.byteLength ?? 0;
  }
  /** Under which identity and sequence it was sent; null: not yet, or without. */
  get stamp() {
    return this.#stamp;
  }
  /** How it is written, once it is. */
  get format() {
    return this.#format;
  }
  /** Sealed, not settled: its bytes. */
  get payload() {
    return this.#payload;
  }
  /** Encodes a record into the open batch. @returns the bytes it took. */
  append(record3, { receipt, token, chargedBytes }) {
    if (this.#builder === null) throw new Error(`batch: append while ${this.#state}`);
    const bytes2 = this.#builder.append(record3.timestamp, record3.key, record3.value, record3.headers);
    this.#receipts.push(receipt);
    this.#tokens.push(token);
    this.#charges.push(chargedBytes);
    this.#timestamps.push(record3.timestamp);
    this.chargedBytes += chargedBytes;
    return bytes2;
  }
  /** Who waits for a record of it. */
  entry(index) {
    const receipt = this.#receipts[index];
    if (receipt === void 0) throw new Error(`batch: no record ${index}`);
    return { receipt, token: this.#tokens[index] ?? 0, chargedBytes: this.#charges[index] ?? 0 };
  }
  timestamp(index) {
    return this.#timestamps[index] ?? 0;
  }
  get maxTimestamp() {
    return this.#timestamps.reduce((max, timestamp) => Math.max(max, timestamp), -1);
  }
  /**
   * No more records: makes the bytes that will be sent. Where a codec compresses off the event loop the batch is sealed
   * later, and `whenSealed` tells, also of what went wrong.
   */
  seal(format, whenSealed) {
    const builder = this.#builder;
    if (this.#state !== "open" || builder === null) return;
    this.#enter("compressing");
    this.#format = format;
    const finish2 = (payload) => {
      if (this.#state !== "compressing") return;
      this.#enter("sealed");
      this.#payload = payload;
      this.#builder = null;
    };
    try {
      const payload = encodePayload(builder, format);
      if (!(payload instanceof Promise)) return finish2(payload);
      payload.then(finish2).then(
        () => whenSealed(null),
        (error) => whenSealed(asKafkaError2(error))
      );
    } catch (error) {
      whenSealed(asKafkaError2(error));
    }
  }
  /**
   * Takes its place in the sequence, before it is sent the first time. What may have been written keeps its place for
   * ever: under another one it would be another batch to the broker (faults-and-security.md, S6, S7).
   */
  stampWith(stamp) {
    if (this.#stamp !== null) throw new Error("batch: stamped twice");
    if (this.maybeWritten) throw new Error("batch: stamped although it may have been written");
    this.#stamp = stamp;
    this.#isFinal = false;
  }
  /** It was certainly not written, and may get another place. */
  unstamp() {
    if (this.maybeWritten) throw new Error("batch: a possibly written batch keeps its sequence");
    this.#stamp = null;
    this.#isFinal = false;
  }
  /** The bytes to send; the same every time. */
  send() {
    const payload = this.#payload;
    if (payload === null) throw new Error(`batch: send while ${this.#state}`);
    this.#enter("inFlight");
    this.attempts++;
    if (this.#isFinal) return payload;
    this.#isFinal = true;
    if (this.#format?.magic === 2) {
      stampRecordBatch(payload, this.#stamp === null ? null : producerStamp(this.#stamp));
    }
    return payload;
  }
  /** Back to the queue, to be sent again unchanged. */
  retryAt(notBeforeMs, error) {
    this.#enter("sealed");
    this.notBeforeMs = notBeforeMs;
    this.lastError = error;
  }
  countRefusal(errorCode) {
    if (errorCode === CORRUPT_MESSAGE) this.corruptCount++;
  }
  /** All records are in the log, the first at `baseOffset` (-1n: nobody told us where). */
  deliver(baseOffset, logAppendTimeMs) {
    this.#settle();
    const offsetOf = offsetsFrom(baseOffset, this.#receipts.length);
    this.#receipts.forEach((receipt, i) => {
      const timestamp = logAppendTimeMs >= 0 ? logAppendTimeMs : this.#timestamps[i] ?? 0;
      receipt.settleDelivered(this.#tokens[i] ?? 0, this.topic, this.partition, offsetOf(i), timestamp);
    });
    this.#finishTickets();
  }
  fail(error) {
    this.failEach(() => error);
  }
  /** Every record with an error of its own. */
  failEach(errorOf) {
    this.#settle();
    this.#receipts.forEach((receipt, i) => receipt.settleFailed(this.#tokens[i] ?? 0, errorOf(i)));
    this.#finishTickets();
  }
  /** Its records are in other batches now, which settle for it. */
  dissolve(parts) {
    this.#settle();
    for (const ticket of this.#tickets) {
      for (const part of parts) {
        ticket.more();
        part.addTicket(ticket);
      }
    }
    this.#finishTickets();
  }
  addTicket(ticket) {
    this.#tickets.push(ticket);
    this.isUrgent = true;
  }
  #finishTickets() {
    for (const ticket of this.#tickets.splice(0)) ticket.done();
  }
  #settle() {
    this.#enter("settled");
    this.#builder = null;
    this.#payload = null;
  }
  #enter(state) {
    if (!moves2[this.#state].includes(state)) throw new Error(`batch: illegal move from ${this.#state} to ${state}`);
    this.#state = state;
  }
};
function offsetsFrom(baseOffset, count3) {
  if (baseOffset < 0n) return () => -1n;
  const base = Number(baseOffset);
  return Number.isSafeInteger(base + count3) ? (index) => BigInt(base + index) : (index) => baseOffset + BigInt(index);
}

// src/producer/partition-queue.ts
var PartitionQueue = class {
  topic;
  partition;
  sequences;
  /** The broker whose part of `bufferBytes` its records count against; null while it holds none. */
  laneId = null;
  /** Of `bufferBytes`: what its batches and its waiting records hold. */
  heldBytes = 0;
  /**
   * The connection that acknowledged the latest batch, if nothing went wrong since. Only there may more than one batch
   * be out: after any trouble, and with every new leader, the first batch goes alone (the gate; producer-semantics.md 3.3).
   */
  openOn = null;
  /** When its latest batch was acknowledged, by the clock. */
  acknowledgedMs = -Infinity;
  /** The broker sets the time of the records, as far as answers to first attempts tell. */
  hasLogAppendTime = false;
  /** A broker found a batch too large: from now on they are closed at this size, uncompressed. */
  maxBatchBytes = Infinity;
  #waiting = [];
  #inFlight = [];
  constructor(topic, partition, firstSequence) {
    this.topic = topic;
    this.partition = partition;
    this.sequences = new Sequences(firstSequence);
  }
  /** Sent and not answered. One may have settled meanwhile: its deadline passed. */
  get inFlight() {
    return this.#inFlight;
  }
  get waiting() {
    return this.#waiting;
  }
  get head() {
    return this.#waiting[0];
  }
  get isEmpty() {
    return this.#waiting.length === 0 && this.#inFlight.length === 0;
  }
  /** The batch that still takes records, if there is one. */
  get open() {
    const last = this.#waiting.at(-1);
    return last?.state === "open" && !last.isClosed ? last : void 0;
  }
  push(batch) {
    this.#waiting.push(batch);
  }
  /** Takes the head out for sending. */
  takeHead() {
    const head = this.#waiting.shift();
    if (head === void 0) throw new Error("queue: nothing to send");
    this.#inFlight.push(head);
    return head;
  }
  /** The answer is there, or will never be. */
  landed(batch) {
    const at = this.#inFlight.indexOf(batch);
    if (at >= 0) this.#inFlight.splice(at, 1);
  }
  /** Back to where it was, in front of everything that came after it; `parts`: what it was cut into goes there instead. */
  putBack(batch, parts = [batch]) {
    this.landed(batch);
    const sequence = batch.stamp?.firstSequence ?? -1;
    const at = this.#waiting.findIndex(({ stamp }) => stamp === null || stamp.firstSequence > sequence);
    this.#waiting.splice(at < 0 ? this.#waiting.length : at, 0, ...parts);
  }
  drop(batch) {
    const at = this.#waiting.indexOf(batch);
    if (at >= 0) this.#waiting.splice(at, 1);
  }
  /** Nothing that was sent before it is unsettled: a gap in front of it is no matter of order. */
  isFirstInSequence({ stamp }) {
    if (stamp === null) return false;
    const isEarlier = (other) => other.stamp !== null && other.stamp.firstSequence < stamp.firstSequence;
    return !this.#inFlight.some(isEarlier) && !this.#waiting.some(isEarlier);
  }
};

// src/producer/accumulator.ts
var INITIAL_CAPACITY_BYTES = 1024;
var MAX_OPEN_MS = 1e3;
var Accumulator = class {
  #options;
  /** Never forgotten: a partition's sequences outlive what metadata says of it (faults-and-security.md, S3). */
  #topics = /* @__PURE__ */ new Map();
  #active = /* @__PURE__ */ new Set();
  constructor(options) {
    this.#options = options;
  }
  /** Queues that hold a batch, least recently sent first. */
  get active() {
    return this.#active;
  }
  get isEmpty() {
    return this.#active.size === 0;
  }
  queue(topic, partition) {
    let queues = this.#topics.get(topic);
    if (queues === void 0) this.#topics.set(topic, queues = /* @__PURE__ */ new Map());
    let queue = queues.get(partition);
    if (queue === void 0) {
      queue = new PartitionQueue(topic, partition, this.#options.firstSequence);
      queues.set(partition, queue);
    }
    return queue;
  }
  /** Something of the topic has not settled. */
  isInUse(topic) {
    for (const { heldBytes } of this.#topics.get(topic)?.values() ?? []) if (heldBytes > 0) return true;
    return false;
  }
  /** What partitioners want to know of a topic's queues. */
  loads(topic) {
    const queueOf = (partition) => this.#topics.get(topic)?.get(partition);
    return {
      queued: (partition) => queueOf(partition)?.waiting.length ?? 0,
      hasOpenBatch: (partition, recordBytes) => {
        const queue = queueOf(partition);
        const open = queue?.open;
        return open !== void 0 && open.sizeBytes + recordBytes <= this.#maxBatchBytes(queue);
      }
    };
  }
  #maxBatchBytes({ maxBatchBytes }) {
    return Math.min(this.#options.batchBytes, maxBatchBytes);
  }
  /** Encodes the record into its partition's open batch, or into a new one. @returns the bytes it took. */
  append(accepted, queue) {
    const { record: record3, receipt, token, tickets } = accepted;
    const batch = this.#openBatch(accepted, queue);
    const bytes2 = batch.append(record3, accepted);
    for (const ticket of tickets) batch.addTicket(ticket);
    receipt.batched?.(token);
    return bytes2;
  }
  #openBatch({ record: { upperBoundBytes }, sentMs }, queue) {
    const { lingerMs, deliveryTimeoutMs } = this.#options;
    const maxBytes = this.#maxBatchBytes(queue);
    const { open } = queue;
    const isInTime = open !== void 0 && sentMs - open.createdMs <= MAX_OPEN_MS + lingerMs;
    if (isInTime && open.sizeBytes + upperBoundBytes <= maxBytes) return open;
    const capacityBytes = Math.max(upperBoundBytes, Math.min(maxBytes, INITIAL_CAPACITY_BYTES));
    const { topic, partition } = queue;
    const deadlineMs = sentMs + deliveryTimeoutMs;
    const batch = new Batch({ topic, partition, createdMs: sentMs, deadlineMs }, capacityBytes);
    queue.push(batch);
    this.#active.add(queue);
    return batch;
  }
  /** After its turn a queue goes to the end of the line, or out of it. */
  requeue(queue) {
    this.#active.delete(queue);
    if (!queue.isEmpty) this.#active.add(queue);
  }
  /** Batches that wait, and that are out. */
  stats() {
    let batchesWaiting = 0;
    let batchesInFlight = 0;
    for (const { waiting, inFlight } of this.#active) {
      batchesWaiting += waiting.length;
      batchesInFlight += inFlight.length;
    }
    return { batchesWaiting, batchesInFlight };
  }
  /** Every batch that is here now tells the ticket when it settles, and does not linger. */
  addTicket(ticket) {
    for (const { inFlight, waiting } of this.#active) {
      for (const batch of [...inFlight, ...waiting]) {
        if (batch.state === "settled") continue;
        ticket.more();
        batch.addTicket(ticket);
      }
    }
  }
};

// src/producer/endings.ts
function finish(tickets) {
  for (const ticket of tickets) ticket.done();
}
function metadataTimeout(maxBlockMs) {
  const what = `no broker answered within maxBlockMs (${maxBlockMs} ms)`;
  return new DeliveryError("METADATA_TIMEOUT", `metadata: METADATA_TIMEOUT: ${what}`, { retriable: true });
}
function closedError3(what, details) {
  return new DeliveryError("CLOSED", `close: CLOSED: ${what}`, details);
}
function refusedError(batch, refusal9) {
  return new AuthenticationError(refusal9.code, refusal9.message, { ...detailsOf(batch), cause: refusal9 });
}
function givenUpBelow() {
  return void 0;
}
function fatalError(cause, details) {
  const what = `the producer stopped for good: ${cause.message}`;
  return new DeliveryError("SEQUENCE_DESYNC", `send: SEQUENCE_DESYNC: ${what}`, { ...details, fatal: true, cause });
}
function detailsOf({ topic, partition, attempts, maybeWritten, state }) {
  return { topic, partition, attempts, maybeWritten: maybeWritten || state === "inFlight" };
}

// src/producer/ask-until.ts
async function askUntil(cluster2, question, { clock, maxBlockMs, retryBackoffMs, retryBackoffMaxMs, isClosed }) {
  const deadlineMs = clock.now() + maxBlockMs;
  for (let failures = 1; ; failures++) {
    const asked = cluster2.ask(metadata, question).catch((error) => asKafkaError2(error));
    const answer = await within(clock, deadlineMs - clock.now(), asked);
    if (answer === "late") throw metadataTimeout(maxBlockMs);
    if (!(answer instanceof KafkaError)) return answer;
    const waitMs2 = backoffMs(failures, retryBackoffMs, retryBackoffMaxMs, clock.random());
    const isFinal = !answer.retriable || isClosed();
    if (isFinal || clock.now() + waitMs2 > deadlineMs) throw answer;
    await new Promise((resolve3) => clock.after(waitMs2, resolve3));
  }
}
function within(clock, timeoutMs, work) {
  if (timeoutMs === void 0) return work;
  return new Promise((resolve3) => {
    const timer2 = clock.after(timeoutMs, () => resolve3("late"));
    void work.then((value) => {
      timer2.cancel();
      resolve3(value);
    });
  });
}

// src/producer/callbacks.ts
var Callbacks = class {
  #log;
  #waiting = [];
  constructor(log) {
    this.#log = log;
  }
  run(callback) {
    this.#waiting.push(callback);
    if (this.#waiting.length === 1) queueMicrotask(() => this.#drain());
  }
  #drain() {
    const all = this.#waiting;
    this.#waiting = [];
    for (const callback of all) this.#log.guard(callback);
  }
};

// src/producer/countdown.ts
var Countdown = class {
  remaining = 0;
  settled;
  #resolve = () => void 0;
  constructor() {
    this.settled = new Promise((resolve3) => this.#resolve = resolve3);
  }
  more() {
    this.remaining++;
  }
  done() {
    this.remaining--;
    if (this.remaining === 0) this.#resolve();
  }
};

// src/producer/counters.ts
function newCounters() {
  return {
    accepted: 0,
    delivered: 0,
    failed: 0,
    retries: 0,
    splits: 0,
    requests: 0,
    sentBytes: 0,
    sentBatches: 0,
    epochBumps: 0
  };
}

// src/secret.ts
import { createHmac, randomBytes } from "node:crypto";
import { inspect } from "node:util";
var REDACTED = "[redacted]";
var fingerprintKey = randomBytes(32);
var Secret = class extends WeakSet {
  #value;
  constructor(value) {
    super();
    this.#value = value;
  }
  /** The value itself. Whoever calls this sees to it that it goes nowhere but into the bytes of a login. */
  reveal() {
    return this.#value;
  }
  toString() {
    return REDACTED;
  }
  toJSON() {
    return REDACTED;
  }
  [Symbol.toPrimitive]() {
    return REDACTED;
  }
  [inspect.custom]() {
    return REDACTED;
  }
};
function fingerprint(secret2) {
  return createHmac("sha256", fingerprintKey).update(secret2).digest("base64url");
}

// src/sasl/provided.ts
var PROVIDER_TIMEOUT_MS = 3e4;
async function reveal(field2, source, clock) {
  if (source instanceof Secret) return source.reveal();
  const value = await askProvider(field2, source, clock);
  if (typeof value === "string" && value !== "") return value;
  throw new CredentialsProblem(
    `${field2}: the function gave ${value === "" ? "an empty string" : kindOf(value)}, not a string`
  );
}
async function askProvider(field2, provide, clock) {
  try {
    return await within2(PROVIDER_TIMEOUT_MS, clock, new Promise((resolve3) => resolve3(provide())));
  } catch (cause) {
    if (cause instanceof SaslProblem) throw cause;
    const why = `${field2}: the function failed`;
    if (!(cause instanceof Error))
      throw new CredentialsProblem(`${why}: it threw ${kindOf(cause)}`, { retriable: true });
    throw new CredentialsProblem(`${why}: ${brokerText(cause.message)}`, { retriable: true, cause });
  }
}
function within2(timeoutMs, clock, work) {
  return new Promise((resolve3, reject) => {
    const timer2 = clock.after(timeoutMs, () => reject(new Error(`not done after ${timeoutMs} ms`)), false);
    work.then(resolve3, reject).finally(() => timer2.cancel());
  });
}
function kindOf(value) {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  return value === void 0 ? "nothing" : `${typeof value === "object" ? "an" : "a"} ${typeof value}`;
}

// src/sasl/aws-credentials.ts
var MIN_LIFE_MS = 1e3;
function credentialsProblem(given) {
  if (typeof given !== "object" || given === null)
    return `got ${kindOf(given)}, expected { accessKeyId, secretAccessKey }`;
  const { accessKeyId, secretAccessKey, sessionToken, expiration } = given;
  if (!isText(accessKeyId) || /[^\x21-\x7e]/.test(accessKeyId))
    return "accessKeyId: expected printable text without spaces";
  if (!isText(secretAccessKey)) return `secretAccessKey: got ${kindOf(secretAccessKey)}, expected text`;
  if (/^\s|\s$/.test(secretAccessKey)) return "secretAccessKey: begins or ends with white space";
  if (sessionToken !== void 0 && sessionToken !== null && !isText(sessionToken)) {
    return `sessionToken: got ${kindOf(sessionToken)}, expected text, or nothing`;
  }
  if (expiration !== void 0 && expiration !== null && Number.isNaN(instantOf(expiration))) {
    return `expiration: got ${kindOf(expiration)}, expected a Date`;
  }
  return null;
}
function holdCredentials(given) {
  const { accessKeyId, secretAccessKey, sessionToken, expiration } = given;
  return {
    accessKeyId,
    secretAccessKey: new Secret(secretAccessKey),
    sessionToken: sessionToken === void 0 || sessionToken === null ? void 0 : new Secret(sessionToken),
    expiresAtMs: expiration === void 0 || expiration === null ? void 0 : instantOf(expiration)
  };
}
function secretsOf({ secretAccessKey, sessionToken }) {
  return sessionToken === void 0 ? [secretAccessKey.reveal()] : [secretAccessKey.reveal(), sessionToken.reveal()];
}
function credentialSource(given, { clock, env }) {
  if (given === void 0) return () => Promise.resolve().then(() => fromEnvironment(env));
  if (typeof given !== "function") return () => Promise.resolve(given);
  const flights = /* @__PURE__ */ new Map();
  return (isAnew) => {
    const flight = flights.get(isAnew) ?? fromProvider(given, isAnew, clock).finally(() => flights.delete(isAnew));
    flights.set(isAnew, flight);
    return flight;
  };
}
async function lastingCredentials(source, clock) {
  for (const isAnew of [false, true]) {
    const held = await source(isAnew);
    if (held.expiresAtMs === void 0 || held.expiresAtMs - clock.wallNow() >= MIN_LIFE_MS) return held;
  }
  const now = new Date(clock.wallNow()).toISOString();
  throw new CredentialsProblem(`sasl.credentials: they have expired (our clock says ${now})`, { retriable: true });
}
async function fromProvider(provide, isAnew, clock) {
  const given = await askProvider("sasl.credentials", () => provide({ forceRefresh: isAnew }), clock);
  const problem3 = credentialsProblem(given);
  if (problem3 !== null) throw new CredentialsProblem(`sasl.credentials: the function gave something else: ${problem3}`);
  return holdCredentials(given);
}
function fromEnvironment(env) {
  const accessKeyId = env["AWS_ACCESS_KEY_ID"] ?? "";
  const secretAccessKey = env["AWS_SECRET_ACCESS_KEY"] ?? "";
  const given = { accessKeyId, secretAccessKey, sessionToken: env["AWS_SESSION_TOKEN"] || void 0 };
  if (accessKeyId === "" || secretAccessKey === "") {
    throw new CredentialsProblem(
      "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not both set: set them, or sasl.credentials"
    );
  }
  const problem3 = credentialsProblem(given);
  if (problem3 !== null) throw new CredentialsProblem(`credentials of the environment: ${problem3}`);
  return holdCredentials(given);
}
function isText(value) {
  return typeof value === "string" && value !== "";
}
function instantOf(value) {
  if (value instanceof Date) return value.getTime();
  return typeof value === "string" ? Date.parse(value) : NaN;
}

// src/sasl/scram-messages.ts
import { timingSafeEqual } from "node:crypto";
var MIN_ITERATIONS = 4096;
var MAX_SALT_BYTES = 1024;
var ITERATIONS = /^[1-9][0-9]{0,8}$/;
var NONCE = /^[\x21-\x2b\x2d-\x7e]+$/;
var ATTRIBUTE = /^[A-Za-z]=[^\0]+$/;
var utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
function readServerFirst(message, { nonce, maxIterations, secrets }) {
  const attributes = attributesOf2(message, "first");
  throwServerError(attributes, secrets);
  const [r2, s, i] = attributes;
  const where = "the broker's first SCRAM message";
  if (r2?.name === "m") throw new SaslProblem(`${where} demands an extension that headrace does not know`);
  if (r2?.name !== "r" || s?.name !== "s" || i?.name !== "i") {
    throw new SaslProblem(`${where} does not hold nonce, salt and iterations, in this order`);
  }
  if (!NONCE.test(r2.value)) throw new SaslProblem(`${where} has characters in its nonce that are not allowed`);
  if (!r2.value.startsWith(nonce) || r2.value === nonce) {
    throw new SaslProblem(`${where} has a nonce that does not extend ours: it may be a replay`);
  }
  const salt = strictBase64(s.value, MAX_SALT_BYTES);
  if (salt === null) throw new SaslProblem(`${where} has a salt that is not 1 to ${MAX_SALT_BYTES} bytes of base64`);
  return { nonce: r2.value, salt, iterations: iterationsOf(i.value, maxIterations) };
}
function iterationsOf(text3, maxIterations) {
  if (!ITERATIONS.test(text3)) {
    throw new SaslProblem("the broker's number of iterations is none, or one of more than nine digits");
  }
  const iterations = Number(text3);
  if (iterations < MIN_ITERATIONS) {
    const why = "a password would be easy to guess from what is sent";
    throw new SaslProblem(`the broker asks for ${iterations} iterations, the minimum is ${MIN_ITERATIONS}: ${why}`);
  }
  if (iterations > maxIterations) {
    throw new SaslProblem(
      `the broker asks for ${iterations} iterations, the limit is ${maxIterations} (sasl.maxIterations)`
    );
  }
  return iterations;
}
function checkServerFinal(message, signature, secrets) {
  const attributes = attributesOf2(message, "final");
  throwServerError(attributes, secrets);
  const [v] = attributes;
  const sent = v?.name === "v" ? strictBase64(v.value, signature.length) : null;
  if (sent?.length !== signature.length || !timingSafeEqual(sent, signature)) {
    const who = "it is not the one that was set up with it, or something in between answers for it";
    throw new SaslProblem(`the broker could not prove that it knows the password: ${who}`);
  }
}
function attributesOf2(message, which2) {
  const where = `the broker's ${which2} SCRAM message`;
  const attributes = decoded(message, where).split(",").map((part) => {
    if (!ATTRIBUTE.test(part) && part !== "v=" && part !== "s=") {
      throw new SaslProblem(message.length === 0 ? `${where} is empty` : `${where} is malformed`);
    }
    return { name: part.slice(0, 1), value: part.slice(2) };
  });
  if (new Set(attributes.map(({ name: name2 }) => name2)).size < attributes.length) {
    throw new SaslProblem(`${where} has an attribute twice`);
  }
  if (attributes.slice(1).some(({ name: name2 }) => name2 === "m")) throw new SaslProblem(`${where} is malformed`);
  return attributes;
}
function decoded(message, where) {
  try {
    return utf8.decode(message);
  } catch (cause) {
    throw new SaslProblem(`${where} is not UTF-8`, { cause });
  }
}
var SERVER_ERRORS = {
  "invalid-proof": "the password is wrong (invalid-proof)",
  "unknown-user": "the broker does not know this user (unknown-user)",
  "invalid-username-encoding": "the broker cannot read this user name (invalid-username-encoding)",
  "no-resources": "the broker has no resources for this at the moment (no-resources)"
};
function throwServerError([first, ...others], secrets) {
  if (first?.name !== "e") return;
  if (others.length > 0) throw new SaslProblem("the broker's error message in SCRAM is malformed");
  const known = Object.hasOwn(SERVER_ERRORS, first.value) ? SERVER_ERRORS[first.value] : void 0;
  const retriable = first.value === "no-resources";
  throw new SaslProblem(known ?? `the broker says: ${brokerText(first.value, secrets)}`, { retriable });
}
function strictBase64(text3, maxBytes) {
  if (text3.length > Math.ceil(maxBytes / 3) * 4) return null;
  const bytes2 = Buffer.from(text3, "base64");
  const isStrict = bytes2.length > 0 && bytes2.length <= maxBytes && bytes2.toString("base64") === text3;
  return isStrict ? bytes2 : null;
}
function saslName(name2) {
  return name2.replaceAll("=", "=3D").replaceAll(",", "=2C");
}

// src/sasl/oauth-messages.ts
var TOKEN = /^[-_~+/.a-zA-Z0-9]+=*$/;
var EXTENSION_KEY = /^[A-Za-z]+$/;
var EXTENSION_VALUE = /^[\x21-\x7e \t\r\n]+$/;
var SEPARATOR = "";
var MAX_DOCUMENT_BYTES = 8 * 1024;
var MIN_EXPIRES_AT_MS = 1e11;
function clientInitialResponse({ value, extensions = {} }, authorizationId2 = "") {
  if (/[\0\x01]/.test(authorizationId2)) throw new SaslProblem("authorizationId holds a control character");
  const gs2Header = authorizationId2 === "" ? "n,," : `n,a=${saslName(authorizationId2)},`;
  const parts = Object.entries(extensions).map(([key, text3]) => `${key}=${text3}`);
  return Buffer.from([gs2Header, `auth=Bearer ${value}`, ...parts, "", ""].join(SEPARATOR));
}
function checkToken(given) {
  if (typeof given === "string") return checkToken({ value: given });
  if (typeof given !== "object" || given === null)
    throw problem(`gave ${kindOf(given)}, expected { value, expiresAtMs? }`);
  const { value, expiresAtMs, extensions } = given;
  if (typeof value !== "string") throw problem(`gave ${kindOf(value)} as value, expected the token as a string`);
  if (!TOKEN.test(value)) throw problem("gave a value that is empty or has characters that no bearer token has");
  const read3 = checkExtensions(extensions);
  if (expiresAtMs === void 0) return { value, extensions: read3 };
  if (typeof expiresAtMs !== "number" || !Number.isFinite(expiresAtMs)) {
    throw problem(`gave ${kindOf(expiresAtMs)} as expiresAtMs, expected milliseconds since the Unix epoch`);
  }
  if (expiresAtMs < MIN_EXPIRES_AT_MS) throw problem("gave an expiresAtMs that looks like seconds, not milliseconds");
  return { value, expiresAtMs, extensions: read3 };
}
function checkExtensions(extensions) {
  if (extensions === void 0) return {};
  if (typeof extensions !== "object" || extensions === null) throw problem(`gave ${kindOf(extensions)} as extensions`);
  const read3 = /* @__PURE__ */ Object.create(null);
  for (const [key, value] of Object.entries(extensions)) {
    if (!EXTENSION_KEY.test(key)) throw problem("gave an extension whose name is not letters only");
    if (key === "auth") throw problem("gave an extension named auth, which is the token itself");
    if (typeof value !== "string" || !EXTENSION_VALUE.test(value)) {
      throw problem(`gave a value for the extension ${key} that is not printable text`);
    }
    read3[key] = value;
  }
  return read3;
}
function problem(what) {
  return new SaslProblem(`sasl.token: the function ${what}`);
}
function readErrorDocument(document, secrets = []) {
  if (document.length > MAX_DOCUMENT_BYTES)
    return `the broker refuses the token, and says why in ${document.length} bytes`;
  const fields = parseObject(Buffer.from(document).toString());
  const [status, scope] = ["status", "scope"].map((name2) => {
    const value = fields?.get(name2);
    return typeof value === "string" ? brokerText(value, secrets) : "";
  });
  const needs = scope === "" ? "" : `; it asks for the scope ${scope}`;
  return `the broker refuses the token${status === "" ? "" : `: ${status}`}${needs}`;
}
function parseObject(text3) {
  try {
    const parsed = JSON.parse(text3);
    if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) return null;
    return new Map(Object.entries(parsed));
  } catch {
    return null;
  }
}

// src/sasl/sig-v4.ts
import { createHash, createHmac as createHmac2 } from "node:crypto";
var EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
var ALGORITHM = "AWS4-HMAC-SHA256";
function sign(request) {
  const { method, headers, bodySha256, region, service, date: date2, secretAccessKey } = request;
  const sorted = [...headers].sort(([a], [b]) => a < b ? -1 : 1);
  const signedHeaders = sorted.map(([name2]) => name2).join(";");
  const lines = sorted.map(([name2, value]) => `${name2}:${value.trim()}
`).join("");
  const canonicalQuery = canonicalQueryOf(request.query);
  const canonicalRequest = [method, "/", canonicalQuery, lines, signedHeaders, bodySha256].join("\n");
  const scope = scopeOf(request);
  const stringToSign = [ALGORITHM, date2, scope, sha256Hex(canonicalRequest)].join("\n");
  const key = signingKey(secretAccessKey, date2.slice(0, 8), region, service);
  const signature = hmac(key, stringToSign).toString("hex");
  key.fill(0);
  return { canonicalQuery, canonicalRequest, stringToSign, signedHeaders, signature };
}
function scopeOf({ date: date2, region, service }) {
  return `${date2.slice(0, 8)}/${region}/${service}/aws4_request`;
}
function signingKey(secretAccessKey, day, region, service) {
  let key = Buffer.from(`AWS4${secretAccessKey}`);
  for (const part of [day, region, service, "aws4_request"]) {
    const next2 = hmac(key, part);
    key.fill(0);
    key = next2;
  }
  return key;
}
function canonicalQueryOf(query) {
  const encoded = query.map(([name2, value]) => [uriEncode(name2), uriEncode(value)]);
  return encoded.sort(([a], [b]) => a < b ? -1 : 1).map(([name2, value]) => `${name2}=${value}`).join("&");
}
function uriEncode(text3) {
  const encoded = encodeURIComponent(Buffer.from(text3).toString());
  return encoded.replaceAll(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}
function amzDate(wallMs) {
  return new Date(wallMs).toISOString().replaceAll(/[-:]|\.\d{3}/g, "");
}
function sha256Hex(data) {
  return createHash("sha256").update(data).digest("hex");
}
function hmac(key, data) {
  return createHmac2("sha256", key).update(data).digest();
}

// src/sasl/aws-msk-iam.ts
var VERSION2 = "2020_10_22";
var ACTION = "kafka-cluster:Connect";
var SERVICE = "kafka-cluster";
var MAX_EXPIRES_SECONDS = 900;
function presign(signing) {
  const { host, region, credentials: credentials2, wallMs, expiresSeconds: expiresSeconds2 } = signing;
  const { accessKeyId, secretAccessKey, sessionToken } = credentials2;
  const scope = { date: amzDate(wallMs), region, service: SERVICE };
  const query = [
    ["Action", ACTION],
    ["X-Amz-Algorithm", ALGORITHM],
    ["X-Amz-Credential", `${accessKeyId}/${scopeOf(scope)}`],
    ["X-Amz-Date", scope.date],
    ["X-Amz-Expires", String(expiresSeconds2)],
    ...sessionToken === void 0 ? [] : [["X-Amz-Security-Token", sessionToken.reveal()]],
    ["X-Amz-SignedHeaders", "host"]
  ];
  const request = { method: "GET", query, headers: [["host", host]], bodySha256: EMPTY_SHA256, ...scope };
  return { ...sign({ ...request, secretAccessKey: secretAccessKey.reveal() }), query };
}
function mskPayload(signing, userAgent) {
  const { query, signature } = presign(signing);
  const parameters = query.map(([name2, value]) => [name2.toLowerCase(), value]);
  const head = { version: VERSION2, host: signing.host, "user-agent": userAgent };
  return { ...head, ...Object.fromEntries(parameters), "x-amz-signature": signature };
}
function expiresSeconds({ expiresAtMs }, wallMs) {
  if (expiresAtMs === void 0) return MAX_EXPIRES_SECONDS;
  return Math.floor(Math.min(MAX_EXPIRES_SECONDS, (expiresAtMs - wallMs) / 1e3));
}
async function* awsMskIam({ host, region, credentials: credentials2, userAgent, clock }) {
  const held = await lastingCredentials(credentials2, clock);
  const wallMs = clock.wallNow();
  const signing = { host, region, credentials: held, wallMs, expiresSeconds: expiresSeconds(held, wallMs) };
  const payload = mskPayload(signing, userAgent);
  const secrets = [...secretsOf(held), payload["x-amz-signature"] ?? ""];
  try {
    return readMskAnswer(yield* say(Buffer.from(JSON.stringify(payload)), secrets), secrets);
  } catch (error) {
    if (!(error instanceof SaslProblem)) throw error;
    const signed2 = `signed by ${held.accessKeyId} for ${host} in ${region} at ${new Date(wallMs).toISOString()}`;
    throw new SaslProblem(`${error.message} (${signed2})`, { errorCode: error.errorCode, cause: error.cause });
  }
}
function readMskAnswer(answer, secrets = []) {
  if (answer.length === 0) throw new SaslProblem("the broker answers nothing, which is not how MSK lets anybody in");
  const fields = parseObject(Buffer.from(answer).toString());
  if (fields === null) throw new SaslProblem("the broker does not answer in JSON, as MSK does");
  const version3 = fields.get("version");
  if (version3 !== VERSION2) {
    const shown = typeof version3 === "string" ? brokerText(version3, secrets) : "none";
    throw new SaslProblem(`the broker answers in version ${shown} of this mechanism, not ${VERSION2}`);
  }
  const requestId = fields.get("request-id");
  return { requestId: typeof requestId === "string" ? brokerText(requestId, secrets) : "" };
}

// src/sasl/aws-region.ts
var PARTITIONS = [
  { suffix: "amazonaws.com.cn", regions: /^cn-/ },
  { suffix: "c2s.ic.gov", regions: /^us-iso-/ },
  { suffix: "sc2s.sgov.gov", regions: /^us-isob-/ },
  { suffix: "csp.hci.ic.gov", regions: /^us-isof-/ },
  { suffix: "cloud.adc-e.uk", regions: /^eu-isoe-/ },
  { suffix: "amazonaws.eu", regions: /^eusc-/ },
  { suffix: "amazonaws.com", regions: /./ }
];
var REGION = /^[a-z]{2,5}(-[a-z]+)+-\d{1,2}$/;
var SERVICES = ["kafka", "kafka-serverless"];
function isRegion(text3) {
  return REGION.test(text3);
}
function regionOfHost(host) {
  const name2 = host.toLowerCase().replace(/\.$/, "");
  const partition = PARTITIONS.find(({ suffix }) => name2.endsWith(`.${suffix}`));
  if (partition === void 0) return null;
  const labels = name2.slice(0, -partition.suffix.length - 1).split(".");
  const isEndpoint = labels.at(-1) === "vpce";
  if (isEndpoint) labels.pop();
  const [service = "", region = ""] = labels.slice(-2);
  const isBroker = labels.length > 2 && SERVICES.includes(service);
  return REGION.test(region) && (isEndpoint || isBroker) ? region : null;
}
function chooseRegion(host, option, env) {
  const region = option ?? regionOfHost(host) ?? (env["AWS_REGION"] || env["AWS_DEFAULT_REGION"]);
  if (region !== void 0 && isRegion(region)) return region;
  const what = region === void 0 ? "the host name does not tell it" : "AWS_REGION is not the name of one";
  throw new SaslProblem(`which AWS region? ${what}: set sasl.region`);
}
function stsHost(region) {
  const { suffix } = PARTITIONS.find(({ regions }) => regions.test(region)) ?? { suffix: "amazonaws.com" };
  return `sts.${region}.${suffix}`;
}

// src/sasl/expiring.ts
var RETRY_MS = 1e3;
var MAX_RETRY_MS = 6e4;
var PATIENCE_MS = 500;
var Expiring = class {
  #options;
  #held = null;
  #flight = null;
  #failures = 0;
  #retryAtMs = 0;
  constructor(options) {
    this.#options = options;
  }
  /** @throws what `fetch` threw, if there is nothing left that is still good. */
  async get() {
    const { clock } = this.#options;
    const held = this.#good();
    if (held !== null && clock.now() < Math.max(held.renewAtMs, this.#retryAtMs)) return { ...held, isReused: true };
    this.#flight ??= this.#fetch().finally(() => this.#flight = null);
    if (held === null) return { ...await this.#flight, isReused: false };
    return await this.#soonOr(held, this.#flight);
  }
  #soonOr(held, flight) {
    return new Promise((resolve3) => {
      const useHeld = () => resolve3({ ...held, isReused: true });
      const timer2 = this.#options.clock.after(PATIENCE_MS, useHeld, false);
      const useNext = (fetched) => resolve3({ ...fetched, isReused: false });
      void flight.then(useNext, useHeld).finally(() => timer2.cancel());
    });
  }
  /** It was refused: the next who asks gets another one. */
  forget(value) {
    if (this.#held?.value === value) this.#held = null;
  }
  #good() {
    return this.#held !== null && this.#options.clock.wallNow() < this.#held.expiresAtMs ? this.#held : null;
  }
  async #fetch() {
    const { clock, fetch, renewAfterMs, timeoutMs } = this.#options;
    try {
      const fetched = await within2(timeoutMs, clock, fetch());
      const { value, expiresAtMs } = fetched;
      const lifetimeMs = (expiresAtMs ?? 0) - clock.wallNow();
      this.#failures = this.#retryAtMs = 0;
      if (expiresAtMs === void 0 || lifetimeMs <= 0) this.#held = null;
      else this.#held = { value, expiresAtMs, renewAtMs: clock.now() + renewAfterMs(lifetimeMs, clock.random()) };
      return fetched;
    } catch (error) {
      this.#retryAtMs = clock.now() + Math.min(RETRY_MS * 2 ** Math.min(this.#failures++, 10), MAX_RETRY_MS);
      throw error;
    }
  }
};

// src/sasl/sts-response.ts
var TAG = /<(\/?)([A-Za-z][\w.]*)((?:\s+[\w:.-]+="[^"<]*")*)\s*(\/?)>|([^<]+)/y;
var DECLARATION = /^\ufeff?\s*<\?xml [^<>]*\?>/;
var MAX_DEPTH = 8;
var ENTITIES = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
function readLeaves(xml) {
  const leaves = /* @__PURE__ */ new Map();
  const open = [];
  let text3 = "";
  let hasChild = true;
  let isDone = false;
  const body = xml.replace(DECLARATION, "").trim();
  TAG.lastIndex = 0;
  for (let at = 0; at < body.length; at = TAG.lastIndex) {
    const match = TAG.exec(body);
    if (match === null || isDone) return null;
    const [, slash, name2 = "", , selfClosing, characters] = match;
    if (characters !== void 0) {
      const plain3 = unescaped(characters);
      if (plain3 === null) return null;
      text3 = plain3;
    } else if (slash === "") {
      if (text3.trim() !== "" || open.length >= MAX_DEPTH) return null;
      if (selfClosing !== "/") open.push(name2);
      else if (open.length === 0) return null;
      hasChild = selfClosing === "/";
      text3 = "";
    } else {
      const path = open.join("/");
      if (open.pop() !== name2 || hasChild && text3.trim() !== "" || !hasChild && leaves.has(path)) return null;
      if (!hasChild) leaves.set(path, text3);
      hasChild = true;
      text3 = "";
      isDone = open.length === 0;
    }
  }
  return isDone ? leaves : null;
}
function unescaped(text3) {
  const isKnown = [...text3.matchAll(/&(\w*;?)/g)].every(
    ([, name2 = ""]) => name2.endsWith(";") && Object.hasOwn(ENTITIES, name2.slice(0, -1))
  );
  return isKnown ? text3.replaceAll(/&(\w+);/g, (_, name2) => ENTITIES[name2] ?? "") : null;
}
function readAssumedRole(xml) {
  const leaves = readLeaves(xml);
  const field2 = (name2) => leaves?.get(`AssumeRoleResponse/AssumeRoleResult/Credentials/${name2}`) ?? "";
  const role = {
    accessKeyId: field2("AccessKeyId"),
    secretAccessKey: field2("SecretAccessKey"),
    sessionToken: field2("SessionToken"),
    expiration: field2("Expiration")
  };
  return Object.values(role).includes("") || Number.isNaN(Date.parse(role.expiration)) ? null : role;
}
function readStsError(xml) {
  const leaves = readLeaves(xml);
  const field2 = (name2) => leaves?.get(`ErrorResponse/Error/${name2}`) ?? "";
  return { code: field2("Code"), message: field2("Message") };
}

// src/sasl/sts.ts
var MAX_RESPONSE_BYTES = 64 * 1024;
var CONTENT_TYPE = "application/x-www-form-urlencoded; charset=utf-8";
var MAX_TRIES = 3;
var BACKOFF_MS = 500;
var MAX_BACKOFF_MS = 5e3;
var TRY_TIMEOUT_MS = 5e3;
var TIMEOUT_MS = MAX_TRIES * TRY_TIMEOUT_MS + 2 * MAX_BACKOFF_MS;
var RETRIABLE_CODES = /^(Throttl\w*|RequestLimitExceeded|ServiceUnavailable|InternalFailure|IDPCommunicationError)$/;
function roleCredentials(role, options) {
  return new Expiring({
    clock: options.clock,
    fetch: async () => {
      const value = await assumeRole(role, options);
      return { value, expiresAtMs: value.expiresAtMs };
    },
    renewAfterMs: renewRoleAfterMs,
    timeoutMs: TIMEOUT_MS
  });
}
async function assumeRole(role, options) {
  const { clock } = options;
  for (let tries = 1; ; tries++) {
    try {
      return await tryOnce(role, options);
    } catch (error) {
      if (!(error instanceof SaslProblem) || !error.retriable || tries >= MAX_TRIES) throw error;
    }
    await new Promise((resolve3) => {
      clock.after(clock.random() * Math.min(BACKOFF_MS * 2 ** (tries - 1), MAX_BACKOFF_MS), resolve3);
    });
  }
}
async function tryOnce(role, { credentials: credentials2, clock, fetch }) {
  const held = await lastingCredentials(credentials2, clock);
  const host = stsHost(role.region);
  const ending = new AbortController();
  const timer2 = clock.after(TRY_TIMEOUT_MS, () => ending.abort(new Error(`no answer in ${TRY_TIMEOUT_MS} ms`)));
  try {
    const request = { ...requestFor(role, held, host, clock.wallNow()), signal: ending.signal };
    const response = await fetch(`https://${host}/`, request);
    const text3 = await limitedText(response);
    if (!response.ok) throw refusal5(host, response.status, text3, held);
    const assumed = readAssumedRole(text3);
    if (assumed === null)
      throw new CredentialsProblem(`${host}: what it answers to AssumeRole cannot be read`, { retriable: true });
    return holdCredentials({ ...assumed, expiration: new Date(assumed.expiration) });
  } catch (cause) {
    if (cause instanceof SaslProblem) throw cause;
    const why = brokerText(reasonOf2(cause), secretsOf(held));
    throw new CredentialsProblem(`${host}: AssumeRole failed: ${why}`, { retriable: true, cause });
  } finally {
    timer2.cancel();
  }
}
function requestFor(role, held, host, wallMs) {
  const body = new URLSearchParams({
    ...{ Action: "AssumeRole", Version: "2011-06-15", RoleArn: role.roleArn, RoleSessionName: role.roleSessionName },
    DurationSeconds: String(role.durationSeconds),
    ...role.externalId === void 0 ? {} : { ExternalId: role.externalId }
  }).toString();
  const scope = { date: amzDate(wallMs), region: role.region, service: "sts" };
  const token = held.sessionToken === void 0 ? {} : { "x-amz-security-token": held.sessionToken.reveal() };
  const headers = { "content-type": CONTENT_TYPE, "x-amz-date": scope.date, ...token };
  const { signedHeaders, signature } = sign({
    ...{
      method: "POST",
      query: [],
      headers: Object.entries({ ...headers, host }),
      bodySha256: sha256Hex(body),
      ...scope
    },
    secretAccessKey: held.secretAccessKey.reveal()
  });
  const authorization = `${ALGORITHM} Credential=${held.accessKeyId}/${scopeOf(scope)}, SignedHeaders=${signedHeaders}, Signature=${signature}`;
  return { method: "POST", headers: { ...headers, authorization }, body, redirect: "error" };
}
function refusal5(host, status, text3, held) {
  const secrets = secretsOf(held);
  const { code, message } = readStsError(text3);
  const says = [code, message].map((part) => brokerText(part, secrets)).filter((part) => part !== "");
  const retriable = status >= 500 || status === 429 || RETRIABLE_CODES.test(code);
  return new CredentialsProblem(`${host} refuses AssumeRole with ${[status, ...says].join(", ")}`, { retriable });
}
async function limitedText(response) {
  const chunks = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > MAX_RESPONSE_BYTES) throw new CredentialsProblem(`an answer over ${MAX_RESPONSE_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
function reasonOf2(error) {
  if (!(error instanceof Error)) return "for no reason that was given";
  return error.cause instanceof Error ? error.cause.message : error.message;
}

// src/sasl/aws-login.ts
var AwsLogins = class {
  #settings;
  #surroundings;
  #own;
  /** By region: the brokers of one cluster are in one. */
  #roles = /* @__PURE__ */ new Map();
  constructor(settings, surroundings) {
    this.#settings = settings;
    this.#surroundings = surroundings;
    this.#own = credentialSource(settings.credentials, surroundings);
  }
  /** @param host the broker's advertised name, without port. */
  async *begin(host) {
    const { env, clock } = this.#surroundings;
    const region = chooseRegion(host, this.#settings.region, env);
    const login2 = { host, region, clock, userAgent: this.#settings.userAgent ?? `headrace/${VERSION}` };
    const role = this.#roleIn(region);
    if (role === null) return yield* awsMskIam({ ...login2, credentials: this.#own });
    let last = null;
    const credentials2 = async (isAnew) => {
      if (isAnew && last !== null) role.forget(last.value);
      return (last = await role.get()).value;
    };
    try {
      return yield* awsMskIam({ ...login2, credentials: credentials2 });
    } catch (error) {
      if (!(error instanceof SaslProblem)) throw error;
      throw refused3(role, last, error);
    }
  }
  /** Null: no role is to be assumed. */
  #roleIn(region) {
    const { roleArn, roleSessionName, roleDurationSeconds: durationSeconds, externalId } = this.#settings;
    if (roleArn === void 0) return null;
    const role = { roleArn, roleSessionName, durationSeconds, externalId, region };
    const { clock, fetch } = this.#surroundings;
    const known = this.#roles.get(region) ?? roleCredentials(role, { credentials: this.#own, clock, fetch });
    this.#roles.set(region, known);
    return known;
  }
};
function refused3(role, used, problem3) {
  if (used === null) return problem3;
  role.forget(used.value);
  const { message, errorCode, cause, retriable } = problem3;
  return new SaslProblem(message, { errorCode, cause, retriable: retriable || used.isReused });
}

// src/sasl/oauth-bearer.ts
var ACKNOWLEDGED = Uint8Array.of(1);
function tokenSource(provide, clock) {
  return new Expiring({
    clock,
    fetch: async () => {
      const value = checkToken(await askProvider("sasl.token", provide, clock));
      return { value, expiresAtMs: value.expiresAtMs };
    },
    renewAfterMs: renewTokenAfterMs,
    // The function has this long; its own message is the better one.
    timeoutMs: PROVIDER_TIMEOUT_MS + 1e3
  });
}
async function* oauthBearer({ tokens, clock, authorizationId: authorizationId2 }) {
  const { value: token, isReused } = await tokens.get();
  const secrets = [token.value];
  try {
    const document = yield* say(clientInitialResponse(token, authorizationId2), secrets);
    if (document.length === 0) return {};
    throw yield* refused4(readErrorDocument(document, secrets), secrets);
  } catch (error) {
    if (!(error instanceof SaslProblem)) throw error;
    tokens.forget(token);
    const details = { errorCode: error.errorCode, cause: error.cause, retriable: error.retriable || isReused };
    throw new SaslProblem(`${error.message}${expiry(token, clock)}`, details);
  }
}
function* refused4(why, secrets) {
  try {
    yield* say(ACKNOWLEDGED, secrets);
    return new SaslProblem(why);
  } catch (error) {
    if (!(error instanceof SaslProblem)) throw error;
    return new SaslProblem(`${why}; ${error.message}`, { errorCode: error.errorCode });
  }
}
function expiry({ expiresAtMs }, clock) {
  if (expiresAtMs === void 0 || expiresAtMs > clock.wallNow()) return "";
  return ` (by our clock the token has expired at ${new Date(expiresAtMs).toISOString()})`;
}

// src/sasl/plain.ts
async function* plain({ username: username2, password: password2, authorizationId: authorizationId2 = "" }) {
  const secret2 = await password2();
  for (const [name2, part] of Object.entries({ username: username2, password: secret2, authorizationId: authorizationId2 })) {
    if (part.includes("\0")) throw new SaslProblem(`${name2} holds a NUL character, which PLAIN cannot carry`);
    if (part === "" && name2 !== "authorizationId") throw new SaslProblem(`${name2} is empty`);
  }
  yield* say(Buffer.from(`${authorizationId2}\0${username2}\0${secret2}`), [secret2]);
  return {};
}

// src/sasl/scram.ts
import { createHash as createHash2, createHmac as createHmac3, randomBytes as randomBytes2 } from "node:crypto";

// src/sasl/salted-password.ts
import { pbkdf2 } from "node:crypto";
import { promisify as promisify3 } from "node:util";
var HASH_BYTES = { sha256: 32, sha512: 64 };
var pbkdf2Async = promisify3(pbkdf2);
var deriveKey = ({ hash, password: password2, salt, iterations }) => pbkdf2Async(Buffer.from(password2), salt, iterations, HASH_BYTES[hash], hash);
var MAX_REMEMBERED = 100;
var SaltedPasswords = class {
  #derive;
  /** Oldest use first. */
  #remembered = /* @__PURE__ */ new Map();
  #previous = Promise.resolve();
  constructor(derive = deriveKey) {
    this.#derive = derive;
  }
  /** @returns a copy, for the caller to wipe. @throws the reason of `signal`, if that aborts before its turn. */
  async get(request, signal) {
    const key = keyOf(request);
    const known = this.#recall(key);
    if (known !== void 0) return known;
    const turn = this.#previous.then(async () => {
      signal?.throwIfAborted();
      return this.#recall(key) ?? this.#compute(key, request);
    });
    this.#previous = turn.then(ignore, ignore);
    return turn;
  }
  async #compute(key, request) {
    const salted = await this.#derive(request);
    this.#remembered.set(key, Buffer.from(salted));
    for (const [oldest, forgotten] of this.#remembered) {
      if (this.#remembered.size <= MAX_REMEMBERED) break;
      forgotten.fill(0);
      this.#remembered.delete(oldest);
    }
    return salted;
  }
  #recall(key) {
    const known = this.#remembered.get(key);
    if (known === void 0) return void 0;
    this.#remembered.delete(key);
    this.#remembered.set(key, known);
    return Buffer.from(known);
  }
};
var saltedPasswords = new SaltedPasswords();
function keyOf({ hash, password: password2, salt, iterations }) {
  return `${hash} ${iterations} ${Buffer.from(salt).toString("base64")} ${fingerprint(password2)}`;
}
function ignore() {
}

// src/sasl/scram.ts
var DEFAULT_MAX_ITERATIONS = 1e6;
async function* scram(hash, credentials2, options = {}) {
  const { username: username2, authorizationId: authorizationId2 = "" } = credentials2;
  const { nonce = newNonce(), maxIterations = DEFAULT_MAX_ITERATIONS, passwords = saltedPasswords } = options;
  const password2 = await credentials2.password();
  checkNames({ username: username2, authorizationId: authorizationId2 });
  if (password2 === "") throw new SaslProblem("password is empty");
  const gs2Header = authorizationId2 === "" ? "n,," : `n,a=${saslName(authorizationId2)},`;
  const clientFirst = `n=${saslName(username2)},r=${nonce}`;
  const serverFirst = yield* say(Buffer.from(gs2Header + clientFirst), [password2]);
  const first = readServerFirst(serverFirst, { nonce, maxIterations, secrets: [password2] });
  const { salt, iterations } = first;
  const clientFinal = `c=${Buffer.from(gs2Header).toString("base64")},r=${first.nonce}`;
  const authMessage = Buffer.concat([Buffer.from(`${clientFirst},`), serverFirst, Buffer.from(`,${clientFinal}`)]);
  const salted = await passwords.get({ hash, password: password2, salt, iterations }, options.signal);
  const { proof, serverSignature } = prove(hash, salted, authMessage);
  try {
    const secrets = [password2, proof, serverSignature.toString("base64")];
    checkServerFinal(yield* say(Buffer.from(`${clientFinal},p=${proof}`), secrets), serverSignature, secrets);
  } finally {
    serverSignature.fill(0);
  }
  return {};
}
function prove(hash, salted, authMessage) {
  const clientKey = hmac2(hash, salted, "Client Key");
  const storedKey = createHash2(hash).update(clientKey).digest();
  const clientSignature = hmac2(hash, storedKey, authMessage);
  const serverKey = hmac2(hash, salted, "Server Key");
  const serverSignature = hmac2(hash, serverKey, authMessage);
  const proof = Buffer.from(clientKey.map((byte3, i) => byte3 ^ (clientSignature[i] ?? 0)));
  const text3 = proof.toString("base64");
  for (const key of [salted, clientKey, storedKey, clientSignature, serverKey, proof]) key.fill(0);
  return { proof: text3, serverSignature };
}
function hmac2(hash, key, data) {
  return createHmac3(hash, key).update(data).digest();
}
function newNonce() {
  return randomBytes2(24).toString("base64url");
}
function checkNames(names) {
  for (const [name2, value] of Object.entries(names)) {
    if (value.includes("\0")) throw new SaslProblem(`${name2} holds a NUL character, which SCRAM cannot carry`);
  }
  if (names["username"] === "") throw new SaslProblem("username is empty");
}

// src/sasl/mechanism.ts
function createMechanism(settings, surroundings) {
  const { mechanism: name2 } = settings;
  const { clock } = surroundings;
  switch (name2) {
    case "PLAIN": {
      const { username: username2, authorizationId: authorizationId2 } = settings;
      const credentials2 = {
        username: username2,
        authorizationId: authorizationId2,
        password: () => reveal("sasl.password", settings.password, clock)
      };
      return {
        name: name2,
        user: username2,
        exposure: "secret",
        isFixed: settings.password instanceof Secret,
        begin: () => plain(credentials2)
      };
    }
    case "SCRAM-SHA-256":
    case "SCRAM-SHA-512": {
      const { username: username2, authorizationId: authorizationId2, maxIterations } = settings;
      const credentials2 = {
        username: username2,
        authorizationId: authorizationId2,
        password: () => reveal("sasl.password", settings.password, clock)
      };
      const hash = name2 === "SCRAM-SHA-256" ? "sha256" : "sha512";
      const begin = ({ signal }) => scram(hash, credentials2, { maxIterations, signal });
      return { name: name2, user: username2, exposure: "none", isFixed: settings.password instanceof Secret, begin };
    }
    case "OAUTHBEARER": {
      const { token, authorizationId: authorizationId2 } = settings;
      const tokens = tokenSource(typeof token === "function" ? token : () => token.reveal(), clock);
      const begin = () => oauthBearer({ tokens, clock, authorizationId: authorizationId2 });
      return { name: name2, user: null, exposure: "secret", isFixed: token instanceof Secret, begin };
    }
    case "AWS_MSK_IAM": {
      const { fetch = globalThis.fetch, env = process.env } = surroundings;
      const logins = new AwsLogins(settings, { clock, fetch, env });
      const { credentials: credentials2, roleArn } = settings;
      const isFixed = typeof credentials2 === "object" && roleArn === void 0;
      return { name: name2, user: roleArn ?? null, exposure: "tls", isFixed, begin: ({ host }) => logins.begin(host) };
    }
  }
}

// src/producer/record-metadata.ts
var RecordMetadata = class {
  topic;
  partition;
  /** `-1n`: nobody told us (`acks: 0`, or a duplicate whose place the broker has forgotten). */
  offset;
  /** Milliseconds since the Unix epoch: the record's own, or the broker's where the topic says `LogAppendTime`. */
  timestamp;
  constructor(topic, partition, offset, timestamp) {
    this.topic = topic;
    this.partition = partition;
    this.offset = offset;
    this.timestamp = timestamp;
  }
  /** JSON has no 64-bit integers: the offset is a decimal string. */
  toJSON() {
    return { topic: this.topic, partition: this.partition, offset: String(this.offset), timestamp: this.timestamp };
  }
};

// src/producer/delivery-report.ts
var BatchDeliveryError = class extends KafkaError {
  name = "BatchDeliveryError";
  code = "BATCH_FAILED";
  report;
  errors;
  constructor(report, details = {}) {
    const errors = [...new Set(report.failed.map(({ error }) => error))];
    const [first] = errors;
    const reason = first?.message ?? (details.cause instanceof Error ? details.cause.message : "the records could not be read");
    const failed6 = `${report.failed.length} of ${report.count} records were not delivered`;
    super(`sendAll: BATCH_FAILED: ${failed6}; ${errors.length > 1 ? "first: " : ""}${reason}`, {
      retriable: errors.every(({ retriable }) => retriable) && errors.length > 0,
      maybeWritten: errors.some(({ maybeWritten }) => maybeWritten),
      cause: details.cause ?? first
    });
    this.report = report;
    this.errors = errors;
  }
};
var INITIAL_RECORDS = 64;
var ReportReceipt = class {
  failed = [];
  #topics = [];
  #topicNumbers = /* @__PURE__ */ new Map();
  #errors = /* @__PURE__ */ new Map();
  #topicOf = new Uint32Array(INITIAL_RECORDS);
  #partitions = new Int32Array(INITIAL_RECORDS);
  #offsets = new BigInt64Array(INITIAL_RECORDS);
  #timestamps = new Float64Array(INITIAL_RECORDS);
  #count = 0;
  #unsettled = 0;
  #onAllSettled = null;
  get count() {
    return this.#count;
  }
  /** A place for the next record. */
  next() {
    const index = this.#count++;
    this.#unsettled++;
    if (index === this.#partitions.length) this.#grow();
    return index;
  }
  settleDelivered(index, topic, partition, offset, timestamp) {
    this.#topicOf[index] = this.#topicNumber(topic);
    this.#partitions[index] = partition;
    this.#offsets[index] = offset;
    this.#timestamps[index] = timestamp;
    this.#settle();
  }
  settleFailed(index, error) {
    this.#errors.set(index, error);
    this.failed.push({ index, error });
    this.#settle();
  }
  /** Resolves when every record that got a place has settled. */
  allSettled() {
    return new Promise((resolve3) => {
      if (this.#unsettled === 0) resolve3();
      else this.#onAllSettled = resolve3;
    });
  }
  metadata(index) {
    const error = this.#errors.get(index);
    if (error !== void 0) throw error;
    if (!Number.isInteger(index) || index < 0 || index >= this.#count) {
      const what = `no record ${index}; the report has ${this.#count}`;
      throw new OptionError("INVALID_ARGUMENT", `DeliveryReport.metadata: INVALID_ARGUMENT: ${what}`);
    }
    const topic = this.#topics[this.#topicOf[index] ?? 0] ?? "";
    return new RecordMetadata(
      topic,
      this.#partitions[index] ?? 0,
      this.#offsets[index] ?? -1n,
      this.#timestamps[index] ?? 0
    );
  }
  #settle() {
    this.#unsettled--;
    if (this.#unsettled > 0 || this.#onAllSettled === null) return;
    this.#onAllSettled();
    this.#onAllSettled = null;
  }
  #topicNumber(topic) {
    const known = this.#topicNumbers.get(topic);
    if (known !== void 0) return known;
    const number = this.#topics.push(topic) - 1;
    this.#topicNumbers.set(topic, number);
    return number;
  }
  #grow() {
    const capacity = this.#partitions.length * 2;
    const topicOf2 = new Uint32Array(capacity);
    const partitions = new Int32Array(capacity);
    const offsets = new BigInt64Array(capacity);
    const timestamps = new Float64Array(capacity);
    topicOf2.set(this.#topicOf);
    partitions.set(this.#partitions);
    offsets.set(this.#offsets);
    timestamps.set(this.#timestamps);
    this.#topicOf = topicOf2;
    this.#partitions = partitions;
    this.#offsets = offsets;
    this.#timestamps = timestamps;
  }
};

// src/producer/give-up.ts
function giveUpAll(intake, sender) {
  let givenUp = 0;
  intake.failAll(({ topic }) => {
    givenUp++;
    return closedError3(`topic ${JSON.stringify(topic)}: the producer was closed first`, { topic });
  });
  sender.failAll((batch) => {
    givenUp += batch.recordCount;
    const where = `topic ${JSON.stringify(batch.topic)} partition ${batch.partition}`;
    return closedError3(`${where}: the producer was closed first`, detailsOf(batch));
  });
  return givenUp;
}
function failAllFor(error, intake, sender) {
  intake.failAll(() => fatalError(error, {}));
  sender.failAll((batch) => fatalError(error, detailsOf(batch)));
}

// src/producer/accepted.ts
var NO_TICKETS = Object.freeze([]);
function addTicket(accepted, ticket) {
  ticket.more();
  accepted.tickets = [...accepted.tickets, ticket];
}

// src/producer/admission.ts
var UNKNOWN_TOPIC_WAIT_MS = 5e3;
var HINT_WAIT_MS = 1e3;
var Admission = class {
  #options;
  #cluster;
  #listener;
  /** Each record leaves its set before anybody is told: partitioners are user code, and may come back here. */
  #topics = /* @__PURE__ */ new Map();
  /** Records of topics that are missing, while a hint is being looked for. */
  #leaving = /* @__PURE__ */ new Set();
  #names = null;
  #timer = null;
  constructor(options, cluster2, listener) {
    this.#options = options;
    this.#cluster = cluster2;
    this.#listener = listener;
  }
  get isEmpty() {
    return this.#topics.size === 0 && this.#leaving.size === 0;
  }
  has(topic) {
    return this.#topics.has(topic);
  }
  /** Records that wait here. */
  get count() {
    let count3 = 0;
    for (const queue of this.#topics.values()) count3 += queue.size;
    for (const leaving of this.#leaving) count3 += leaving.size;
    return count3;
  }
  /** The topic, if the record can go into a batch at once: it is known, and nothing of it waits in front. */
  ready(record3) {
    const topic = this.#cluster.metadata.topic(record3.topic);
    if (topic === void 0 || this.#topics.has(record3.topic)) return null;
    return record3.partition === null || record3.partition < topic.leaders.length ? topic : null;
  }
  wait(accepted) {
    const { record: record3, sentMs } = accepted;
    const deadlineMs = sentMs + Math.min(this.#options.maxBlockMs, this.#options.deliveryTimeoutMs);
    const seenRevision = this.#cluster.metadata.topic(record3.topic)?.revision ?? -1;
    const queue = this.#topics.get(record3.topic) ?? /* @__PURE__ */ new Set();
    queue.add({ accepted, deadlineMs, seenRevision });
    this.#listener.onWaiting(accepted.chargedBytes);
    this.#topics.set(record3.topic, queue);
    this.#cluster.watch(record3.topic);
    this.#watchTime();
  }
  /** Looks again at everything that waits, now that metadata may have moved on. Deadlines are left to the timer. */
  review(nowMs = -Infinity) {
    for (const [topic, queue] of [...this.#topics]) this.#reviewTopic(topic, queue, nowMs);
    if (this.#topics.size > 0) this.#cluster.refreshUnlessAsking();
    this.#watchTime();
  }
  /** Every record that waits fails. */
  failAll(error) {
    const all = this.#all();
    for (const queue of this.#topics.values()) queue.clear();
    this.#topics.clear();
    this.#leaving.clear();
    this.#watchTime();
    for (const accepted of all) {
      if (isWithdrawn(accepted)) this.#leave(accepted);
      else this.#fail(accepted, error(accepted.record));
    }
  }
  /** Every record that waits now tells the ticket when it settles. */
  addTicket(ticket) {
    this.dropWithdrawn();
    for (const accepted of this.#all()) addTicket(accepted, ticket);
  }
  /** Records that were called off: nobody waits for them, and nothing must. */
  dropWithdrawn() {
    for (const [topic, queue] of [...this.#topics]) {
      for (const waiting of queue) this.#dropIfWithdrawn(queue, waiting);
      this.#forgetIfEmpty(topic, queue);
    }
    this.#watchTime();
  }
  #all() {
    const waiting = [...this.#topics.values()].flatMap((queue) => [...queue]).map(({ accepted }) => accepted);
    return [...waiting, ...[...this.#leaving].flatMap((leaving) => [...leaving])];
  }
  #reviewTopic(name2, queue, nowMs) {
    for (const waiting of queue) {
      if (this.#dropIfWithdrawn(queue, waiting)) continue;
      const topic = this.#cluster.metadata.topic(name2);
      if (topic !== void 0) this.#reviewKnown(topic, queue, waiting, nowMs);
      else if (!this.#isRefused(name2, queue)) this.#reviewUnknown(name2, queue, waiting, nowMs);
    }
    this.#forgetIfEmpty(name2, queue);
  }
  /** The record goes on, or fails, unless the next metadata may bring the partition that it names. */
  #reviewKnown(topic, queue, waiting, nowMs) {
    const count3 = topic.leaders.length;
    const { accepted, seenRevision, deadlineMs } = waiting;
    const { record: record3 } = accepted;
    if (record3.partition === null || record3.partition < count3) {
      queue.delete(waiting);
      this.#listener.onLeaving(accepted.chargedBytes);
      this.#listener.admit(accepted, topic);
    } else if (topic.revision > seenRevision || deadlineMs <= nowMs) {
      queue.delete(waiting);
      this.#fail(accepted, unknownPartition(record3, count3));
    }
  }
  #reviewUnknown(name2, queue, waiting, nowMs) {
    if (waiting.deadlineMs > nowMs) return;
    queue.delete(waiting);
    this.#fail(waiting.accepted, this.#metadataTimeout(name2));
  }
  /** The cluster knows the name and says no, or has not known it for long: all that wait for it leave. */
  #isRefused(name2, queue) {
    const errorCode = this.#cluster.metadata.problem(name2)?.errorCode ?? 0;
    const [first] = queue;
    const waitedMs = this.#options.clock.now() - (first?.accepted.sentMs ?? Infinity);
    const isMissing2 = isUnknown(errorCode) && waitedMs >= Math.min(UNKNOWN_TOPIC_WAIT_MS, this.#options.maxBlockMs);
    if (!isRefusal(errorCode) && !isMissing2) return false;
    const all = [...queue].map(({ accepted }) => accepted);
    queue.clear();
    this.#cluster.forget(name2);
    if (isMissing2) void this.#failMissing(name2, all, errorCode);
    else for (const accepted of all) this.#fail(accepted, topicRefused(name2, errorCode));
    return true;
  }
  #forgetIfEmpty(topic, queue) {
    if (queue.size === 0 && this.#topics.get(topic) === queue) this.#topics.delete(topic);
  }
  /** The topic is not there. What is, is asked for once more, because most missing topics are misspelt ones. */
  async #failMissing(topic, all, errorCode) {
    const leaving = new Set(all);
    this.#leaving.add(leaving);
    const hint = await this.#nearestNames(topic);
    if (!this.#leaving.delete(leaving)) return;
    const what = `the cluster has no topic ${JSON.stringify(topic)}, and did not create it${hint}`;
    const error = toBrokerError(errorCode, "send", { topic, maybeWritten: false }, what);
    for (const accepted of leaving) this.#fail(accepted, error);
  }
  /** A hint is worth a moment, not more: the record has waited long enough. One question serves all missing topics. */
  async #nearestNames(topic) {
    this.#names ??= this.#listener.topicNames().finally(() => this.#names = null);
    let endWait = () => void 0;
    const late = new Promise((resolve3) => endWait = () => resolve3(null));
    const timer2 = this.#options.clock.after(HINT_WAIT_MS, endWait, false);
    try {
      const nearest = nearestNames(topic, await Promise.race([this.#names, late]) ?? [], 3);
      return nearest.length === 0 ? "" : `; did you mean ${nearest.map((name2) => JSON.stringify(name2)).join(" or ")}?`;
    } catch (error) {
      return `; the names that exist could not be read: ${error instanceof Error ? error.message : String(error)}`;
    } finally {
      timer2.cancel();
    }
  }
  #fail(accepted, error) {
    this.#leave(accepted);
    accepted.receipt.settleFailed(accepted.token, error);
  }
  /** Called off while it waited: nobody is to be told any more, but flushes count it. */
  #dropIfWithdrawn(queue, waiting) {
    const { accepted } = waiting;
    if (!isWithdrawn(accepted)) return false;
    if (queue.delete(waiting)) this.#leave(accepted);
    return true;
  }
  #leave({ chargedBytes, tickets }) {
    finish(tickets);
    this.#listener.onFailed();
    this.#listener.onLeaving(chargedBytes);
  }
  #metadataTimeout(topic) {
    const trouble = this.#cluster.trouble(topic, 0);
    const problem3 = this.#cluster.metadata.problem(topic);
    const last = trouble?.message ?? (problem3 === void 0 ? null : errorByCode(problem3.errorCode).name);
    const what = `the partitions of topic ${JSON.stringify(topic)} were not known within maxBlockMs (${this.#options.maxBlockMs} ms)`;
    return new DeliveryError(
      "METADATA_TIMEOUT",
      `send: METADATA_TIMEOUT: ${what}${last === null ? "" : `; last: ${last}`}`,
      { retriable: true, topic, cause: trouble ?? void 0 }
    );
  }
  #watchTime() {
    this.#timer?.cancel();
    this.#timer = null;
    if (this.#topics.size === 0) return;
    const { clock } = this.#options;
    const nowMs = clock.now();
    let atMs = Infinity;
    for (const [first] of this.#topics.values()) {
      if (first === void 0) continue;
      const missingAtMs = first.accepted.sentMs + UNKNOWN_TOPIC_WAIT_MS;
      atMs = Math.min(atMs, first.deadlineMs, missingAtMs > nowMs ? missingAtMs : Infinity);
    }
    this.#timer = clock.after(atMs - nowMs, () => clock.soon(() => this.review(clock.now())));
  }
};
function isWithdrawn({ receipt, token }) {
  return receipt.isWithdrawn?.(token) === true;
}
function isRefusal(errorCode) {
  return errorCode !== 0 && errorByCode(errorCode).recovery === "fail";
}
function isUnknown(errorCode) {
  return errorCode === UNKNOWN_TOPIC_OR_PARTITION || errorCode === UNKNOWN_TOPIC_ID;
}
function topicRefused(topic, errorCode) {
  return toBrokerError(errorCode, `send: topic ${JSON.stringify(topic)}`, { topic, maybeWritten: false });
}
function unknownPartition({ topic, partition }, count3) {
  const has2 = `topic ${JSON.stringify(topic)} has ${count3} partition${count3 === 1 ? "" : "s"} (0 to ${count3 - 1})`;
  return new DeliveryError("UNKNOWN_PARTITION", `send: UNKNOWN_PARTITION: ${has2}, not partition ${partition ?? ""}`, {
    topic,
    partition: partition ?? void 0
  });
}

// src/producer/buffer-errors.ts
function tooLargeForBuffer(topic, bytes2, bufferBytes) {
  const what = `a record that takes ${bytes2} bytes of memory for topic ${JSON.stringify(topic)} is over bufferBytes (${bufferBytes})`;
  return new DeliveryError("RECORD_TOO_LARGE", `send: RECORD_TOO_LARGE: ${what}`, { topic });
}
function bufferFull(topic, what) {
  const message = `send: BUFFER_FULL: topic ${JSON.stringify(topic)}: ${what}`;
  return new DeliveryError("BUFFER_FULL", message, { topic, retriable: true });
}
function noRoomInTime(topic, options) {
  const { bufferBytes, maxBlockMs, deliveryTimeoutMs } = options;
  const bound = deliveryTimeoutMs < maxBlockMs ? "deliveryTimeoutMs" : "maxBlockMs";
  const within4 = `${bound} (${Math.min(maxBlockMs, deliveryTimeoutMs)} ms)`;
  const what = `no room in bufferBytes (${bufferBytes}) within ${within4}`;
  return bufferFull(topic, `${what}: the brokers take records slower than they are sent`);
}

// src/producer/fifo.ts
var MAX_EMPTY_PLACES = 1024;
var Fifo = class {
  #items = [];
  #start = 0;
  get length() {
    return this.#items.length - this.#start;
  }
  get first() {
    return this.#items[this.#start];
  }
  push(item) {
    this.#items.push(item);
  }
  shift() {
    const { first } = this;
    if (first === void 0) return void 0;
    this.#items[this.#start++] = void 0;
    if (this.length === 0) this.#reset([]);
    else if (this.#start > MAX_EMPTY_PLACES && this.#start * 2 > this.#items.length) this.#reset([...this]);
    return first;
  }
  /** Takes everything out. */
  drain() {
    const all = [...this];
    this.#reset([]);
    return all;
  }
  *[Symbol.iterator]() {
    for (let at = this.#start; at < this.#items.length; at++) {
      const item = this.#items[at];
      if (item !== void 0) yield item;
    }
  }
  #reset(items) {
    this.#items = items;
    this.#start = 0;
  }
};

// src/producer/room-waits.ts
var READY_SHARE = 0.25;
var RoomWaits = class {
  #waits = [];
  /** Resolves as soon as `isOver` is true when somebody looks; at once, if it is now. */
  until(isOver) {
    if (isOver()) return Promise.resolve();
    return new Promise((resolve3) => this.#waits.push({ isOver, resolve: resolve3 }));
  }
  /** Something was given back. */
  look() {
    if (this.#waits.length === 0) return;
    this.#waits = this.#waits.filter(({ isOver, resolve: resolve3 }) => {
      const isReady = isOver();
      if (isReady) resolve3();
      return !isReady;
    });
  }
  /** Nobody will bring room any more. */
  wakeAll() {
    for (const { resolve: resolve3 } of this.#waits.splice(0)) resolve3();
  }
};
function isRoomy(usedBytes, limitBytes, refusedBytes) {
  return usedBytes === 0 || usedBytes + Math.max(refusedBytes, READY_SHARE * limitBytes) <= limitBytes;
}

// src/producer/buffer-memory.ts
var RECORD_OVERHEAD_BYTES = 512;
var MAX_OVERCOMMIT = 2;
var MAX_LANE_OVERCOMMIT = 1.5;
var LANE_SHARE = 0.5;
var LANE_REST_MS = 6e4;
var NO_LEADER = -1;
var BufferMemory = class {
  #options;
  #listener;
  #lanes = /* @__PURE__ */ new Map();
  #usedBytes = 0;
  /** Of records that wait for their topic or for room. */
  #waitingBytes = 0;
  #waiterCount = 0;
  #nextNumber = 0;
  /** Of the latest `offer`; the `ready` that follows waits for it. */
  #refusal = null;
  #roomWaits = new RoomWaits();
  #timer = null;
  /** Never later than the earliest deadline of those that wait. */
  #timerAtMs = Infinity;
  constructor(options, listener) {
    this.#options = options;
    this.#listener = listener;
  }
  /** In batches that have not settled. */
  get usedBytes() {
    return this.#usedBytes;
  }
  get waitingBytes() {
    return this.#waitingBytes;
  }
  /** Records that wait for room. */
  get waiterCount() {
    return this.#waiterCount;
  }
  /** More is held than `bufferBytes`: who brings many records should wait with the next. */
  get isTight() {
    return this.#usedBytes + this.#waitingBytes > this.#options.bufferBytes;
  }
  /** @throws {DeliveryError} `RECORD_TOO_LARGE`: it could never be accepted. */
  checkSize({ topic }, bytes2) {
    if (bytes2 > this.#options.bufferBytes) throw tooLargeForBuffer(topic, bytes2, this.#options.bufferBytes);
  }
  /** @throws {DeliveryError} `RECORD_TOO_LARGE`; `BUFFER_FULL`: there is not even room to wait. */
  checkRoomToWait(record3, bytes2) {
    this.checkSize(record3, bytes2);
    const { topic } = record3;
    const { bufferBytes } = this.#options;
    if (this.#usedBytes + this.#waitingBytes + bytes2 <= MAX_OVERCOMMIT * bufferBytes) return;
    const what = `${this.#usedBytes} bytes are unsettled and ${this.#waitingBytes} wait, bufferBytes is ${bufferBytes}`;
    throw bufferFull(topic, `${what}; await send(), or use sendAll() or offer()`);
  }
  /** Whether an `offer` of a record whose topic is not known yet is taken. */
  hasRoom(bytes2) {
    return !this.#isOwed && this.#usedBytes + this.#waitingBytes + bytes2 <= this.#options.bufferBytes;
  }
  /** Only the partition's broker has no room; a record that may go elsewhere should. */
  isCrowded(queue, leader, bytes2) {
    const lane = this.#laneOf(queue, leader);
    this.#unpin(queue);
    const isFull = lane.waiters.length > 0 || !this.#fitsLane(lane, bytes2);
    return isFull && !this.#isOwed && this.#usedBytes + bytes2 <= this.#options.bufferBytes;
  }
  /** A record waits for its topic. */
  addWaiting(bytes2) {
    this.#waitingBytes += bytes2;
  }
  removeWaiting(bytes2) {
    this.#waitingBytes -= bytes2;
    this.#roomWaits.look();
  }
  /** Room for a record, now; false: there is none, or others wait for it. */
  take(queue, leader, bytes2) {
    const lane = this.#laneOf(queue, leader);
    if (lane.waiters.length > 0 || this.#isOwed || !this.#fits(lane, bytes2)) return this.#unpin(queue);
    this.#charge(queue, lane, bytes2);
    this.#refusal = null;
    return true;
  }
  /** An `offer` found no room: `ready` waits for so much, for that partition's broker; `null`: for any. */
  refuse(bytes2, queue, leader) {
    const lane = queue === null ? null : this.#laneOf(queue, leader);
    this.#refusal = { bytes: bytes2, lane, isUnplaced: false };
    if (queue !== null) this.#unpin(queue);
  }
  /** The same for a record whose topic is not known yet. */
  refuseUnplaced(bytes2) {
    this.#refusal = { bytes: bytes2, lane: null, isUnplaced: true };
  }
  /** @throws {DeliveryError} `BUFFER_FULL`: its broker has its share already, also of what may wait. */
  checkLane({ record: record3, chargedBytes }, queue, leader) {
    const { usedBytes, waitingBytes } = this.#laneOf(queue, leader);
    this.#unpin(queue);
    const { bufferBytes } = this.#options;
    if (this.#lanes.size <= 1 || usedBytes + waitingBytes + chargedBytes <= MAX_LANE_OVERCOMMIT * bufferBytes) return;
    const what = `for its broker ${usedBytes} bytes are unsettled and ${waitingBytes} wait, bufferBytes is ${bufferBytes}`;
    throw bufferFull(record3.topic, `${what}; await send(), or use sendAll() or offer()`);
  }
  /** The record waits until there is room, at most `maxBlockMs`, and not beyond its `deliveryTimeoutMs`. */
  wait(accepted, queue, leader) {
    const lane = this.#laneOf(queue, leader);
    const { maxBlockMs, deliveryTimeoutMs } = this.#options;
    const deadlineMs = accepted.sentMs + Math.min(maxBlockMs, deliveryTimeoutMs);
    lane.waiters.push({ accepted, queue, number: this.#nextNumber++, deadlineMs });
    lane.waitingBytes += accepted.chargedBytes;
    queue.heldBytes += accepted.chargedBytes;
    this.#waiterCount++;
    this.#waitingBytes += accepted.chargedBytes;
    this.#watchTime(deadlineMs);
  }
  /** Records have settled. */
  giveBack(queue, bytes2) {
    this.#usedBytes -= bytes2;
    const lane = this.#laneOf(queue, NO_LEADER);
    lane.usedBytes -= bytes2;
    this.#unhold(queue, bytes2);
    if (this.#lanes.size > 1) this.#dropRestingLanes(lane);
    if (this.#waiterCount > 0) this.#serve();
    this.#roomWaits.look();
  }
  /** Resolves when there is room for what the latest `offer` was refused, or, if it was not, for any record. */
  ready() {
    const refusal9 = this.#refusal;
    this.#refusal = null;
    return this.#roomWaits.until(() => this.#isReadyFor(refusal9));
  }
  /** Resolves when nothing is tight any more; for those who bring many records, whatever their partitions. */
  loosened() {
    return this.#roomWaits.until(() => isRoomy(this.#usedBytes + this.#waitingBytes, this.#options.bufferBytes, 0));
  }
  /** Nobody will bring room any more. */
  wakeAll() {
    this.#roomWaits.wakeAll();
  }
  /** Every record that waits for room fails. */
  failAll(error) {
    this.#dismiss((accepted) => error(accepted.record));
  }
  /** Every record that waits tells the ticket when it settles. */
  addTicket(ticket) {
    this.dropWithdrawn();
    for (const { waiters } of this.#lanes.values()) {
      for (const { accepted } of waiters) addTicket(accepted, ticket);
    }
  }
  /** Records that were called off: nobody waits for them. */
  dropWithdrawn() {
    if (this.#waiterCount === 0) return;
    this.#dismiss(({ receipt, token }) => receipt.isWithdrawn?.(token) === true ? "withdrawn" : null);
    this.#serve();
  }
  /** Takes waiters out: with an error for those that are to be told, or because nobody is. */
  #dismiss(judge4) {
    const failed6 = [];
    for (const lane of this.#lanes.values()) {
      for (const waiter of lane.waiters.drain()) {
        const verdict = judge4(waiter.accepted, waiter.deadlineMs);
        if (verdict === null) {
          lane.waiters.push(waiter);
          continue;
        }
        this.#forget(waiter, lane);
        this.#listener.onFailed();
        if (verdict === "withdrawn") finish(waiter.accepted.tickets);
        else failed6.push([waiter.accepted, verdict]);
      }
    }
    for (const [{ receipt, token, tickets }, error] of failed6) {
      receipt.settleFailed(token, error);
      finish(tickets);
    }
    this.#roomWaits.look();
  }
  /** The oldest first, and if it does not fit, nobody: large records must not starve. Only a full lane is passed over. */
  #serve() {
    for (let lane = this.#oldest(); lane !== null; lane = this.#oldest()) {
      const waiter = lane.waiters.first;
      const { accepted, queue } = waiter;
      if (this.#usedBytes + accepted.chargedBytes > this.#options.bufferBytes) return;
      lane.waiters.shift();
      const isWithdrawn2 = accepted.receipt.isWithdrawn?.(accepted.token) === true;
      if (!isWithdrawn2) this.#charge(queue, lane, accepted.chargedBytes);
      this.#forget(waiter, lane);
      if (!isWithdrawn2) {
        this.#listener.admit(accepted, queue);
        continue;
      }
      this.#listener.onFailed();
      finish(accepted.tickets);
    }
  }
  /** A broker that nothing was sent to for a minute keeps no share: it may be gone, or have been nobody (no leader). */
  #dropRestingLanes(current) {
    const nowMs = this.#options.clock.now();
    current.usedMs = nowMs;
    for (const [id, { usedBytes, waiters, usedMs }] of this.#lanes) {
      const isEmpty = usedBytes === 0 && waiters.length === 0;
      if (isEmpty && nowMs - usedMs > LANE_REST_MS) this.#lanes.delete(id);
    }
  }
  /** Whoever waits only because of others than its own broker comes next, and nobody before it. */
  get #isOwed() {
    return this.#waiterCount > 0 && this.#oldest() !== null;
  }
  /** The lane of the oldest waiter that its own lane does not keep waiting. */
  #oldest() {
    let oldest = null;
    for (const lane of this.#lanes.values()) {
      const head = lane.waiters.first;
      if (head === void 0 || !this.#fitsLane(lane, head.accepted.chargedBytes)) continue;
      if (oldest === null || head.number < oldest.waiters.first.number) oldest = lane;
    }
    return oldest;
  }
  #charge(queue, lane, bytes2) {
    this.#usedBytes += bytes2;
    lane.usedBytes += bytes2;
    queue.heldBytes += bytes2;
  }
  #forget({ accepted, queue }, lane) {
    this.#waiterCount--;
    if (this.#waiterCount === 0) this.#stopTimer();
    this.#waitingBytes -= accepted.chargedBytes;
    lane.waitingBytes -= accepted.chargedBytes;
    this.#unhold(queue, accepted.chargedBytes);
  }
  #unhold(queue, bytes2) {
    queue.heldBytes -= bytes2;
    this.#unpin(queue);
  }
  /** A partition changes lanes, after its leader, only when it holds nothing: its records must not overtake each other. */
  #unpin(queue) {
    if (queue.heldBytes === 0) queue.laneId = null;
    return false;
  }
  /** The lane that the partition is in; if it is in none, that of its leader. */
  #laneOf(queue, leader) {
    const id = queue.laneId ??= leader;
    const known = this.#lanes.get(id);
    if (known !== void 0) return known;
    const lane = { usedBytes: 0, waitingBytes: 0, waiters: new Fifo(), usedMs: this.#options.clock.now() };
    this.#lanes.set(id, lane);
    return lane;
  }
  #fits(lane, bytes2) {
    return this.#usedBytes + bytes2 <= this.#options.bufferBytes && this.#fitsLane(lane, bytes2);
  }
  #fitsLane(lane, bytes2) {
    return lane.usedBytes === 0 || lane.usedBytes + bytes2 <= this.#laneLimitBytes;
  }
  get #laneLimitBytes() {
    const { bufferBytes } = this.#options;
    return this.#lanes.size > 1 ? bufferBytes * LANE_SHARE : bufferBytes;
  }
  #isReadyFor(refusal9) {
    if (this.#isOwed) return false;
    const { bufferBytes } = this.#options;
    const bytes2 = refusal9?.bytes ?? 0;
    const heldBytes = this.#usedBytes + (refusal9?.isUnplaced === true ? this.#waitingBytes : 0);
    if (!isRoomy(heldBytes, bufferBytes, bytes2)) return false;
    const lane = refusal9?.lane ?? null;
    return lane === null || lane.waiters.length === 0 && isRoomy(lane.usedBytes, this.#laneLimitBytes, bytes2);
  }
  #watchTime(deadlineMs) {
    if (deadlineMs >= this.#timerAtMs) return;
    this.#stopTimer();
    const { clock } = this.#options;
    this.#timerAtMs = deadlineMs;
    this.#timer = clock.after(deadlineMs - clock.now(), () => clock.soon(() => this.#expire()));
  }
  #stopTimer() {
    this.#timer?.cancel();
    this.#timer = null;
    this.#timerAtMs = Infinity;
  }
  #expire() {
    const nowMs = this.#options.clock.now();
    this.#stopTimer();
    this.#dismiss(({ record: record3 }, deadlineMs) => deadlineMs <= nowMs ? noRoomInTime(record3.topic, this.#options) : null);
    this.#serve();
    for (const { waiters } of this.#lanes.values()) for (const { deadlineMs } of waiters) this.#watchTime(deadlineMs);
  }
};

// src/producer/record.ts
var MAX_TOPIC_LENGTH = 249;
var LONE_SURROGATE = new RegExp("\\p{Surrogate}", "u");
var NO_HEADERS2 = [];
var MAX_INT322 = 2 ** 31 - 1;
function checkRecord(record3, nowMs) {
  const given = record3;
  if (typeof given !== "object" || given === null) throw invalid2(`expected a record, got ${show(given)}`);
  const { topic } = record3;
  checkTopic(topic);
  const key = record3.key ?? null;
  const value = checkBytes(record3.value, topic, "value");
  const headers = record3.headers === void 0 ? NO_HEADERS2 : checkHeaders(record3.headers, topic);
  const keyBytes = typeof key === "string" ? Buffer.from(key) : checkBytes(key, topic, "key");
  return {
    topic,
    partition: checkPartition(record3.partition, topic),
    timestamp: record3.timestamp === void 0 ? nowMs : checkTimestamp2(record3.timestamp, topic),
    key: keyBytes,
    value,
    headers,
    upperBoundBytes: upperBoundOfRecordBatch(keyBytes, value, headers),
    original: record3
  };
}
var lastTopic = null;
function checkTopic(topic) {
  if (topic === lastTopic && topic !== null) return;
  if (typeof topic !== "string" || topic === "" || topic.length > MAX_TOPIC_LENGTH || LONE_SURROGATE.test(topic)) {
    throw invalid2(`topic: got ${show(topic)}, expected 1 to ${MAX_TOPIC_LENGTH} characters`);
  }
  lastTopic = topic;
}
function checkBytes(value, topic, field2) {
  if (typeof value === "string" || value === null || value instanceof Uint8Array) return value;
  const where = `topic ${show(topic)}: ${field2}`;
  if (value === void 0) throw invalid2(`${where} is undefined; use null for a tombstone`);
  throw invalid2(`${where}: got ${show(value)}, expected a string, a Uint8Array or null; JSON is not made for you`);
}
function checkPartition(partition, topic) {
  if (partition === void 0) return null;
  const isFine = typeof partition === "number" && Number.isInteger(partition) && partition >= 0 && partition <= MAX_INT322;
  if (isFine) return partition;
  throw invalid2(`topic ${show(topic)}: partition: got ${show(partition)}, expected an integer from 0`);
}
function checkTimestamp2(timestamp, topic) {
  const ms = timestamp instanceof Date ? timestamp.getTime() : timestamp;
  if (typeof ms === "number" && Number.isSafeInteger(ms) && ms >= 0) return ms;
  const expected = "expected milliseconds since the Unix epoch, an integer from 0, or a valid Date";
  throw invalid2(`topic ${show(topic)}: timestamp: got ${show(ms)}, ${expected}`);
}
function checkHeaders(headers, topic) {
  const given = headers;
  if (typeof given !== "object" || given === null) {
    throw invalid2(`topic ${show(topic)}: headers: got ${show(given)}, expected an object or pairs`);
  }
  const pairs = [];
  if (Symbol.iterator in given) {
    for (const pair of given) {
      if (!Array.isArray(pair) || typeof pair[0] !== "string") {
        throw invalid2(`topic ${show(topic)}: headers: entry ${pairs.length} is not a pair of a name and a value`);
      }
      pairs.push([pair[0], checkHeader(pair[1], topic, pair[0])]);
    }
    return pairs;
  }
  for (const [name2, values] of Object.entries(given)) {
    if (values === void 0) continue;
    if (Array.isArray(values)) for (const value of values) pairs.push([name2, checkHeader(value, topic, name2)]);
    else pairs.push([name2, checkHeader(values, topic, name2)]);
  }
  return pairs;
}
function checkHeader(value, topic, name2) {
  if (typeof value === "string" || value === null || value instanceof Uint8Array) return value;
  const expected = "expected a string, a Uint8Array or null";
  throw invalid2(`topic ${show(topic)}: header ${show(name2)}: got ${show(value)}, ${expected}`);
}
function invalid2(what) {
  return new OptionError("INVALID_RECORD", `send: INVALID_RECORD: ${what}`);
}

// src/producer/intake.ts
var MAX_CHOICES = 4;
var Intake = class {
  memory;
  #options;
  #parts;
  #admission;
  /** Both clocks, as they were when a record was last given to us. */
  #wallMs = -1;
  #nowMs = 0;
  constructor(options, parts) {
    this.#options = options;
    this.#parts = parts;
    this.memory = new BufferMemory(options, {
      admit: (accepted, queue) => this.#append(accepted, queue),
      onFailed: () => this.#parts.counters.failed++
    });
    this.#admission = new Admission(options, parts.cluster, {
      admit: (accepted, topic) => this.#place(accepted, topic),
      onWaiting: (bytes2) => this.memory.addWaiting(bytes2),
      onLeaving: (bytes2) => this.memory.removeWaiting(bytes2),
      onFailed: () => this.#parts.counters.failed++,
      topicNames: parts.topicNames
    });
  }
  /** Nothing waits to get into a batch. */
  get isEmpty() {
    return this.#admission.isEmpty && this.memory.waiterCount === 0;
  }
  /** Records wait for the topic to be known. */
  isWaitedFor(topic) {
    return this.#admission.has(topic);
  }
  /** Records that wait for their topic or for room. */
  get waitingCount() {
    return this.#admission.count + this.memory.waiterCount;
  }
  /** Takes a record in, or fails it through its receipt: this never throws. */
  accept(record3, receipt, token) {
    try {
      receipt.begin?.(token);
      const checked = this.#check("send", record3);
      const chargedBytes = checked.upperBoundBytes + RECORD_OVERHEAD_BYTES;
      this.memory.checkRoomToWait(checked, chargedBytes);
      if (receipt.isWithdrawn?.(token) === true) return;
      const accepted = this.#accepted(checked, receipt, token, chargedBytes);
      const topic = this.#admission.ready(checked);
      if (topic === null) this.#admission.wait(accepted);
      else this.#place(accepted, topic, true);
    } catch (error) {
      receipt.settleFailed(token, asKafkaError2(error));
    }
  }
  /**
   * Takes a record in if it need not wait for room.
   *
   * @throws {KafkaError} it can never be taken in.
   */
  offer(record3, receipt) {
    const checked = this.#check("offer", record3);
    const chargedBytes = checked.upperBoundBytes + RECORD_OVERHEAD_BYTES;
    this.memory.checkSize(checked, chargedBytes);
    const topic = this.#admission.ready(checked);
    if (topic !== null) return this.#offerTo(topic, checked, chargedBytes, receipt);
    if (!this.memory.hasRoom(chargedBytes)) {
      this.memory.refuseUnplaced(chargedBytes);
      return false;
    }
    this.#admission.wait(this.#accepted(checked, receipt, 0, chargedBytes));
    return true;
  }
  /** Metadata has changed. */
  review() {
    this.#admission.review();
  }
  failAll(errorOf) {
    this.#admission.failAll(errorOf);
    this.memory.failAll(errorOf);
  }
  failWaitingForTopics(error) {
    this.#admission.failAll(() => error);
  }
  addTicket(ticket) {
    this.#admission.addTicket(ticket);
    this.memory.addTicket(ticket);
  }
  dropWithdrawn() {
    this.#admission.dropWithdrawn();
    this.memory.dropWithdrawn();
  }
  #check(where, record3) {
    const refusal9 = this.#parts.refusal(where);
    if (refusal9 !== null) throw refusal9;
    this.#look();
    const checked = checkRecord(record3, this.#wallMs);
    const { maxRequestBytes } = this.#options;
    const { upperBoundBytes, topic } = checked;
    if (upperBoundBytes <= maxRequestBytes) return checked;
    const what = `a record of ${upperBoundBytes} bytes for topic ${JSON.stringify(topic)} is over maxRequestBytes (${maxRequestBytes})`;
    throw new DeliveryError("RECORD_TOO_LARGE", `${where}: RECORD_TOO_LARGE: ${what}`, { topic });
  }
  /** Of many records in a turn and a millisecond only the first asks for the exact time, which costs as much as encoding it. */
  #look() {
    const wallMs = this.#options.clock.wallNow();
    if (wallMs === this.#wallMs && this.#parts.isSameTurn()) return;
    this.#wallMs = wallMs;
    this.#nowMs = this.#options.clock.now();
  }
  #accepted(record3, receipt, token, chargedBytes) {
    this.#parts.counters.accepted++;
    return { record: record3, receipt, token, chargedBytes, sentMs: this.#nowMs, tickets: NO_TICKETS };
  }
  #offerTo(topic, record3, bytes2, receipt) {
    const partition = this.#parts.placement.choose(record3, topic);
    const refusal9 = this.#parts.refusal("offer");
    if (refusal9 !== null) throw refusal9;
    const { queue, leader, isTaken: isTaken2 } = this.#takeRoom(record3, topic, partition, bytes2);
    if (!isTaken2) {
      const isAnywhere = this.#parts.placement.isFree(record3) && !this.memory.isCrowded(queue, leader, bytes2);
      this.memory.refuse(bytes2, isAnywhere ? null : queue, leader);
      return false;
    }
    this.#append(this.#accepted(record3, receipt, 0, bytes2), queue);
    return true;
  }
  /**
   * Chooses the partition, now that the topic is known, and looks for room.
   *
   * @param isNew it has not waited for its topic, and may be refused for want of room to wait.
   */
  #place(accepted, topic, isNew = false) {
    const { record: record3, receipt, token, tickets, chargedBytes } = accepted;
    try {
      const partition = this.#parts.placement.choose(record3, topic);
      const ended = this.#parts.ended();
      if (ended !== null) throw ended;
      if (receipt.isWithdrawn?.(token) === true) return this.#withdrawn(accepted);
      const { queue, leader, isTaken: isTaken2 } = this.#takeRoom(record3, topic, partition, chargedBytes);
      if (isTaken2) return this.#append(accepted, queue);
      if (isNew) this.memory.checkLane(accepted, queue, leader);
      this.memory.wait(accepted, queue, leader);
    } catch (error) {
      this.#parts.counters.failed++;
      receipt.settleFailed(token, asKafkaError2(error));
      finish(tickets);
    }
  }
  /** Room for a record; a partition whose broker has none left is passed over where another will do (P5). */
  #takeRoom(record3, topic, chosen, bytes2) {
    const { accumulator, placement } = this.#parts;
    let partition = chosen;
    for (let choices2 = 1; ; choices2++) {
      const queue = accumulator.queue(record3.topic, partition);
      const leader = topic.leaders[partition] ?? -1;
      if (this.memory.take(queue, leader, bytes2)) return { queue, leader, isTaken: true };
      const isElsewhere = choices2 < MAX_CHOICES && this.memory.isCrowded(queue, leader, bytes2);
      const other = isElsewhere ? placement.chooseOther(record3, topic, partition) : null;
      if (other === null) return { queue, leader, isTaken: false };
      partition = other;
    }
  }
  #withdrawn({ tickets }) {
    this.#parts.counters.failed++;
    finish(tickets);
  }
  #append(accepted, queue) {
    const bytes2 = this.#parts.accumulator.append(accepted, queue);
    this.#parts.placement.placed(accepted.record, queue.partition, bytes2);
    this.#parts.onAppended();
  }
};

// src/producer/log.ts
var Log = class {
  #logger;
  constructor(logger) {
    this.#logger = logger;
  }
  warn(message, fields) {
    this.#tell("warn", message, fields);
  }
  error(message, fields) {
    this.#tell("error", message, fields);
  }
  /** Calls a function of the user's; one that throws must not take other records with it. */
  guard(callback) {
    try {
      callback.call();
    } catch (error) {
      this.error(`${callback.what} threw: ${error instanceof Error ? error.message : String(error)}`, { err: error });
    }
  }
  #tell(level, message, fields) {
    try {
      this.#logger?.[level](fields, message);
    } catch {
    }
  }
};

// src/partitioner/fnv1a.ts
var OFFSET_BASIS = 2166136261;
var PRIME = 16777619;
function fnv1a(bytes2) {
  let hash = OFFSET_BASIS | 0;
  for (let at = 0; at < bytes2.length; at++) hash = Math.imul(hash ^ bytes2[at], PRIME);
  return Math.abs(hash);
}

// src/partitioner/murmur2.ts
var SEED = 2538058380;
var M = 1540483477;
function murmur2(bytes2) {
  const length = bytes2.length;
  const tail = length & ~3;
  let hash = SEED ^ length;
  for (let at = 0; at < tail; at += 4) {
    let word2 = byte2(bytes2, at) | byte2(bytes2, at + 1) << 8 | byte2(bytes2, at + 2) << 16 | byte2(bytes2, at + 3) << 24;
    word2 = Math.imul(word2, M);
    word2 = Math.imul(word2 ^ word2 >>> 24, M);
    hash = Math.imul(hash, M) ^ word2;
  }
  if (tail < length) {
    if (tail + 2 < length) hash ^= byte2(bytes2, tail + 2) << 16;
    if (tail + 1 < length) hash ^= byte2(bytes2, tail + 1) << 8;
    hash = Math.imul(hash ^ byte2(bytes2, tail), M);
  }
  hash = Math.imul(hash ^ hash >>> 13, M);
  return hash ^ hash >>> 15;
}
function toPositive(hash) {
  return hash & 2147483647;
}
function byte2(bytes2, index) {
  return bytes2[index];
}

// src/partitioner/keyed.ts
var keyHashes = Object.freeze({
  murmur2: (key) => toPositive(murmur2(key)),
  crc32: (key) => crc32(key),
  fnv1a
});
var EMPTY = new Uint8Array(0);
var KeyPartitioner = class {
  #rule;
  constructor(rule) {
    this.#rule = rule;
  }
  choose(key, topic, recordBytes) {
    const { keyed, keyless } = this.#rule;
    if (keyless !== null && this.#isNone(key)) return keyless.choose(topic, recordBytes);
    return keyed(key ?? EMPTY, topic);
  }
  placed(key, partition, bytes2) {
    if (this.#isNone(key)) this.#rule.keyless?.placed(partition, bytes2);
  }
  #isNone(key) {
    return key === null || key.length === 0 && this.#rule.emptyIsNone;
  }
};
function byHash(hash) {
  return (key, { partitionCount }) => hash(key) % partitionCount;
}

// src/partitioner/partitioner.ts
var noLoads = { queued: () => 0, hasOpenBatch: () => false };
function pick(list3, random) {
  return list3[Math.floor(random() * list3.length)] ?? 0;
}
function placeOf(partition, available) {
  let [low, high] = [0, available.length];
  while (low < high) {
    const middle = low + high >>> 1;
    if ((available[middle] ?? 0) < partition) low = middle + 1;
    else high = middle;
  }
  return low;
}

// src/partitioner/round-robin.ts
var RoundRobinChoice = class {
  #random;
  #available = null;
  /** Where in `available` the partition given last is. */
  #place = -1;
  #last = -1;
  constructor(random) {
    this.#random = random;
  }
  choose({ available }) {
    this.#place = this.#next(available);
    if (this.#place >= available.length) this.#place = 0;
    this.#available = available;
    this.#last = available[this.#place] ?? 0;
    return this.#last;
  }
  placed() {
  }
  /** The place after the last one. In other partitions, the first above the last: counts stay even when one is away. */
  #next(available) {
    if (this.#available === null) return Math.floor(this.#random() * available.length);
    return available === this.#available ? this.#place + 1 : placeOf(this.#last + 1, available);
  }
};

// src/partitioner/queue-weights.ts
var QUEUES_PER_RECORD = 16;
var QueueWeights = class {
  #loads;
  #random;
  /** The partitions that the sums are of. */
  #available = [];
  /** Doubles: nothing limits their size. */
  #sums = new Float64Array(0);
  #isUniform = true;
  /** Queues that may be looked at by now. */
  #credit = 0;
  constructor(loads, random) {
    this.#loads = loads;
    this.#random = random;
  }
  /** @param recordsSince how many records were placed since the last call. */
  choose(available, recordsSince) {
    this.#credit += recordsSince * QUEUES_PER_RECORD;
    if (available !== this.#available || this.#credit >= available.length) this.#weigh(available);
    if (this.#isUniform) return pick(available, this.#random);
    const total = this.#sums[available.length - 1] ?? 0;
    return available[this.#firstAbove(this.#random() * total)] ?? 0;
  }
  #weigh(available) {
    const count3 = available.length;
    this.#available = available;
    this.#credit = 0;
    if (this.#sums.length < count3) this.#sums = new Float64Array(count3);
    const sums = this.#sums;
    let [longest, shortest] = [0, Infinity];
    for (let i = 0; i < count3; i++) {
      const queued = this.#loads.queued(available[i]);
      sums[i] = queued;
      if (queued > longest) longest = queued;
      if (queued < shortest) shortest = queued;
    }
    this.#isUniform = longest === shortest;
    if (this.#isUniform) return;
    let sum2 = 0;
    for (let i = 0; i < count3; i++) sums[i] = sum2 += longest + 1 - sums[i];
  }
  /** The first place whose sum is above `point`. */
  #firstAbove(point) {
    let [low, high] = [0, this.#available.length - 1];
    while (low < high) {
      const middle = low + high >>> 1;
      if (this.#sums[middle] > point) high = middle;
      else low = middle + 1;
    }
    return low;
  }
};

// src/partitioner/sticky.ts
var ANY_RECORD_BYTES = 1;
var StickyChoice = class {
  #stickyBytes;
  #loads;
  #weights;
  #partition = -1;
  #bytes = 0;
  #records = 0;
  #isDone = true;
  /** Where the partition was last found to have a leader. */
  #available = null;
  constructor(stickyBytes, random, loads = noLoads) {
    this.#stickyBytes = stickyBytes;
    this.#loads = loads;
    this.#weights = new QueueWeights(loads, random);
  }
  choose({ available }, recordBytes) {
    if (this.#isDone || this.#hasEnough(recordBytes) || !this.#isIn(available)) this.#move(available);
    return this.#partition;
  }
  placed(partition, bytes2) {
    if (partition !== this.#partition) return;
    this.#bytes += bytes2;
    this.#records++;
    this.#isDone = this.#hasEnough(ANY_RECORD_BYTES);
  }
  #hasEnough(recordBytes) {
    if (this.#bytes < this.#stickyBytes) return false;
    return this.#bytes >= 2 * this.#stickyBytes || !this.#loads.hasOpenBatch(this.#partition, recordBytes);
  }
  #isIn(available) {
    if (available === this.#available) return true;
    this.#available = available;
    return available[placeOf(this.#partition, available)] === this.#partition;
  }
  #move(available) {
    this.#partition = this.#weights.choose(available, this.#records);
    this.#available = available;
    this.#bytes = 0;
    this.#records = 0;
    this.#isDone = false;
  }
};

// src/partitioner/named.ts
var rules = Object.freeze({
  default: { key: "murmur2", noKey: "sticky" },
  "round-robin": { key: "murmur2", noKey: "round-robin" },
  random: { key: "any", noKey: "sticky" },
  consistent: { key: "crc32", noKey: "hash" },
  consistent_random: { key: "crc32", noKey: "sticky", emptyIsNone: true },
  murmur2: { key: "murmur2", noKey: "hash" },
  murmur2_random: { key: "murmur2", noKey: "sticky" },
  fnv1a: { key: "fnv1a", noKey: "hash" },
  fnv1a_random: { key: "fnv1a", noKey: "sticky" }
});
var partitionerNames = Object.freeze(Object.keys(rules));
function isPartitionerName(value) {
  return typeof value === "string" && Object.hasOwn(rules, value);
}
function namedPartitioner(name2, parts) {
  const { key, noKey, emptyIsNone = false } = rules[name2];
  return new KeyPartitioner({
    keyed: key === "any" ? (_, { available }) => pick(available, parts.random) : byHash(keyHashes[key]),
    keyless: keylessChoice(noKey, parts),
    emptyIsNone
  });
}
function keylessChoice(noKey, { stickyBytes, random, loads }) {
  switch (noKey) {
    case "sticky":
      return new StickyChoice(stickyBytes, random, loads);
    case "round-robin":
      return new RoundRobinChoice(random);
    case "hash":
      return null;
  }
}

// src/partitioner/check-partitioner.ts
var quotedPartitionerNames = partitionerNames.map((name2) => `'${name2}'`).join(", ");
function checkPartitioner(value) {
  if (value === void 0) return { value: "default" };
  if (isPartitionerName(value)) return { value };
  if (typeof value === "function") return { value };
  const [nearest] = typeof value === "string" ? nearestNames(value, partitionerNames) : [];
  const hint = nearest === void 0 ? "" : `; did you mean '${nearest}'?`;
  return { expected: `${quotedPartitionerNames} or a function${hint}` };
}

// src/sasl/options.ts
function secret(doc) {
  return custom({
    ...{ doc, type: "string or function", defaultText: "required", isRequired: true },
    check(value) {
      if (typeof value === "string" && value !== "") return { value: new Secret(value) };
      if (typeof value === "function") return { value };
      const got = value === "" ? "an empty string" : kindOf(value);
      return { problem: value === void 0 ? "a string or a function" : `got ${got}, expected a string or a function` };
    }
  });
}
function optional({ doc, what, isFine }) {
  return custom({
    ...{ doc, type: "string", defaultText: "-" },
    check(value) {
      if (value === void 0 || typeof value === "string" && isFine(value)) return { value };
      return { expected: what };
    }
  });
}
var hasNoNul = (text3) => !text3.includes("\0");
var mechanism = custom({
  ...{ doc: "How to authenticate.", type: "string", defaultText: "required", isRequired: true },
  check: (value) => ({ value })
});
var username = custom({
  ...{ doc: "The user.", type: "string", defaultText: "required", isRequired: true },
  check(value) {
    const isFine = typeof value === "string" && value !== "" && hasNoNul(value);
    return isFine ? { value } : { expected: "a string that is not empty and has no NUL character" };
  }
});
var authorizationId = custom({
  ...{ doc: "Who to act as; Apache Kafka takes nobody but the user.", type: "string", defaultText: "-" },
  check(value) {
    if (value === void 0) return { value: "" };
    const isFine = typeof value === "string" && /^[^\0\x01]*$/.test(value);
    return isFine ? { value } : { expected: "a string without control characters" };
  }
});
var password = secret("The password, or a function that is asked at each login.");
var plainTable = { mechanism, username, password, authorizationId };
var scramTable = {
  ...plainTable,
  maxIterations: int({
    ...{ doc: "The most hashing that a broker may ask for.", default: DEFAULT_MAX_ITERATIONS },
    ...{ min: MIN_ITERATIONS, max: 999999999 }
  })
};
var oauthTable = { mechanism, token: secret("The token, or a function that fetches it."), authorizationId };
var credentials = custom({
  ...{ doc: "Keys, or a credential provider of the AWS SDK.", type: "object or function", defaultText: "environment" },
  check(value) {
    if (value === void 0) return { value };
    if (typeof value === "function") return { value };
    const problem3 = credentialsProblem(value);
    return problem3 === null ? { value: holdCredentials(value) } : { problem: problem3 };
  }
});
var awsTable = {
  ...{ mechanism, credentials },
  region: optional({
    doc: "The region of the cluster.",
    what: "a region's name such as 'eu-west-1'",
    isFine: isRegion
  }),
  roleArn: optional({
    ...{ doc: "A role to assume first.", what: "a role's ARN, 'arn:aws:iam::123456789012:role/name'" },
    isFine: (text3) => /^arn:aws[\w-]*:iam::\d{12}:role\/[\w+=,.@/-]+$/.test(text3)
  }),
  roleSessionName: custom({
    ...{ doc: "What AWS calls the session.", type: "string", defaultText: "'headrace'" },
    check(value) {
      if (value === void 0) return { value: "headrace" };
      const isFine = typeof value === "string" && /^[\w+=,.@-]{2,64}$/.test(value);
      return isFine ? { value } : { expected: "2 to 64 of letters, digits and _+=,.@-" };
    }
  }),
  roleDurationSeconds: int({ doc: "How long a role is assumed for.", min: 900, max: 43200, default: 3600 }),
  externalId: optional({
    ...{ doc: "What the role demands to be told.", what: "2 to 1224 of letters, digits and _+=,.@:/-" },
    isFine: (text3) => /^[\w+=,.@:/-]{2,1224}$/.test(text3)
  }),
  userAgent: optional({
    ...{ doc: "What IAM policies see as aws:UserAgent.", what: "printable characters, 1 to 256" },
    isFine: (text3) => /^[\x20-\x7e]{1,256}$/.test(text3)
  })
};
var tables = {
  PLAIN: plainTable,
  "SCRAM-SHA-256": scramTable,
  "SCRAM-SHA-512": scramTable,
  OAUTHBEARER: oauthTable,
  AWS_MSK_IAM: awsTable
};
var NAMES2 = Object.keys(tables);
var KEYS = "give credentials: { accessKeyId, secretAccessKey, sessionToken? }";
var FOREIGN_NAMES = {
  ...{ user: "it is username", userName: "it is username", login: "it is username" },
  ...{ accessKeyId: KEYS, secretAccessKey: KEYS, sessionToken: KEYS },
  authorizationIdentity: "with aws-msk-iam, give a role as roleArn; otherwise it is authorizationId",
  oauthBearerProvider: "it is token: async () => ({ value, expiresAtMs?, extensions? })"
};
var OTHER_MECHANISMS = {
  aws: "kafkajs's mechanism sends the secret key itself over the wire; use 'aws-msk-iam'",
  "scram-sha-1": "Kafka does not have it; use 'scram-sha-256' or 'scram-sha-512'",
  scram: "is it 'scram-sha-256' or 'scram-sha-512'?",
  gssapi: "Kerberos is not supported",
  kerberos: "Kerberos is not supported"
};
function resolveSasl(input, where = "sasl") {
  const name2 = mechanismOf(input);
  if (typeof name2 !== "string") throw new OptionError("INVALID_OPTIONS", `${where}: INVALID_OPTIONS: ${name2.problem}`);
  const context = { where, table: tables[name2], foreignNames: FOREIGN_NAMES };
  return Object.freeze({ ...resolve(input, context), mechanism: name2 });
}
function checkSasl(value) {
  if (value === void 0) return { value };
  try {
    return { value: resolveSasl(value) };
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    return { problem: error.message.replace(/^sasl: [A-Z_]+: /, "") };
  }
}
function mechanismOf(input) {
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    return { problem: `expected { mechanism, ... }, got ${kindOf(input)}` };
  }
  const all = NAMES2.map((name2) => name2.toLowerCase().replaceAll("_", "-")).join(", ");
  const given = Object.hasOwn(input, "mechanism") ? input.mechanism : void 0;
  if (typeof given !== "string") return { problem: `mechanism: got ${kindOf(given)}, expected one of ${all}` };
  const plain3 = given.toLowerCase().replaceAll("_", "-");
  const found = NAMES2.find((name2) => name2.toLowerCase().replaceAll("_", "-") === plain3);
  if (found !== void 0) return found;
  if (Object.hasOwn(OTHER_MECHANISMS, plain3))
    return { problem: `mechanism: ${show(given)}: ${OTHER_MECHANISMS[plain3]}` };
  if (!/^[\w-]{1,20}$/.test(given)) return { problem: `mechanism: got something else, expected one of ${all}` };
  const [nearest] = nearestNames(plain3, all.split(", "));
  const hint = nearest === void 0 ? "" : `: did you mean '${nearest}'?`;
  return { problem: `mechanism: got ${show(given)}, expected one of ${all}${hint}` };
}

// src/tls/tls-settings.ts
import { createSecureContext } from "node:tls";

// src/tls/key-material.ts
import { createPrivateKey, X509Certificate as X509Certificate2 } from "node:crypto";

// src/tls/der.ts
var SEQUENCE = 48;
var SHAPES = [
  [/^02 30 04/, "pkcs8-key"],
  [/^30 04$/, "encrypted-pkcs8-key"],
  [/^(02 ){8}02/, "pkcs1-key"],
  [/^02 04/, "sec1-key"],
  [/^30 03$|^02 02$/, "public-key"],
  [/^06 a0/, "pkcs7"],
  [/^02 30( 30)?$/, "pkcs12"]
];
var SIGNED_SHAPES = [
  [/^a0 02 30 30 30|^02 30 30 30 30/, "certificate"],
  // the second is version 1, which has no version
  [/^02 30 30( a0|$)/, "request"],
  [/^(02 )?30 30 1[78]/, "crl"]
];
function derLength(bytes2) {
  if (bytes2[0] !== SEQUENCE) return null;
  return partAt(bytes2, 0)?.end ?? null;
}
function derKind(der2) {
  const outer = partAt(der2, 0);
  const parts = outer === null ? null : partsOf2(der2, outer);
  if (outer?.tag !== SEQUENCE || parts === null) return "unknown";
  const shape = shapeOf3(parts);
  const [first] = parts;
  if (shape === "30 30 03" && first !== void 0) {
    const signed2 = shapeOf3(partsOf2(der2, first) ?? []);
    return SIGNED_SHAPES.find(([pattern]) => pattern.test(signed2))?.[1] ?? "unknown";
  }
  return SHAPES.find(([pattern]) => pattern.test(shape))?.[1] ?? "unknown";
}
function shapeOf3(parts) {
  return parts.map(({ tag }) => tag.toString(16).padStart(2, "0")).join(" ");
}
function partsOf2(bytes2, outer) {
  const parts = [];
  for (let at = outer.start; at < outer.end; ) {
    const part = partAt(bytes2, at);
    if (part === null || part.end > outer.end || part.end > bytes2.length) return null;
    parts.push(part);
    at = part.end;
  }
  return parts;
}
function partAt(bytes2, at) {
  const [tag, short] = [bytes2[at], bytes2[at + 1]];
  if (tag === void 0 || short === void 0) return null;
  const start = at + 2;
  if (short < 128) return { tag, start, end: start + short };
  const lengthBytes = short - 128;
  if (lengthBytes < 1 || lengthBytes > 4 || start + lengthBytes > bytes2.length) return null;
  let length = 0;
  for (let i = 0; i < lengthBytes; i++) length = length * 256 + (bytes2[start + i] ?? 0);
  return { tag, start: start + lengthBytes, end: start + lengthBytes + length };
}

// src/tls/pem.ts
var MAX_CHARS = 4 * 1024 * 1024;
var MAX_WRAPPINGS = 3;
var JAVA_KEY_STORE = 4277010157;
var DASHES = "[-\u2010-\u2015\u2212]{1,10}";
var MARKER = new RegExp(`${DASHES}\\s{0,5}(BEGIN|END)\\s{1,5}([A-Z0-9 ]{1,40}?)\\s{0,5}${DASHES}`, "g");
var LEGACY_HEADERS = /^\s*Proc-Type:\s*4,\s*ENCRYPTED\s*DEK-Info:\s*((?:AES|CAMELLIA|ARIA)[A-Z0-9-]*,[0-9A-Fa-f]{32}|[A-Z0-9-]+,[0-9A-Fa-f]{16})/;
var LABELS = {
  certificate: "CERTIFICATE",
  "pkcs8-key": "PRIVATE KEY",
  "encrypted-pkcs8-key": "ENCRYPTED PRIVATE KEY",
  "pkcs1-key": "RSA PRIVATE KEY",
  "sec1-key": "EC PRIVATE KEY",
  "public-key": "PUBLIC KEY",
  request: "CERTIFICATE REQUEST",
  crl: "X509 CRL",
  pkcs7: "PKCS7"
};
var PEM_WORDS = {
  certificate: "a certificate",
  "pkcs8-key": "a private key",
  "pkcs1-key": "a private key",
  "sec1-key": "a private key",
  "encrypted-pkcs8-key": "an encrypted private key",
  "legacy-encrypted-key": "an encrypted private key",
  "public-key": "a public key",
  request: "a certificate request (CSR), which the authority has not signed yet",
  crl: "a revocation list",
  pkcs7: "a PKCS#7 bundle (convert it: openssl pkcs7 -print_certs)",
  pkcs12: "a PKCS#12 key store (give it as pfx)",
  "openssh-key": "a key in OpenSSH's own format (convert it: ssh-keygen -p -m PKCS8)",
  "java-key-store": "a Java key store (convert it: keytool -importkeystore -deststoretype PKCS12, and give it as pfx)",
  unknown: "something that is no certificate and no key"
};
function readPem(value) {
  const blocks = [];
  for (const item of Array.isArray(value) ? value : [value]) {
    const read3 = readOne(item);
    if (!("value" in read3)) return read3;
    blocks.push(...read3.value);
  }
  return blocks.length === 0 ? { problem: "an empty list" } : { value: blocks };
}
function readOne(value) {
  if (typeof value === "string") return readText(value, 0);
  if (value instanceof ArrayBuffer) return readBytes(Buffer.from(value), 0);
  if (!ArrayBuffer.isView(value)) return { problem: "expected PEM text or a Buffer" };
  return readBytes(Buffer.from(value.buffer, value.byteOffset, value.byteLength), 0);
}
function readBytes(bytes2, wrappings) {
  if (isJavaKeyStore(bytes2)) return only("java-key-store");
  if (derLength(bytes2) !== null) return readDer(bytes2);
  const isUtf16 = bytes2[0] === 255 && bytes2[1] === 254 || bytes2.length > 1 && bytes2[0] !== 0 && bytes2[1] === 0;
  return readText(bytes2.toString(isUtf16 ? "utf16le" : "utf8"), wrappings);
}
function readText(given, wrappings) {
  if (given.length > MAX_CHARS) return { problem: `over ${MAX_CHARS} characters` };
  const text3 = plainText(given);
  if (text3 === "") return { problem: "empty" };
  const markers = [...text3.matchAll(MARKER)];
  if (markers.length > 0) return readBlocks(text3, markers);
  const bytes2 = fromBase64(text3);
  if (bytes2 === null) return { problem: looksLikePath(given) ? PATH : NOTHING2 };
  if (derLength(bytes2) !== null || isJavaKeyStore(bytes2)) return readBytes(bytes2, wrappings);
  if (looksLikePath(given)) return { problem: PATH };
  if (wrappings >= MAX_WRAPPINGS || !isText2(bytes2)) return { problem: NOTHING2 };
  return readText(bytes2.toString("utf8"), wrappings + 1);
}
function plainText(given) {
  const decoded2 = /%[0-9A-Fa-f]{2}/.test(given) ? given.replace(/%([0-9A-Fa-f]{2})/g, fromPercent) : given;
  return decoded2.replace(/[\ufeff\u200b-\u200d]/g, "").replace(/\\{1,8}[rnt]/g, "\n").replace(/[\\"'`]/g, "").trim();
}
function fromPercent(_, hex2) {
  return String.fromCharCode(parseInt(hex2, 16));
}
function readBlocks(text3, markers) {
  const blocks = [];
  for (const [i, marker] of markers.entries()) {
    const isBegin = marker[1] === "BEGIN";
    const isBody = isBegin || i === 0;
    const from = isBegin ? marker.index + marker[0].length : 0;
    const to = isBegin ? markers[i + 1]?.index ?? text3.length : marker.index;
    const body = text3.slice(from, to);
    if (!isBody || body.trim() === "") continue;
    const read3 = readBody(marker[2] ?? "", body);
    if (!("value" in read3)) return read3;
    blocks.push(...read3.value);
  }
  return blocks.length === 0 ? { problem: "a PEM label with nothing in it" } : { value: blocks };
}
function readBody(label, body) {
  if (label.startsWith("OPENSSH")) return only("openssh-key");
  if (label.endsWith("PARAMETERS")) return { value: [] };
  const legacy = LEGACY_HEADERS.exec(body);
  const bytes2 = fromBase64(legacy === null ? body : body.slice(legacy[0].length));
  if (bytes2 === null) return { problem: "PEM with something between its labels that is not base64" };
  if (legacy === null) return readDer(bytes2, label.startsWith("TRUSTED"));
  const headers = `Proc-Type: 4,ENCRYPTED
DEK-Info: ${legacy[1] ?? ""}

`;
  return { value: [{ kind: "legacy-encrypted-key", pem: wrap(label, bytes2, headers) }] };
}
function readDer(bytes2, mayHaveMore = false) {
  const blocks = [];
  for (let at = 0; at < bytes2.length; ) {
    const rest = bytes2.subarray(at);
    const length = derLength(rest);
    if (length === null) return { problem: at === 0 ? PEM_WORDS.unknown : "something behind the end of what it holds" };
    if (length > rest.length) return { problem: `cut short: ${rest.length} bytes of ${length} are there` };
    const der2 = rest.subarray(0, length);
    const kind = derKind(der2);
    blocks.push({ kind, pem: wrap(LABELS[kind] ?? "UNKNOWN", der2) });
    if (mayHaveMore) break;
    at += length;
  }
  return blocks.length === 0 ? { problem: "empty" } : { value: blocks };
}
function isJavaKeyStore(bytes2) {
  return bytes2.length >= 4 && bytes2.readUInt32BE(0) === JAVA_KEY_STORE;
}
function only(kind) {
  return { value: [{ kind, pem: "" }] };
}
function fromBase64(text3) {
  const plain3 = text3.replace(/\s+/g, "").replaceAll("-", "+").replaceAll("_", "/");
  if (plain3.length < 8 || !/^[A-Za-z0-9+/][A-Za-z0-9+/=]+$/.test(plain3)) return null;
  return Buffer.concat((plain3.match(/[^=]+/g) ?? []).map((piece) => Buffer.from(piece, "base64")));
}
function wrap(label, der2, headers = "") {
  const lines = Buffer.from(der2).toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----
${headers}${lines.join("\n")}
-----END ${label}-----
`;
}
var NOTHING2 = "neither PEM nor base64 of a certificate or key";
var PATH = "the path of a file, it seems: give what is in the file, for example readFileSync(path)";
function looksLikePath(text3) {
  const line = text3.trim();
  if (line.length > 4096 || line.includes("\n")) return false;
  return /^(\.{0,2}|~|file:\/*|[A-Za-z]:)[\\/]/.test(line) || /\.(pem|crt|cer|key|der|p12|pfx|jks|p7b|ca)$/i.test(line);
}
function isText2(bytes2) {
  return bytes2.subarray(0, 64).every((byte3) => byte3 === 9 || byte3 === 10 || byte3 === 13 || byte3 >= 32 && byte3 < 127);
}

// src/tls/key-material.ts
var ENCRYPTED = /* @__PURE__ */ new Set(["encrypted-pkcs8-key", "legacy-encrypted-key"]);
var KEYS2 = /* @__PURE__ */ new Set(["pkcs8-key", "pkcs1-key", "sec1-key", ...ENCRYPTED]);
function readCertificates(value) {
  const read3 = readPem(value);
  return "value" in read3 ? certificatesOf(read3.value) : holds(read3);
}
function readIdentityPart(value) {
  const read3 = readPem(value);
  if (!("value" in read3)) return holds(read3);
  const isOfUse = read3.value.some(({ kind }) => kind === "certificate" || KEYS2.has(kind));
  return isOfUse ? read3 : { problem: `holds ${wordsFor(read3.value)}` };
}
function clientIdentity(parts) {
  const { cert, key, passphrase } = parts;
  if (cert === void 0 && key === void 0) return { value: null };
  const given = [...cert ?? [], ...key ?? []];
  const certBlocks = cert?.some(isCertificate) === true ? cert : key ?? [];
  const keyBlocks = key?.some(isKey) === true ? key : cert ?? [];
  if (!certBlocks.some(isCertificate)) return { problem: missing("cert", "key", cert, given) };
  if (!keyBlocks.some(isKey)) return { problem: missing("key", "cert", key, given) };
  const certificates = certificatesOf(certBlocks);
  if (!("value" in certificates)) return named(certBlocks === cert ? "cert" : "key", certificates);
  const keyField = keyBlocks === key ? "key" : "cert";
  const privateKey = privateKeyOf(keyBlocks.filter(isKey), passphrase, keyField);
  if (!("value" in privateKey)) return privateKey;
  const own2 = certificates.value.find((certificate) => certificate.checkPrivateKey(privateKey.value));
  if (own2 === void 0) return { problem: mismatch(certificates.value) };
  const chain = inOrder(own2, certificates.value);
  const keyPem = keyBlocks.find(isKey)?.pem ?? "";
  return { value: { certificates: chain, certPem: chain.map(String).join(""), keyPem } };
}
function certificatesOf(blocks) {
  const found = blocks.filter(isCertificate);
  if (found.length === 0) return { problem: `holds ${wordsFor(blocks)}, and no certificate` };
  const certificates = [];
  for (const [i, { pem: pem2 }] of found.entries()) {
    try {
      certificates.push(new X509Certificate2(pem2));
    } catch {
      return { problem: `certificate ${i + 1} of ${found.length} is damaged: OpenSSL cannot read it` };
    }
  }
  return { value: certificates };
}
function privateKeyOf(blocks, passphrase, field2) {
  const [block] = blocks;
  if (block === void 0 || blocks.length > 1)
    return { problem: `${field2}: holds ${blocks.length} private keys, expected one` };
  const isEncrypted = ENCRYPTED.has(block.kind);
  if (isEncrypted && passphrase === void 0) return { problem: `${field2}: is encrypted: set passphrase, too` };
  try {
    return { value: createPrivateKey(passphrase === void 0 ? block.pem : { key: block.pem, passphrase }) };
  } catch (error) {
    const code = codeOf(error);
    if (/UNSUPPORTED/i.test(code) && isEncrypted) {
      return {
        problem: `${field2}: is encrypted in a way that OpenSSL no longer has (convert it: openssl pkcs8 -topk8)`
      };
    }
    if (isEncrypted) return { problem: `passphrase: does not open ${field2} (or the key is damaged)` };
    return { problem: `${field2}: is damaged: OpenSSL cannot read it${code === "" ? "" : ` (${code})`}` };
  }
}
function inOrder(own2, all) {
  const chain = [own2];
  for (let last = own2; last !== void 0; ) {
    const signed2 = last;
    last = all.find((candidate) => !chain.includes(candidate) && signed2.checkIssued(candidate));
    if (last !== void 0) chain.push(last);
  }
  return chain;
}
function missing(field2, other, given, all) {
  if (given !== void 0) return `${field2}: holds ${wordsFor(given)}`;
  return `${field2}: missing: ${other} is set and holds ${wordsFor(all)} only; a broker wants certificate and key`;
}
function mismatch(certificates) {
  return `key: does not belong to ${certificates.length === 1 ? "the certificate" : "any of the certificates"} in cert`;
}
function isCertificate(block) {
  return block.kind === "certificate";
}
function isKey(block) {
  return KEYS2.has(block.kind);
}
function wordsFor(blocks) {
  return [...new Set(blocks.map(({ kind }) => PEM_WORDS[kind]))].join(" and ");
}
function holds(read3) {
  return { problem: `is ${"problem" in read3 ? read3.problem : "of the wrong kind"}` };
}
function named(field2, read3) {
  return { problem: `${field2}: ${"problem" in read3 ? read3.problem : "of the wrong kind"}` };
}
function codeOf(error) {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

// src/tls/tls-options.ts
var VERSIONS = ["TLSv1.2", "TLSv1.3"];
var TLS_TABLE = {
  ca: material(
    readCertificates,
    "PEM, DER, or a list",
    "authorities to trust, instead of the system's",
    "ssl.truststore.certificates"
  ),
  cert: material(
    readIdentityPart,
    "PEM or DER",
    "our certificate, and what it was signed by",
    "ssl.keystore.certificate.chain"
  ),
  key: material(readIdentityPart, "PEM or DER", "the private key of cert", "ssl.keystore.key"),
  passphrase: secretText("opens key, or pfx", "ssl.key.password"),
  pfx: material(readPfx, "bytes or base64", "certificate and key as a PKCS#12 store, instead of cert and key"),
  crl: material(readRevocations, "PEM, DER, or a list", "revocation lists of the authorities"),
  rejectUnauthorized: bool({
    default: true,
    doc: "false: anybody is taken for the broker. Never for passwords or records that matter"
  }),
  servername: name("the name that the brokers have in their certificates, instead of the host that they advertise"),
  checkServerIdentity: hook({
    doc: "decides about the name instead of the usual check",
    signature: "(host, certificate) => Error | undefined",
    kafka: "ssl.endpoint.identification.algorithm"
  }),
  minVersion: version2("TLSv1.2", "the oldest version of TLS"),
  maxVersion: version2("TLSv1.3", "the newest version of TLS"),
  ciphers: name("OpenSSL's list of cipher suites", "ssl.cipher.suites"),
  ecdhCurve: name("groups for the exchange of keys"),
  sigalgs: name("signature algorithms"),
  minDHSize: count("smallest size of a Diffie-Hellman parameter, in bits"),
  secureOptions: count("SSL_OP_ flags of OpenSSL"),
  ALPNProtocols: list2("protocols to offer to a proxy in front of the brokers"),
  allowPartialTrustChain: bool({ default: false, doc: "an authority in ca need not be a root" })
};
var FOREIGN_NAMES2 = {
  host: "brokers says where to dial; servername is the name in the certificate",
  port: "brokers says where to dial",
  path: "brokers says where to dial",
  lookup: "brokers says where to dial; createSocket makes the connection",
  socket: "createSocket makes the connection; TLS goes on top",
  timeout: "connectTimeoutMs is the deadline",
  session: "sessions are not resumed",
  secureContext: "give ca, cert and key: they are checked before the first connection",
  secureProtocol: "minVersion and maxVersion say which versions may be used",
  requestOCSP: "the answer would not be checked; crl takes revocation lists",
  pskCallback: "Kafka has no pre-shared keys; cert and key say who we are",
  enableTrace: "start node with --trace-tls",
  enabled: "tls: true, or the options themselves",
  clientCertEngine: "engines are not supported; give cert and key",
  privateKeyEngine: "engines are not supported; give cert and key",
  privateKeyIdentifier: "engines are not supported; give cert and key",
  "ssl.ca.location": "give what is in the file as ca",
  "ssl.ca.pem": "it is called ca",
  "ssl.certificate.location": "give what is in the file as cert",
  "ssl.certificate.pem": "it is called cert",
  "ssl.key.location": "give what is in the file as key",
  "ssl.key.pem": "it is called key",
  "ssl.key.password": "it is called passphrase",
  "ssl.keystore.location": "give what is in the file as pfx",
  "ssl.keystore.password": "it is called passphrase",
  "ssl.truststore.location": "give the authorities as ca, in PEM (keytool -exportcert -rfc)",
  "ssl.endpoint.identification.algorithm": "it is checked always; checkServerIdentity decides instead",
  "enable.ssl.certificate.verification": "it is called rejectUnauthorized",
  password: "it is called passphrase",
  insecure: "it is called rejectUnauthorized: false",
  verify: "it is called rejectUnauthorized"
};
function checkTlsOptions(given, where) {
  if (typeof given !== "object" || given === null || Array.isArray(given) || ArrayBuffer.isView(given)) {
    throw new OptionError(
      "INVALID_OPTIONS",
      `${where}: INVALID_OPTIONS: expected true, an object with ca, cert, key, ..., or a function that returns one`
    );
  }
  const pair = ownValue(given, "key");
  const input = isKeyAndPassphrase(pair) ? { ...given, key: pair.pem, passphrase: pair.passphrase } : given;
  return resolve(input, {
    where,
    table: TLS_TABLE,
    foreignNames: FOREIGN_NAMES2,
    rules: [
      [(tls) => tls.minVersion <= tls.maxVersion, () => "maxVersion: below minVersion"],
      [
        (tls) => tls.pfx === void 0 || tls.cert === void 0 && tls.key === void 0,
        () => "pfx: holds certificate and key: leave out cert and key"
      ],
      [
        (tls) => tls.passphrase === void 0 || tls.key !== void 0 || tls.cert !== void 0 || tls.pfx !== void 0,
        () => "passphrase: there is no key that it could open: set key, or pfx"
      ]
    ]
  });
}
function isKeyAndPassphrase(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value) && Object.hasOwn(value, "pem");
}
function ownValue(object, key) {
  const value = Object.hasOwn(object, key) ? object[key] : void 0;
  return Array.isArray(value) && value.length === 1 ? value[0] : value;
}
function readPfx(value) {
  const read3 = readPem(value);
  if (!("value" in read3)) return { problem: `is ${"problem" in read3 ? read3.problem : "of the wrong kind"}` };
  const [block] = read3.value;
  if (block?.kind !== "pkcs12" || read3.value.length > 1) return { problem: "holds no PKCS#12 store" };
  return { value: Buffer.from(block.pem.replace(/-----[^-]+-----|\s/g, ""), "base64") };
}
function readRevocations(value) {
  const read3 = readPem(value);
  if (!("value" in read3)) return { problem: `is ${"problem" in read3 ? read3.problem : "of the wrong kind"}` };
  const lists = read3.value.filter((block) => block.kind === "crl");
  return lists.length === 0 ? { problem: "holds no revocation list" } : { value: lists.map(({ pem: pem2 }) => pem2).join("") };
}
function material(read3, type, doc, kafka) {
  const row = { type, doc, defaultText: "-", ...kafka === void 0 ? {} : { kafka } };
  const check2 = (value) => value === void 0 ? { value } : read3(value);
  return custom({ ...row, check: check2 });
}
function secretText(doc, kafka) {
  const check2 = (value) => value === void 0 || typeof value === "string" ? { value } : { problem: `expected text, got a ${typeof value}` };
  return custom({ type: "string", doc, kafka, defaultText: "-", check: check2 });
}
function name(doc, kafka) {
  const row = { type: "string", doc, defaultText: "-", ...kafka === void 0 ? {} : { kafka } };
  const check2 = (value) => value === void 0 || typeof value === "string" ? { value } : { expected: "text" };
  return custom({ ...row, check: check2 });
}
function version2(defaultVersion, doc) {
  const check2 = (value) => {
    const known = VERSIONS.find((one) => one === (value ?? defaultVersion));
    return known === void 0 ? { expected: VERSIONS.map((one) => `'${one}'`).join(" or ") } : { value: known };
  };
  return custom({ type: VERSIONS.join(", "), doc, defaultText: `'${defaultVersion}'`, check: check2 });
}
function count(doc) {
  const check2 = (value) => {
    const isFine = value === void 0 || typeof value === "number" && Number.isInteger(value) && value >= 0;
    return isFine ? { value } : { expected: "a whole number" };
  };
  return custom({ type: "integer", doc, defaultText: "-", check: check2 });
}
function list2(doc) {
  const check2 = (value) => {
    const isFine = value === void 0 || Array.isArray(value) && value.every((one) => typeof one === "string");
    return isFine ? { value } : { expected: "a list of names" };
  };
  return custom({ type: "string[]", doc, defaultText: "-", check: check2 });
}

// src/tls/tls-settings.ts
var MAX_NAMES2 = 5;
var TlsSettings = class {
  #context;
  #table;
  #identity;
  /** @throws {OptionError} `INVALID_OPTIONS`, naming the field. */
  constructor(given, where) {
    const table3 = checkTlsOptions(given === true ? {} : given, where);
    const identity = clientIdentity(table3);
    if (!("value" in identity)) throw invalid3(where, "problem" in identity ? identity.problem : identity.expected);
    this.#identity = identity.value;
    this.#context = contextOf(contextOptions(table3, identity.value), where);
    this.#table = { ...table3, key: void 0, passphrase: void 0, pfx: void 0, cert: void 0 };
    this.hasClientCertificate = identity.value !== null || table3.pfx !== void 0;
    this.isVerifying = table3.rejectUnauthorized;
    this.authorities = table3.ca === void 0 ? null : [...new Set(table3.ca.map(({ subject }) => nameIn(subject)))].slice(0, MAX_NAMES2);
  }
  hasClientCertificate;
  isVerifying;
  /** Common names in `ca`, the first ones; null: the system's authorities. */
  authorities;
  get check() {
    return this.#table.checkServerIdentity;
  }
  /** @param host what the broker advertises, wherever we dial. */
  expectedName(host) {
    return expectedName(host, this.#table.servername);
  }
  /**
   * For `tls.connect`, without socket and identity check. `rejectUnauthorized` is always given: left out,
   * NODE_TLS_REJECT_UNAUTHORIZED would decide.
   */
  connectOptions(host) {
    const { name: name2, servername } = this.expectedName(host);
    const { minDHSize, ALPNProtocols } = this.#table;
    return {
      ...{ secureContext: this.#context, host: name2, rejectUnauthorized: this.isVerifying },
      ...servername === void 0 ? {} : { servername },
      ...minDHSize === void 0 ? {} : { minDHSize },
      ...ALPNProtocols === void 0 ? {} : { ALPNProtocols: [...ALPNProtocols] }
    };
  }
  /** What is worth a word at this time. */
  warnings(nowMs) {
    const own2 = (this.#identity?.certificates ?? []).map((certificate) => expiryWarning("cert", certificate, nowMs));
    const authorities = (this.#table.ca ?? []).map((certificate) => expiryWarning("ca", certificate, nowMs));
    const found = [...own2, ...authorities].filter((warning) => warning !== null);
    return this.isVerifying ? found : [NOT_VERIFIED, ...found];
  }
};
function tlsSource(given, where = "tls") {
  if (typeof given !== "function") {
    const settings = new TlsSettings(given, where);
    return () => settings;
  }
  const ask3 = given;
  return async (address) => {
    try {
      return new TlsSettings(await ask3(), `${where}()`);
    } catch (error) {
      const what = error instanceof OptionError ? error.message : "the function given as tls failed";
      throw optionsFailed(address, what, error);
    }
  };
}
function optionsFailed(address, what, cause) {
  const code = "TLS_OPTIONS_FAILED";
  return new ConnectionError(code, `${address}: ${code}: ${what}`, { retriable: true, cause });
}
function contextOptions(table3, identity) {
  const { ca, pfx, passphrase, minVersion, maxVersion, crl, ciphers, ecdhCurve, sigalgs, secureOptions } = table3;
  const own2 = identity === null ? {} : { cert: identity.certPem, key: identity.keyPem };
  const given = { pfx, passphrase, crl, ciphers, ecdhCurve, sigalgs, secureOptions, ca: ca?.map(String) };
  const present = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== void 0));
  const { allowPartialTrustChain } = table3;
  return {
    ...{ minVersion, maxVersion },
    ...own2,
    ...present,
    ...allowPartialTrustChain ? { allowPartialTrustChain } : {}
  };
}
function contextOf(options, where) {
  try {
    return createSecureContext(options);
  } catch (error) {
    for (const field2 of ["ciphers", "ecdhCurve", "sigalgs", "crl", "ca"]) {
      if (options[field2] !== void 0 && !isTaken({ [field2]: options[field2] })) {
        throw invalid3(where, `${field2}: OpenSSL refuses it${reasonOf3(error)}`);
      }
    }
    if (options.pfx !== void 0) throw invalid3(where, pfxProblem(error, options));
    throw invalid3(
      where,
      `${options.cert === void 0 ? "OpenSSL refuses them" : "cert: OpenSSL refuses it"}${reasonOf3(error)}`
    );
  }
}
function pfxProblem(error, { passphrase }) {
  const words = error instanceof Error ? error.message : "";
  if (/mac verify/i.test(words)) {
    return passphrase === void 0 ? "pfx: is encrypted: set passphrase, too" : "passphrase: does not open pfx";
  }
  if (!/unsupported/i.test(words)) return `pfx: OpenSSL cannot read it${reasonOf3(error)}`;
  return "pfx: is encrypted in a way that OpenSSL no longer has (write it anew, for example with keytool or openssl pkcs12)";
}
function isTaken(options) {
  try {
    createSecureContext(options);
    return true;
  } catch {
    return false;
  }
}
function reasonOf3(error) {
  const reason = error instanceof Error && "reason" in error ? error.reason : void 0;
  return typeof reason === "string" ? ` (${reason})` : "";
}
function invalid3(where, problem3) {
  return new OptionError("INVALID_OPTIONS", `${where}: INVALID_OPTIONS: ${problem3}`);
}

// src/producer/options.ts
var MAX_INT323 = 2 ** 31 - 1;
var DAY_MS2 = 864e5;
var producerOptionTable = Object.freeze({
  brokers: custom({
    type: "string, list of strings, or async function giving either",
    kafka: "bootstrap.servers",
    doc: "Where to begin: `host:port`, several with commas. Any broker of the cluster will do.",
    defaultText: "required",
    isRequired: true,
    check: checkBrokers
  }),
  clientId: text({
    kafka: "client.id",
    doc: "How the brokers name us in logs, metrics and quotas.",
    default: "headrace"
  }),
  acks: custom({
    type: "'all' (or -1), 1, 0",
    kafka: "acks",
    doc: "Who must have a record before it counts: all in-sync replicas, the leader, nobody. With `0` nobody tells us anything: offsets are `-1n`.",
    defaultText: "'all'",
    check(value) {
      if (value === void 0 || value === "all" || value === -1) return { value: -1 };
      return value === 0 || value === 1 ? { value } : { expected: "'all', 1 or 0" };
    }
  }),
  lingerMs: int({
    kafka: "linger.ms",
    doc: "How long a batch may wait for more records while its broker is busy. A record for a broker with nothing to do never waits; `0`: only what is sent in the same turn of the event loop, or while the partition is busy, shares a batch.",
    min: 0,
    max: 6e4,
    default: 0
  }),
  batchBytes: int({
    kafka: "batch.size",
    doc: "A batch is closed at this size. One larger record goes alone.",
    min: 1,
    max: MAX_INT323,
    default: 16384
  }),
  maxRequestBytes: int({
    kafka: "max.request.size",
    doc: "No request, and so no record, is larger.",
    min: 1,
    max: MAX_INT323,
    default: 1048576
  }),
  maxInFlightRequests: int({
    kafka: "max.in.flight.requests.per.connection",
    doc: "Requests out at once per broker. A partition is in at most five of them, in one without idempotence, so that retries keep its order.",
    min: 1,
    max: 1e3,
    default: 5
  }),
  maxBlockMs: int({
    kafka: "max.block.ms",
    doc: "How long `send` may wait to learn the partitions of a topic, and for room in `bufferBytes`.",
    min: 0,
    max: DAY_MS2,
    default: 6e4
  }),
  deliveryTimeoutMs: int({
    kafka: "delivery.timeout.ms",
    doc: "From `send` to its end, whatever happens: retries stop then.",
    min: 1,
    max: MAX_INT323,
    default: 12e4,
    allowInfinity: true
  }),
  requestTimeoutMs: int({
    kafka: "request.timeout.ms",
    doc: "How long one request may go unanswered before its connection is given up.",
    min: 1,
    max: DAY_MS2,
    default: 3e4
  }),
  retryBackoffMs: int({
    kafka: "retry.backoff.ms",
    doc: "Wait before the first retry; doubles, give or take a fifth.",
    min: 0,
    max: DAY_MS2,
    default: 100
  }),
  retryBackoffMaxMs: int({
    kafka: "retry.backoff.max.ms",
    doc: "Longest wait between retries.",
    min: 0,
    max: DAY_MS2,
    default: 1e3
  }),
  reconnectBackoffMs: int({
    kafka: "reconnect.backoff.ms",
    doc: "Wait before a broker is dialled again after a failure; doubles.",
    min: 0,
    max: DAY_MS2,
    default: 50
  }),
  reconnectBackoffMaxMs: int({
    kafka: "reconnect.backoff.max.ms",
    doc: "Longest wait before a broker is dialled again.",
    min: 0,
    max: DAY_MS2,
    default: 1e3
  }),
  metadataMaxAgeMs: int({
    kafka: "metadata.max.age.ms",
    doc: "Metadata is asked for anew after this, even when nothing is wrong.",
    min: 1e3,
    max: DAY_MS2,
    default: 3e5
  }),
  connectionsMaxIdleMs: int({
    kafka: "connections.max.idle.ms",
    doc: "Unused connections are closed after this; brokers do it after 10 minutes.",
    min: 1e3,
    max: DAY_MS2,
    default: 54e4
  }),
  connectTimeoutMs: int({
    kafka: "socket.connection.setup.timeout.ms",
    doc: "How long a connection may take to come about.",
    min: 1,
    max: DAY_MS2,
    default: 1e4
  }),
  allowAutoTopicCreation: bool({
    kafka: "allow.auto.create.topics",
    doc: "Lets the cluster make topics that do not exist, if it is set up to do so.",
    default: true
  }),
  partitioner: custom({
    type: `${quotedPartitionerNames}, or \`(record, { topic, partitionCount, available }) => number\``,
    kafka: "partitioner.class",
    doc: "`'default'`: explicit partition, else Java's murmur2 of the key, else sticky. `'round-robin'`: records without a key rotate one by one. The others are librdkafka's; docs/partitioning.md compares them.",
    defaultText: "'default'",
    check: checkPartitioner
  }),
  compression: custom({
    type: "'none', 'gzip', 'snappy', 'lz4', 'zstd', or `{ codec, level?, compress? }`",
    kafka: "compression.type",
    doc: "Codec of the batches. gzip needs no package; snappy: `snappy`; lz4: `lz4-napi`; zstd: Node >= 22.15, or `@mongodb-js/zstd`. `level`: gzip 1 to 9, zstd 1 to 22. A batch that compression makes larger goes out as it is.",
    defaultText: "'none'",
    check: checkCompression
  }),
  createSocket: hook({
    signature: "`({ nodeId, host, port, signal }) => Duplex`",
    doc: "Makes the transport: proxies, tunnels, tests."
  }),
  mapAddress: hook({
    signature: "`({ nodeId, host, port }) => { host, port }`",
    doc: "Changes where we dial, nothing else."
  }),
  connectGuard: hook({
    signature: "`({ host, port, address }) => void`",
    doc: "Throws to refuse a resolved address."
  }),
  logger: custom({
    type: "`{ debug, info, warn, error }`, each `(fields, message) => void`",
    doc: "Gets what would be of interest in a log (pino's order of arguments). Without it headrace is silent.",
    defaultText: "-",
    check: checkLogger
  }),
  idempotent: custom({
    type: "boolean",
    kafka: "enable.idempotence",
    doc: "Retries write no second copy. Unset: yes with `acks` all, and without where the brokers cannot or do not allow it, with one warning. `true`: fails then instead.",
    defaultText: "yes, with acks 'all'",
    check(value) {
      if (value === void 0) return { value: null };
      return typeof value === "boolean" ? { value } : { expected: "true or false" };
    }
  }),
  bufferBytes: int({
    kafka: "buffer.memory",
    doc: "Memory for records that have not settled; each is charged its bytes and 512 more. Beyond it `send` waits, `offer` says no; beyond twice as much `send` fails.",
    min: 1024,
    max: Number.MAX_SAFE_INTEGER,
    default: 33554432
  }),
  onUndelivered: hook({
    signature: "`(error) => void`",
    doc: "Hears of records that nobody awaits: `offer` without a callback."
  }),
  transactionalId: notYet({ kafka: "transactional.id", type: "string", doc: "Transactions.", neutral: [] }),
  transactionTimeoutMs: notYet({
    kafka: "transaction.timeout.ms",
    type: "integer",
    doc: "How long a transaction may stay open.",
    neutral: []
  }),
  tls: custom({
    type: "`true`, options of `tls.connect`, or a function returning either",
    kafka: "ssl.*",
    doc: "TLS, and with `cert` and `key` mutual TLS. PEM in any shape: text, Buffer, base64 without its header, one line. A function is asked at each connect.",
    defaultText: "false",
    check: checkTls
  }),
  sasl: custom({
    type: "`{ mechanism, ... }`",
    kafka: "sasl.*",
    doc: "`'plain'`, `'scram-sha-256'`, `'scram-sha-512'` with `username` and `password`; `'oauthbearer'` with `token`; `'aws-msk-iam'` with `credentials`, `region`, `roleArn`. Secrets may be functions, asked at each login; docs/security.md.",
    defaultText: "-",
    check: checkSasl
  }),
  allowPlaintextCredentials: bool({
    doc: "Lets PLAIN and OAUTHBEARER send their secret without TLS to other machines, too; to a loopback address they always may.",
    default: false
  })
});
var rules2 = [
  [
    (o2) => o2.sasl?.mechanism !== "AWS_MSK_IAM" || o2.tls !== null,
    () => "sasl: AWS_MSK_IAM is never used without TLS: set tls"
  ],
  [
    (o2) => o2.idempotent !== true || o2.acks === -1,
    (o2) => `idempotent: true needs acks 'all', got ${o2.acks}: without all replicas nothing can be known to be written once`
  ],
  [
    (o2) => o2.deliveryTimeoutMs > o2.lingerMs,
    (o2) => `deliveryTimeoutMs (${o2.deliveryTimeoutMs}) is not longer than lingerMs (${o2.lingerMs}): every record would expire`
  ],
  [
    (o2) => o2.retryBackoffMaxMs >= o2.retryBackoffMs,
    (o2) => `retryBackoffMaxMs (${o2.retryBackoffMaxMs}) is below retryBackoffMs (${o2.retryBackoffMs})`
  ],
  [
    (o2) => o2.reconnectBackoffMaxMs >= o2.reconnectBackoffMs,
    (o2) => `reconnectBackoffMaxMs (${o2.reconnectBackoffMaxMs}) is below reconnectBackoffMs (${o2.reconnectBackoffMs})`
  ]
];
var foreignNames = {
  "bootstrap.servers": "use brokers",
  "metadata.broker.list": "use brokers",
  bootstrapBrokers: "use brokers",
  bootstrapServers: "use brokers",
  "client.id": "use clientId",
  ssl: "use tls",
  "security.protocol": "use tls and sasl",
  retry: "use retryBackoffMs and retryBackoffMaxMs; retries go on until deliveryTimeoutMs",
  retries: "retries go on until deliveryTimeoutMs",
  messages: "records are given to send() or sendAll()",
  createPartitioner: "use partitioner",
  logLevel: "use logger",
  logCreator: "use logger",
  connectionTimeout: "use connectTimeoutMs",
  requestTimeout: "use requestTimeoutMs",
  timeout: "use requestTimeoutMs or deliveryTimeoutMs",
  "queue.buffering.max.ms": "use lingerMs",
  ...Object.fromEntries(
    Object.entries(producerOptionTable).flatMap(
      ([name2, { kafka }]) => kafka?.includes(".") ? [[kafka, `use ${name2}`]] : []
    )
  )
};
function resolveProducerOptions(input) {
  return resolve(input, { where: "Producer", table: producerOptionTable, rules: rules2, foreignNames });
}
function idempotenceOf({ idempotent, acks }) {
  if (idempotent === null) return acks === -1 ? "preferred" : "off";
  return idempotent ? "required" : "off";
}
function checkBrokers(value) {
  if (typeof value === "function") {
    const ask3 = value;
    return { value: async () => parsedBrokers(await ask3()) };
  }
  if (value === void 0) return { expected: "host:port, such as localhost:9092" };
  const parsed = parseBrokers(value);
  if ("problem" in parsed) return { problem: parsed.problem };
  return { value: Object.assign(() => Promise.resolve(parsed.addresses), { isFixed: true }) };
}
function parsedBrokers(value) {
  const parsed = parseBrokers(value);
  if ("addresses" in parsed) return parsed.addresses;
  const what = `brokers: the function gave ${show(value)}: ${parsed.problem}`;
  throw new OptionError("INVALID_OPTIONS", `Producer: INVALID_OPTIONS: ${what}`);
}
function checkTls(value) {
  if (value === void 0 || value === false) return { value: null };
  try {
    return { value: tlsSource(value) };
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    return { problem: error.message.replace(/^tls: [A-Z_]+: /, "") };
  }
}
function checkLogger(value) {
  if (value === void 0) return { value: void 0 };
  const levels = ["debug", "info", "warn", "error"];
  const isLogger = typeof value === "object" && value !== null && levels.every((level) => typeof value[level] === "function");
  return isLogger ? { value } : { expected: "an object with debug, info, warn and error" };
}

// src/producer/placement.ts
import { isPromise } from "node:util/types";
var Placement = class {
  #options;
  #places = /* @__PURE__ */ new Map();
  constructor(options) {
    this.#options = options;
  }
  /** @throws {DeliveryError} `PARTITIONER_FAILED`: a partitioner of the user's own threw, or gave no partition. */
  choose(record3, metadata2) {
    if (record3.partition !== null) return record3.partition;
    const { shape, partitioner } = this.#place(metadata2);
    if (partitioner !== null) return partitioner.choose(record3.key, shape, record3.upperBoundBytes);
    return ask(this.#options.partitioner, record3, shape);
  }
  /** Another partition, where the partitioner is free to choose; `partition` counts as full. `null`: it must be that one. */
  chooseOther(record3, metadata2, partition) {
    const { shape, partitioner } = this.#place(metadata2);
    if (!this.isFree(record3) || partitioner === null) return null;
    partitioner.placed(null, partition, Infinity);
    return partitioner.choose(null, shape, record3.upperBoundBytes);
  }
  /** Another partition may do as well: neither the record nor a function of the user's says which. */
  isFree({ partition, key }) {
    return partition === null && key === null && typeof this.#options.partitioner !== "function";
  }
  /** Tells the partitioner what the record took. */
  placed(record3, partition, bytes2) {
    if (record3.partition !== null) return;
    this.#places.get(record3.topic)?.partitioner?.placed(record3.key, partition, bytes2);
  }
  #place(metadata2) {
    const place = this.#places.get(metadata2.topic);
    if (place === void 0) return this.#newPlace(metadata2);
    if (place.metadata !== metadata2) {
      place.metadata = metadata2;
      place.shape = shapeOf4(metadata2);
    }
    return place;
  }
  #newPlace(metadata2) {
    const { topic } = metadata2;
    const { partitioner: chosen, batchBytes, clock, loads } = this.#options;
    const parts = { stickyBytes: batchBytes, random: () => clock.random(), loads: loads?.(topic) ?? noLoads };
    const partitioner = typeof chosen === "function" ? null : namedPartitioner(chosen, parts);
    const place = { metadata: metadata2, shape: shapeOf4(metadata2), partitioner };
    this.#places.set(topic, place);
    return place;
  }
};
function shapeOf4({ topic, available, leaders }) {
  return Object.freeze({ topic, partitionCount: leaders.length, available: Object.freeze(available.slice()) });
}
function ask(partitioner, record3, shape) {
  let partition;
  try {
    partition = partitioner(record3.original, shape);
  } catch (error) {
    throw failed3(shape, `it threw: ${error instanceof Error ? error.message : show(error)}`, error);
  }
  if (isPartition(partition, shape.partitionCount)) return partition + 0;
  let given = show(partition);
  if (isPromise(partition)) {
    given = "a Promise (partitioners are synchronous)";
    partition.catch(() => void 0);
  }
  throw failed3(shape, `it gave ${given}, expected an integer from 0 to ${shape.partitionCount - 1}`);
}
function isPartition(value, count3) {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value < count3;
}
function failed3({ topic }, what, cause) {
  const message = `send: PARTITIONER_FAILED: topic ${JSON.stringify(topic)}: ${what}`;
  return new DeliveryError("PARTITIONER_FAILED", message, { topic, cause });
}

// src/producer/producer-id.ts
var LAST_EPOCH = 32766;
var identityChannel = diagnosticChannel("headrace:producer:identity");
var ProducerId = class {
  #options;
  #listener;
  #state;
  #identity = null;
  #failures = 0;
  #retryAtMs = -Infinity;
  #isFallback = false;
  #lastError = null;
  constructor(options, listener) {
    this.#options = options;
    this.#listener = listener;
    this.#state = options.idempotence === "off" ? "off" : "none";
  }
  /** Batches carry sequences, or will. */
  get isOn() {
    return this.#state !== "off";
  }
  /** It was wanted and could not be had. */
  get isFallback() {
    return this.#isFallback;
  }
  get identity() {
    return this.#identity;
  }
  /** Not asked again before this, by the clock. */
  get retryAtMs() {
    return this.#retryAtMs;
  }
  /** Why there is none yet, if we know. */
  get lastError() {
    return this.#identity === null ? this.#lastError : null;
  }
  /** Asks this broker for an id, unless that is under way or it is too early. `onChange` tells. */
  want(connection) {
    if (this.#state !== "none" || this.#options.clock.now() < this.#retryAtMs) return;
    if (connection.newestVersion(initProducerId) < 0) return this.refuseOldBroker(connection);
    this.#state = "asking";
    const request = { transactionalId: null, transactionTimeoutMs: 2 ** 31 - 1, producerEpoch: -1, producerId: -1n };
    void connection.request(initProducerId, request).then((outcome) => {
      if (this.#state !== "asking") return this.#listener.onChange();
      this.#state = "none";
      if ("error" in outcome) return this.#failed(outcome.error);
      const { errorCode, producerId, producerEpoch } = outcome.response;
      if (errorCode === 0 && producerId >= 0n && producerEpoch >= 0) return this.#enter({ producerId, producerEpoch });
      if (errorCode === 0) return this.#failed(noIdentity(connection.address, producerId, producerEpoch));
      const error = toBrokerError(errorCode, `${connection.address}: InitProducerId`, { maybeWritten: false });
      if (isRetriable(errorByCode(errorCode).recovery)) this.#failed(error);
      else this.#refused(error);
    });
  }
  /**
   * A broker that knows no sequences: older than Kafka 0.11.
   *
   * @throws {ProtocolError} there is an id, and idempotence is required: what is for this broker cannot be sent.
   */
  refuseOldBroker(connection) {
    if (!this.isOn) return;
    const what = "idempotence needs InitProducerId (Kafka 0.11), which the broker does not have";
    const error = new ProtocolError("UNSUPPORTED_VERSION", `${connection.address}: UNSUPPORTED_VERSION: ${what}`);
    if (this.#identity !== null && this.#options.idempotence === "required") throw error;
    this.#refused(error);
  }
  /** The next epoch, for partitions whose sequences must begin anew; without one left, another id. */
  bump(isIdSpent) {
    if (this.#identity === null || this.#state !== "ready") return;
    const { producerId, producerEpoch } = this.#identity;
    if (!isIdSpent && producerEpoch < LAST_EPOCH) return this.#enter({ producerId, producerEpoch: producerEpoch + 1 });
    this.#identity = null;
    this.#state = "none";
  }
  #enter(identity) {
    this.#identity = identity;
    this.#state = "ready";
    this.#failures = 0;
    this.#retryAtMs = -Infinity;
    if (identityChannel.hasSubscribers) identityChannel.publish({ ...identity });
    this.#listener.onChange();
  }
  #failed(error) {
    const { clock, retryBackoffMs, retryBackoffMaxMs } = this.#options;
    this.#failures++;
    this.#lastError = error;
    this.#retryAtMs = clock.now() + backoffMs(this.#failures, retryBackoffMs, retryBackoffMaxMs, clock.random());
    this.#listener.onChange();
  }
  #refused(error) {
    if (this.#options.idempotence === "required") {
      this.#failed(error);
      return this.#listener.onRefused(error);
    }
    this.#state = "off";
    this.#isFallback = true;
    this.#listener.onFallback(error);
    this.#listener.onChange();
  }
};
function noIdentity(address, producerId, producerEpoch) {
  const what = `InitProducerId gave producer id ${producerId} and epoch ${producerEpoch}`;
  return new ProtocolError("INVALID_VALUE", `${address}: INVALID_VALUE: ${what}`, { retriable: true });
}

// src/producer/receipt.ts
var PromiseReceipt = class {
  #resolve;
  #reject;
  constructor(resolve3, reject) {
    this.#resolve = resolve3;
    this.#reject = reject;
  }
  settleDelivered(_token, topic, partition, offset, timestamp) {
    this.#resolve(new RecordMetadata(topic, partition, offset, timestamp));
  }
  settleFailed(_token, error) {
    this.#reject(error);
  }
};
var CallbackReceipt = class {
  #done;
  #context;
  #callbacks;
  #error = null;
  #metadata = null;
  constructor(done, context, callbacks) {
    this.#done = done;
    this.#context = context;
    this.#callbacks = callbacks;
  }
  settleDelivered(_token, topic, partition, offset, timestamp) {
    this.#metadata = new RecordMetadata(topic, partition, offset, timestamp);
    this.#callbacks.run(this);
  }
  settleFailed(_token, error) {
    this.#error = error;
    this.#callbacks.run(this);
  }
  get what() {
    return "the callback of offer()";
  }
  call() {
    this.#done(this.#error, this.#metadata, this.#context);
  }
};
var UnwatchedReceipt = class {
  #onUndelivered;
  #callbacks;
  constructor(onUndelivered, callbacks) {
    this.#onUndelivered = onUndelivered;
    this.#callbacks = callbacks;
  }
  settleDelivered() {
  }
  settleFailed(_token, error) {
    this.#callbacks.run({ what: "onUndelivered", call: () => this.#onUndelivered?.(error) });
  }
};

// src/producer/read-records.ts
var ReadStop = class {
  #cause = null;
  #reject = null;
  stop(cause) {
    this.#cause ??= cause;
    this.#reject?.(cause);
  }
  /** Waits for work of somebody else's, which may never end, unless the reading is stopped. */
  orStopped(work) {
    return new Promise((resolve3, reject) => {
      this.#reject = reject;
      if (this.#cause !== null) reject(this.#cause);
      work.then(resolve3, reject);
    });
  }
  /** @throws what it was stopped with. */
  check() {
    if (this.#cause !== null) throw this.#cause;
  }
};
var TURN_RECORDS = 1024;
var ReadingPace = class {
  #clock;
  #memory;
  #taken = 0;
  constructor(clock, memory) {
    this.#clock = clock;
    this.#memory = memory;
  }
  /** What to wait for before the next record; null: nothing. */
  afterRecord() {
    this.#taken++;
    if (this.#memory.isTight) return this.#memory.loosened();
    return this.#taken % TURN_RECORDS === 0 ? new Promise((resolve3) => this.#clock.soon(resolve3)) : null;
  }
};
async function readRecords(records2, take, stop) {
  try {
    if (isAsyncIterable(records2)) await readAsync(records2[Symbol.asyncIterator](), take, stop);
    else await readSync(records2, take, stop);
    return null;
  } catch (cause) {
    return { cause };
  }
}
async function readSync(records2, take, stop) {
  for (const record3 of records2) {
    stop.check();
    const room = take(record3);
    if (room !== null) await stop.orStopped(room);
  }
}
async function readAsync(iterator, take, stop) {
  let isOpen = true;
  try {
    for (; ; ) {
      const next2 = await stop.orStopped(iterator.next());
      isOpen = next2.done !== true;
      if (next2.done === true) return;
      const room = take(next2.value);
      if (room !== null) await stop.orStopped(room);
    }
  } finally {
    if (isOpen) void iterator.return?.().then(void 0, ignoreLateError2);
  }
}
function ignoreLateError2() {
  return void 0;
}

// src/producer/decide.ts
var MAX_CORRUPT_COUNT = 3;
var MAX_BROKER_TEXT = 256;
var OUT_OF_ORDER = "OUT_OF_ORDER_SEQUENCE_NUMBER";
function decide(failure, batch, policy) {
  return failure.kind === "refused" ? decideRefused(failure, batch, policy) : decideUnanswered(failure, batch, policy);
}
function decideRefused(failure, batch, policy) {
  const row = errorByCode(failure.errorCode);
  const maybeWritten = batch.maybeWritten || row.maybeWritten;
  if (row.recovery === "duplicate") return { do: "deliver", maybeWritten: true };
  const error = refusal6(failure, batch, maybeWritten);
  const fail = { do: "fail", maybeWritten, error };
  const retry = (delay, refresh = false) => {
    return { do: "retry", delayMs: delay, refresh, maybeWritten, error };
  };
  switch (row.recovery) {
    case "retry":
      return retry(delayMs(batch, policy));
    case "retry-briefly":
      return batch.corruptCount < MAX_CORRUPT_COUNT ? retry(delayMs(batch, policy)) : fail;
    case "refresh-metadata":
      return retry(failure.isLeaderKnown === true ? 0 : delayMs(batch, policy), true);
    case "split":
      return batch.recordCount > 1 && !maybeWritten ? { do: "split", maybeWritten: false, error } : fail;
    case "reset-producer-id":
      return decideOutOfSequence(row, batch, policy, { fail, retry, error });
    case "none":
    case "fail":
      return fail;
  }
}
function decideOutOfSequence(row, batch, policy, { fail, retry, error }) {
  if (batch.sequence === "behind") return retry(0);
  if (batch.sequence === "none" || batch.maybeWritten) return fail;
  const isIdSpent = row.name !== OUT_OF_ORDER;
  return { do: "renew", isIdSpent, delayMs: delayMs(batch, policy), maybeWritten: false, error };
}
function decideUnanswered(failure, batch, policy) {
  const maybeWritten = batch.maybeWritten || failure.wasWritten;
  const { error } = failure;
  const isHopeless = !failure.wasWritten && error instanceof ProtocolError;
  if (isHopeless || !error.retriable) return { do: "fail", maybeWritten, error };
  return { do: "retry", delayMs: delayMs(batch, policy), refresh: true, maybeWritten, error };
}
function delayMs(batch, policy) {
  return backoffMs(Math.max(batch.attempts, 1), policy.retryBackoffMs, policy.retryBackoffMaxMs, policy.random);
}
function refusal6(failure, batch, maybeWritten) {
  const { topic, partition, attempts } = batch;
  const where = `send: topic ${JSON.stringify(topic)} partition ${partition}`;
  const said = failure.errorMessage === null ? "" : `the broker says: ${printable(failure.errorMessage)}`;
  const details = { topic, partition, attempts, maybeWritten, throttleMs: failure.throttleMs };
  return toBrokerError(failure.errorCode, where, details, said);
}
function printable(text3) {
  return text3.replaceAll(new RegExp("\\p{Cc}+", "gu"), " ").slice(0, MAX_BROKER_TEXT);
}

// src/producer/batch-errors.ts
function deliveryTimeout(batch, deliveryTimeoutMs, { last, throttleMs }) {
  const { topic, partition, attempts, maybeWritten } = batch;
  const tried = attempts === 0 ? "never sent" : `sent ${attempts} time${attempts === 1 ? "" : "s"}`;
  const throttled = throttleMs === void 0 ? "" : `; the broker throttles us for another ${throttleMs} ms`;
  const what = `not acknowledged within deliveryTimeoutMs (${deliveryTimeoutMs} ms), ${tried}${throttled}`;
  return new DeliveryError(
    "DELIVERY_TIMEOUT",
    `send: DELIVERY_TIMEOUT: ${whereOf(batch)}: ${what}${last === null ? "" : `; last: ${last.message}`}`,
    { retriable: true, maybeWritten, topic, partition, attempts, throttleMs, cause: last ?? void 0 }
  );
}
function recordErrors(batch, answer, error) {
  const { recordErrors: named2, errorMessage } = answer;
  if (named2.length === 0) return null;
  const { topic, partition, attempts, maybeWritten, recordCount } = batch;
  const details = { topic, partition, attempts, maybeWritten, throttleMs: error.throttleMs };
  const texts2 = /* @__PURE__ */ new Map();
  for (const { batchIndex, batchIndexErrorMessage } of named2) {
    if (batchIndex >= 0 && batchIndex < recordCount) texts2.set(batchIndex, batchIndexErrorMessage ?? errorMessage);
  }
  if (texts2.size === 0) return null;
  const code = texts2.size === 1 ? answer.errorCode : errorByName("INVALID_RECORD")?.code ?? -1;
  const ownError = (text3) => {
    const said = text3 === null ? "" : `the broker says: ${printable(text3)}`;
    return toBrokerError(code, `send: ${whereOf(batch)}`, details, said);
  };
  const count3 = `${texts2.size} of the ${recordCount} records of its batch`;
  const what = `${whereOf(batch)}: the broker refused ${count3}, and so the batch; this record may be sent again (${error.message})`;
  const rest = new DeliveryError("BATCH_REJECTED", `send: BATCH_REJECTED: ${what}`, {
    ...details,
    retriable: true,
    cause: error
  });
  return (index) => {
    const text3 = texts2.get(index);
    return text3 === void 0 ? rest : ownError(text3);
  };
}
function deliveryUncertain(batch) {
  const { topic, partition, attempts, lastError } = batch;
  const what = "no answer told whether it was written, and it can be sent no more without the danger of a second copy";
  const last = lastError === null ? "" : `; last: ${lastError.message}`;
  return new DeliveryError("DELIVERY_UNCERTAIN", `send: DELIVERY_UNCERTAIN: ${whereOf(batch)}: ${what}${last}`, {
    maybeWritten: true,
    topic,
    partition,
    attempts,
    cause: lastError ?? void 0
  });
}
function errorFor(batch, error) {
  const { topic, partition, attempts, maybeWritten } = batch;
  if (error.maybeWritten === maybeWritten) return error;
  const details = { topic, partition, attempts, maybeWritten, retriable: error.retriable, cause: error.cause };
  if (error instanceof ConnectionError) return new ConnectionError(error.code, error.message, details);
  if (error instanceof ProtocolError) return new ProtocolError(error.code, error.message, details);
  return error;
}
function notSplit(refusal9, cause) {
  const why = cause instanceof Error ? cause.message : String(cause);
  const { topic, partition, attempts } = refusal9;
  const details = { topic, partition, attempts, cause: refusal9 };
  const what = `${refusal9.message}; it could not be cut in two, because what the codec made of it cannot be read again: ${why}`;
  return new DeliveryError("COMPRESSION_FAILED", `send: COMPRESSION_FAILED: ${what}`, details);
}
function sequenceDesync(batch, baseOffset) {
  const { topic, partition, attempts, stamp } = batch;
  const sequence = stamp === null ? "" : ` (producer id ${stamp.producerId}, epoch ${stamp.producerEpoch}, sequence ${stamp.firstSequence})`;
  const what = `offset ${baseOffset} was acknowledged for ${batch.recordCount} new records${sequence}, and lies before what was acknowledged earlier: the broker took them for old ones`;
  return new DeliveryError(
    "SEQUENCE_DESYNC",
    `send: SEQUENCE_DESYNC: ${whereOf(batch)}: ${what}; make a new producer`,
    {
      maybeWritten: true,
      fatal: true,
      topic,
      partition,
      attempts
    }
  );
}
function whereOf({ topic, partition }) {
  return `topic ${JSON.stringify(topic)} partition ${partition}`;
}

// src/producer/epochs.ts
var epochBumpChannel = diagnosticChannel("headrace:producer:epoch-bump");
var Epochs = class {
  #parts;
  constructor(parts) {
    this.#parts = parts;
  }
  /**
   * Whether the head may be sent under the stamp it has, or will get. `later`: an answer must come first; `again`: look
   * again, something has changed.
   */
  isInSequence(queue, head) {
    const { producerId } = this.#parts;
    const { sequences } = queue;
    const { identity } = producerId;
    if (!producerId.isOn) return sequences.identity === null ? "yes" : this.#leave(queue, head);
    const isCurrent = identity !== null && sequences.identity === identity;
    if (isCurrent && !sequences.isBroken) return "yes";
    if (head.stamp !== null && (head.maybeWritten || !sequences.isBroken)) return "yes";
    if (queue.inFlight.length > 0) return "later";
    if (isCurrent) {
      this.#bump(queue);
      return "again";
    }
    if (identity === null) return "again";
    this.#releaseStamps(queue);
    sequences.adopt(identity);
    queue.openOn = null;
    return "yes";
  }
  /** Nothing can be sent before there is an identity: a new batch, or one that must get a new stamp. */
  needsIdentity({ sequences }, head) {
    const { producerId } = this.#parts;
    if (!producerId.isOn || producerId.identity !== null) return false;
    return head.stamp === null || sequences.isBroken && !head.maybeWritten;
  }
  #bump({ topic, partition, sequences }) {
    const { producerId, counters } = this.#parts;
    const { identity } = producerId;
    producerId.bump(sequences.isIdSpent);
    counters.epochBumps++;
    if (epochBumpChannel.hasSubscribers && identity !== null) {
      epochBumpChannel.publish({ topic, partition, ...identity, isIdSpent: producerId.identity === null });
    }
  }
  /** Idempotence turned out not to be had after all. */
  #leave(queue, head) {
    if (head.stamp !== null && head.maybeWritten) return "yes";
    if (queue.inFlight.length > 0) return "later";
    this.#releaseStamps(queue);
    queue.sequences.drop();
    return "yes";
  }
  #releaseStamps(queue) {
    for (const batch of [...queue.waiting]) {
      if (batch.stamp === null) continue;
      if (!batch.maybeWritten) batch.unstamp();
      else this.#report(queue, batch);
    }
  }
  #report(queue, batch) {
    queue.drop(batch);
    this.#parts.settlement.fail(queue, batch, deliveryUncertain(batch));
  }
};

// src/producer/produce-exchange.ts
var LAST_VERSION_WITH_NAMES = 12;
var ProduceExchange = class {
  /** Topic name, or id from v13 on: both lead to the partitions that were sent, whatever metadata says by now. */
  #batches = /* @__PURE__ */ new Map();
  #topicIds = /* @__PURE__ */ new Map();
  /** The batches, each with the queue it came from. */
  queues = /* @__PURE__ */ new Map();
  #sizeBytes = 0;
  get sizeBytes() {
    return this.#sizeBytes;
  }
  /** One request has one version, and so batches of one format; and it is no larger than it may be. */
  hasRoomFor(batch, maxBytes) {
    const [first] = this.queues.keys();
    return first?.format?.magic === batch.format?.magic && this.#sizeBytes + batch.sizeBytes <= maxBytes;
  }
  /** Batches that came to their end after they were loaded (a subscriber of a channel closed the producer). */
  takeSettled() {
    const settled = [...this.queues].filter(([batch]) => batch.state === "settled");
    for (const [batch] of settled) {
      this.queues.delete(batch);
      this.#batches.get(batch.topic)?.delete(batch.partition);
    }
    return settled;
  }
  add(batch, queue, metadata2) {
    const { topic, partition } = batch;
    const partitions = this.#batches.get(topic) ?? /* @__PURE__ */ new Map();
    partitions.set(partition, batch);
    this.#batches.set(topic, partitions);
    this.#topicIds.set(topic, metadata2.topic(topic)?.topicId ?? NO_TOPIC_ID);
    this.queues.set(batch, queue);
    this.#sizeBytes += batch.sizeBytes;
  }
  /** The id under which the broker took the topic; null: in this version topics have names. */
  topicIdIn(version3, topic) {
    return version3 > LAST_VERSION_WITH_NAMES ? this.#topicIds.get(topic) ?? null : null;
  }
  /** The versions that can carry it: batches are written in one format, and ids of topics may be missing. */
  get versions() {
    let minVersion = 0;
    let maxVersion = [...this.#topicIds.values()].includes(NO_TOPIC_ID) ? LAST_VERSION_WITH_NAMES : Infinity;
    for (const { format } of this.queues.keys()) {
      if (format === null) continue;
      const limits = versionsFor(format);
      minVersion = Math.max(minVersion, limits.minVersion);
      maxVersion = Math.min(maxVersion, limits.maxVersion ?? Infinity);
    }
    return maxVersion === Infinity ? { minVersion } : { minVersion, maxVersion };
  }
  /** The request; marks every batch as in flight. */
  request(acks, timeoutMs) {
    const topicData = [...this.#batches].map(([name2, partitions]) => ({
      name: name2,
      topicId: this.#topicIds.get(name2) ?? NO_TOPIC_ID,
      partitionData: [...partitions].map(([index, batch]) => ({ index, records: batch.send() }))
    }));
    return { transactionalId: null, acks, timeoutMs, topicData };
  }
  /**
   * Pairs every batch with what the broker said of it; `null` where it said nothing. Partitions that were not sent, and
   * second answers for the same one, are ignored.
   */
  match(response, version3) {
    const answers = new Map([...this.queues.keys()].map((batch) => [batch, null]));
    const names = new Map([...this.#topicIds].map(([name2, id]) => [id, name2]));
    for (const topic of response.responses) {
      const name2 = version3 > LAST_VERSION_WITH_NAMES ? names.get(topic.topicId) : topic.name;
      const partitions = name2 === void 0 ? void 0 : this.#batches.get(name2);
      for (const answer of topic.partitionResponses) {
        const batch = partitions?.get(answer.index);
        if (batch !== void 0 && answers.get(batch) === null) answers.set(batch, answer);
      }
    }
    return answers;
  }
};

// src/producer/sender.ts
var sentChannel = diagnosticChannel("headrace:request:sent");
var BROKER_SHARE_OF_TIMEOUT = 0.9;
var MAX_BATCHES_OUT = 5;
var BUSY_LINGER_MS = 5;
var MAX_REST_MS = 6e4;
var LATER = Infinity;
var Sender = class {
  #options;
  #parts;
  #epochs;
  #timer = null;
  #timerAtMs = Infinity;
  #isPumpSoon = false;
  /** A step is under way; user code that it runs (subscribers of channels) may come back and must not start another. */
  #isBusy = false;
  #isMoreToSend = false;
  constructor(options, parts) {
    this.#options = options;
    this.#parts = parts;
    this.#epochs = new Epochs(parts);
  }
  /** Something was sent in this turn of the event loop. */
  get isPumpSoon() {
    return this.#isPumpSoon;
  }
  /** Pumps when the current turn of the event loop is done, so that everything sent in it shares batches. */
  pumpSoon() {
    if (this.#isPumpSoon) return;
    this.#isPumpSoon = true;
    this.#options.clock.soon(() => {
      this.#isPumpSoon = false;
      this.pump();
    });
  }
  /** Sends whatever can be sent now. Synchronous, and harmless when there is nothing. */
  pump() {
    if (this.#isBusy) this.pumpSoon();
    else this.#step(() => this.#pump());
  }
  #step(work) {
    const wasBusy = this.#isBusy;
    this.#isBusy = true;
    try {
      work();
    } finally {
      this.#isBusy = wasBusy;
    }
  }
  #pump() {
    const nowMs = this.#options.clock.now();
    let wakeAtMs = Infinity;
    const exchanges = /* @__PURE__ */ new Map();
    for (const queue of [...this.#parts.accumulator.active]) {
      wakeAtMs = Math.min(wakeAtMs, nextDeadlineMs(queue));
      const { head } = queue;
      if (head === void 0) continue;
      const next2 = this.#whyNot(queue, head, nowMs, exchanges);
      if (typeof next2 === "number") wakeAtMs = Math.min(wakeAtMs, next2);
      else if (next2 instanceof AuthenticationError) this.#failRefused(queue, next2);
      else this.#load(queue, next2, exchanges);
    }
    for (const [connection, exchange2] of exchanges) this.#send(connection, exchange2);
    this.#wakeAt(wakeAtMs);
    if (this.#takeMoreToSend()) this.pumpSoon();
  }
  /** Fails everything that has not settled. */
  failAll(errorOf) {
    this.#step(() => {
      for (const queue of [...this.#parts.accumulator.active]) this.#failQueue(queue, errorOf);
    });
    this.#wakeAt(Infinity);
  }
  /** Fails what was never sent: the one thing that it needs cannot be had. */
  failUnsent(error) {
    for (const queue of [...this.#parts.accumulator.active]) {
      for (const batch of [...queue.waiting]) {
        if (batch.stamp === null && !batch.maybeWritten) this.#failWaiting(queue, batch, error);
      }
    }
  }
  /**
   * The ladder: the connection to send the head of a queue on, or when to look again, or why that is of no use.
   *
   * Order matters: what is cheap and common comes first, what changes something (sealing, an epoch) last.
   */
  #whyNot(queue, head, nowMs, loaded) {
    const { cluster: cluster2, producerId } = this.#parts;
    if (head.notBeforeMs > nowMs) return head.notBeforeMs;
    if (queue.inFlight.length > 0 && !this.#mayFollow(queue, head)) return this.#sealAhead(queue, head);
    const leader = cluster2.metadata.leader(queue.topic, queue.partition);
    if (leader < 0) return this.#findLeader();
    const connection = cluster2.connectionTo(leader);
    if (connection === null) {
      const retryAtMs = cluster2.retryAtMs(leader);
      return cluster2.refusal(leader) ?? (retryAtMs > nowMs ? retryAtMs : LATER);
    }
    if (queue.inFlight.length > 0 && queue.openOn !== connection) return LATER;
    const lingerEndsMs = this.#lingerEndsMs(queue, head, connection);
    if (lingerEndsMs > nowMs) return lingerEndsMs;
    if (connection.throttledUntilMs > nowMs) return connection.throttledUntilMs;
    if (connection.inFlightCount >= this.#maxInFlightRequests) return LATER;
    if (this.#epochs.needsIdentity(queue, head)) {
      producerId.want(connection);
      return producerId.retryAtMs > nowMs ? producerId.retryAtMs : LATER;
    }
    this.#seal(queue, head, connection);
    if (head.state !== "sealed") return LATER;
    const inSequence = this.#epochs.isInSequence(queue, head);
    if (inSequence !== "yes") return inSequence === "later" ? LATER : this.#lookAgainSoon();
    const exchange2 = loaded.get(connection);
    if (exchange2 === void 0 || exchange2.hasRoomFor(head, this.#options.maxRequestBytes)) return connection;
    return this.#lookAgainSoon();
  }
  /**
   * Whether a second batch of a partition may be out. Only with sequences, by which the broker refuses what overtakes;
   * only if nothing has gone wrong with those before it; and no more than the broker remembers.
   */
  #mayFollow({ inFlight, openOn, sequences }, head) {
    if (!this.#parts.producerId.isOn || openOn === null || sequences.isBroken) return false;
    if (inFlight.length >= MAX_BATCHES_OUT || head.stamp !== null) return false;
    return inFlight.every(({ state }) => state === "inFlight");
  }
  /**
   * Until when the batch waits for more records: not at all if it takes no more, is wanted, or its broker has nothing to
   * do. `lingerMs` is an upper bound for the others (producer-semantics.md 3.21).
   */
  #lingerEndsMs({ inFlight, waiting }, head, connection) {
    const isDue = head.state !== "open" || head.isUrgent || head.isClosed || waiting.length > 1;
    if (isDue || connection.inFlightCount === 0 || this.#parts.isMemoryTight()) return -Infinity;
    const { lingerMs } = this.#options;
    return head.createdMs + (inFlight.length === 0 ? lingerMs : Math.max(lingerMs, BUSY_LINGER_MS));
  }
  #findLeader() {
    this.#parts.cluster.refreshSoon();
    return LATER;
  }
  get #maxInFlightRequests() {
    return this.#parts.producerId.isFallback ? 1 : this.#options.maxInFlightRequests;
  }
  #lookAgainSoon() {
    this.#isMoreToSend = true;
    return LATER;
  }
  #takeMoreToSend() {
    const isMoreToSend = this.#isMoreToSend;
    this.#isMoreToSend = false;
    return isMoreToSend;
  }
  /** A full batch that must wait for the one before it is compressed meanwhile. */
  #sealAhead(queue, head) {
    if (this.#options.codec === null || head.state !== "open" || queue.waiting.length < 2) return LATER;
    const { cluster: cluster2 } = this.#parts;
    const connection = cluster2.connectionTo(cluster2.metadata.leader(queue.topic, queue.partition));
    if (connection !== null) this.#seal(queue, head, connection);
    return LATER;
  }
  /** Makes the batch's bytes in the format that the broker reads. */
  #seal(queue, batch, connection) {
    if (batch.state !== "open") return;
    try {
      const version3 = connection.newestVersion(produce);
      const format = formatFor(version3, this.#options.codec, connection.address);
      if (format.magic !== 2 && version3 >= 0) this.#parts.producerId.refuseOldBroker(connection);
      batch.seal(format, (error) => this.#onSealed(queue, batch, error));
    } catch (error) {
      this.#onSealed(queue, batch, error);
    }
  }
  #onSealed(queue, batch, error) {
    if (error !== null && batch.state !== "settled") this.#failWaiting(queue, batch, error);
    this.pumpSoon();
  }
  #load(queue, connection, exchanges) {
    const { accumulator, cluster: cluster2, producerId } = this.#parts;
    const exchange2 = exchanges.get(connection) ?? new ProduceExchange();
    exchanges.set(connection, exchange2);
    this.#closeRestingGate(queue);
    const batch = queue.takeHead();
    cluster2.use(queue.topic);
    if (producerId.isOn && batch.stamp === null) batch.stampWith(queue.sequences.take(batch.recordCount));
    exchange2.add(batch, queue, cluster2.metadata);
    accumulator.requeue(queue);
    if (queue.waiting.length > 0 && queue.openOn === connection) this.#isMoreToSend = true;
  }
  /** After a rest nobody knows whether the broker still remembers us; if it does not, it takes any first sequence. */
  #closeRestingGate(queue) {
    const restMs = this.#options.clock.now() - queue.acknowledgedMs;
    if (queue.inFlight.length === 0 && restMs > MAX_REST_MS) queue.openOn = null;
  }
  #send(connection, exchange2) {
    for (const [batch, queue] of exchange2.takeSettled()) this.#parts.settlement.onNeverSent(queue, batch);
    if (exchange2.queues.size === 0) return;
    const { acks, requestTimeoutMs } = this.#options;
    const { counters } = this.#parts;
    const body = exchange2.request(acks, Math.ceil(requestTimeoutMs * BROKER_SHARE_OF_TIMEOUT));
    counters.requests++;
    counters.sentBatches += exchange2.queues.size;
    counters.sentBytes += exchange2.sizeBytes;
    if (sentChannel.hasSubscribers) {
      const { queues, sizeBytes } = exchange2;
      sentChannel.publish({ broker: connection.address, batches: queues.size, bytes: sizeBytes });
    }
    if (acks === 0) {
      const handedOver = connection.requestWithoutAnswer(produce, body, exchange2.versions);
      void handedOver.then((outcome) => this.#onHandedOver(exchange2, outcome));
    } else {
      const answered = connection.request(produce, body, exchange2.versions);
      void answered.then((outcome) => this.#onAnswer(connection, exchange2, outcome));
    }
  }
  #onHandedOver(exchange2, outcome) {
    const { settlement } = this.#parts;
    for (const [batch, queue] of exchange2.queues) {
      if ("error" in outcome) settlement.onFailure(queue, batch, { kind: "unanswered", ...outcome });
      else settlement.onHandedOver(queue, batch);
    }
    this.pumpSoon();
  }
  #onAnswer(connection, exchange2, outcome) {
    const { settlement } = this.#parts;
    if ("error" in outcome) {
      for (const [batch, queue] of exchange2.queues)
        settlement.onFailure(queue, batch, { kind: "unanswered", ...outcome });
    } else {
      const { response, version: version3 } = outcome;
      const answers = exchange2.match(response, version3);
      for (const [batch, queue] of exchange2.queues) {
        const topicId = exchange2.topicIdIn(version3, batch.topic);
        const answer = answers.get(batch) ?? null;
        this.#step(() => settlement.onAnswer(queue, batch, answer, { response, connection, topicId }));
      }
    }
    this.pump();
  }
  #failQueue(queue, errorOf) {
    const { settlement } = this.#parts;
    for (const batch of [...queue.inFlight]) {
      if (batch.state !== "settled") settlement.fail(queue, batch, errorOf(batch));
    }
    for (const batch of [...queue.waiting]) this.#failWaiting(queue, batch, errorOf(batch));
  }
  /** What is out may still be answered, on another connection. */
  #failRefused(queue, refusal9) {
    for (const batch of [...queue.waiting]) this.#failWaiting(queue, batch, refusedError(batch, refusal9));
  }
  #failWaiting(queue, batch, error) {
    if (batch.state === "settled") return;
    queue.drop(batch);
    this.#parts.settlement.fail(queue, batch, error);
  }
  /** Batches whose deadline has passed fail, sent or not; one that is out keeps its partition until the answer comes. */
  #expire(nowMs) {
    const { settlement, accumulator } = this.#parts;
    for (const queue of [...accumulator.active]) {
      const front = queue.inFlight[0] ?? queue.head;
      const reason = front?.lastError ?? null;
      for (const batch of [...queue.inFlight]) {
        if (batch.state === "settled" || batch.deadlineMs > nowMs) continue;
        batch.maybeWritten = true;
        settlement.fail(queue, batch, this.#expired(batch, reason));
      }
      for (const batch of [...queue.waiting]) {
        if (batch.deadlineMs <= nowMs) this.#failWaiting(queue, batch, this.#expired(batch, reason));
      }
    }
  }
  #expired(batch, reason) {
    const { cluster: cluster2, producerId } = this.#parts;
    const last = batch.lastError ?? reason ?? cluster2.trouble(batch.topic, batch.partition) ?? producerId.lastError;
    const throttleMs = cluster2.throttledForMs(batch.topic, batch.partition);
    return deliveryTimeout(batch, this.#options.deliveryTimeoutMs, { last, throttleMs });
  }
  /** One timer, for the earliest thing that only time will bring. */
  #wakeAt(atMs) {
    if (atMs === this.#timerAtMs) return;
    this.#timer?.cancel();
    this.#timer = null;
    this.#timerAtMs = atMs;
    if (atMs === Infinity) return;
    const { clock } = this.#options;
    this.#timer = clock.after(atMs - clock.now(), () => {
      this.#timer = null;
      this.#timerAtMs = Infinity;
      clock.soon(() => {
        this.#step(() => this.#expire(clock.now()));
        this.pump();
      });
    });
  }
};
function nextDeadlineMs({ inFlight, head }) {
  const out = inFlight.find(({ state }) => state === "inFlight");
  return Math.min(out?.deadlineMs ?? Infinity, head?.deadlineMs ?? Infinity);
}

// src/protocol/message-set-decode.ts
function decodeMessageSet(bytes2, options = {}) {
  const records2 = [];
  for (const message of readMessages(bytes2, WHERE6)) {
    const codec = message.attributes & CODEC_MASK2;
    if (codec === 0) records2.push(recordOf(message, message.offset, message, "none"));
    else for (const record3 of unwrap(message, codec, options)) records2.push(record3);
  }
  return records2;
}
function unwrap(wrapper, codec, { decompress: decompress3 }) {
  const compression = compressionOf(codec);
  if (compression === "unknown" || codec === ZSTD) throw refusal4("INVALID_VALUE", `codec ${codec} of the attributes`);
  if (wrapper.value === null) throw refusal4("INVALID_VALUE", "a wrapper without a value");
  if (decompress3 === void 0) {
    throw refusal4("INVALID_VALUE", `the messages are compressed (${compression}) and no decompress function was given`);
  }
  let inside2;
  try {
    inside2 = decompress3(codec, wrapper.value, wrapper.magic);
  } catch (cause) {
    throw refusal4("INVALID_VALUE", `the messages cannot be decompressed (${compression})`, cause);
  }
  const messages = readMessages(inside2, `${WHERE6}, decompressed`);
  const last = messages.at(-1);
  if (last === void 0) throw refusal4("INVALID_VALUE", "a wrapper with no messages inside");
  const base = wrapper.magic === 0 ? 0n : wrapper.offset - last.offset;
  return messages.map((message) => {
    if ((message.attributes & CODEC_MASK2) !== 0) throw refusal4("INVALID_VALUE", "a wrapper inside a wrapper");
    if (message.magic !== wrapper.magic) {
      throw refusal4("INVALID_VALUE", `magic ${message.magic} inside a wrapper of magic ${wrapper.magic}`);
    }
    return recordOf(message, base + message.offset, wrapper, compression);
  });
}
function recordOf(message, offset, stamped2, compression) {
  const { key, value, magic } = message;
  const isAppendTime = magic === 1 && (stamped2.attributes & LOG_APPEND_TIME2) !== 0;
  const timestamp = isAppendTime ? stamped2.timestamp : message.timestamp;
  const timestampType = isAppendTime ? "LogAppendTime" : "CreateTime";
  return { key, value, headers: [], timestamp, offset, magic, timestampType, compression };
}
function readMessages(bytes2, where) {
  const reader = new Reader(bytes2, where);
  const messages = [];
  while (reader.remaining > 0) messages.push(readMessage(bytes2, reader));
  return messages;
}
function readMessage(bytes2, reader) {
  const start = reader.position;
  const offset = reader.int64();
  const size = reader.int32();
  if (size < messageOverheadBytes(0) - SIZE_END) throw reader.invalid(`message size ${size}`);
  if (size > reader.remaining) {
    throw refusal4("TRUNCATED", `a message of ${size} bytes at byte ${start}, ${reader.remaining} bytes left`);
  }
  const end = reader.position + size;
  const crc = reader.uint32();
  const actualCrc = crc32(bytes2, start + CRC_START2, end);
  if (crc !== actualCrc) {
    throw refusal4(
      "INVALID_VALUE",
      `CRC-32 ${crc.toString(16)}, the bytes from ${start} on have ${actualCrc.toString(16)}`
    );
  }
  const magic = reader.int8();
  if (magic !== 0 && magic !== 1) throw reader.invalid(`magic ${magic}, not 0 or 1`);
  const attributes = reader.int8();
  const timestamp = magic === 0 ? NO_TIMESTAMP : Number(reader.int64());
  if (!Number.isSafeInteger(timestamp)) throw reader.invalid("timestamp beyond 2^53");
  const key = readField(reader);
  const value = readField(reader);
  if (reader.position !== end) throw reader.invalid(`a message that should end at byte ${end} ends`);
  return { offset, magic, attributes, timestamp, key, value };
}
function readField(reader) {
  const length = reader.int32();
  return length === -1 ? null : reader.bytes(length);
}

// src/producer/split.ts
var MAX_RECORDS_BYTES = 2 ** 31 - 1;
function splitBatch(batch, codec) {
  const records2 = decodeRecords(batch, codec);
  const total = records2.reduce((sum2, record3) => sum2 + bytesOf(record3), 0);
  const parts = [new Batch(batch, total / 2), new Batch(batch, total / 2)];
  let taken = 0;
  records2.forEach((record3, i) => {
    const isFirst = i === 0 || taken + bytesOf(record3) <= total / 2 && i < records2.length - 1 && parts[1].recordCount === 0;
    taken += bytesOf(record3);
    (isFirst ? parts[0] : parts[1]).append(record3, batch.entry(i));
  });
  for (const part of parts) {
    part.isClosed = true;
    part.isUrgent = batch.isUrgent;
  }
  if (batch.stamp !== null) {
    const { firstSequence } = batch.stamp;
    parts[0].stampWith(batch.stamp);
    parts[1].stampWith({ ...batch.stamp, firstSequence: firstSequence + parts[0].recordCount });
  }
  return parts;
}
function uncompressedBytes(parts) {
  return Math.max(...parts.map(({ sizeBytes }) => sizeBytes));
}
function decodeRecords(batch, codec) {
  const { payload, format } = batch;
  if (payload === null || format === null) throw new Error(`split: batch is ${batch.state}`);
  const decompress3 = (_id, bytes2) => {
    if (codec === null) throw new Error("split: compressed without a codec");
    return codec.decompress(bytes2, MAX_RECORDS_BYTES);
  };
  if (format.magic === 2) return decodeRecordBatch(payload, { decompress: decompress3 }).records;
  return decodeMessageSet(payload, { decompress: decompress3 }).map(({ key, value, headers }, i) => {
    return { key, value, headers, timestamp: batch.timestamp(i) };
  });
}
function bytesOf({ key, value, headers }) {
  let bytes2 = (key?.length ?? 0) + (value?.length ?? 0);
  for (const [name2, header] of headers) bytes2 += name2.length + (header?.length ?? 0);
  return bytes2 + 1;
}

// src/producer/settlement.ts
var deliveredChannel = diagnosticChannel("headrace:batch:delivered");
var retryChannel = diagnosticChannel("headrace:batch:retry");
var failedChannel2 = diagnosticChannel("headrace:batch:failed");
var splitChannel = diagnosticChannel("headrace:batch:split");
var desyncChannel = diagnosticChannel("headrace:producer:desync");
var truncatedChannel = diagnosticChannel("headrace:partition:truncated");
var Settlement = class {
  #options;
  #cluster;
  #accumulator;
  #counters;
  #listener;
  constructor(options, cluster2, accumulator, counters, listener) {
    this.#options = options;
    this.#cluster = cluster2;
    this.#accumulator = accumulator;
    this.#counters = counters;
    this.#listener = listener;
  }
  /** What a broker said of a batch; null: it answered the request, and nothing about this batch. */
  onAnswer(queue, batch, answer, origin) {
    if (answer === null) return this.#onSilence(queue, batch, origin.connection);
    if (answer.errorCode === 0) return this.#onWritten(queue, batch, answer, origin);
    const { errorCode, errorMessage } = answer;
    if (errorByCode(errorCode).name.startsWith("UNKNOWN_TOPIC")) queue.sequences.forgetLog();
    const isLeaderKnown = this.#learnLeader(batch, answer, origin.response);
    const throttleMs = origin.connection.throttledForMs;
    this.onFailure(queue, batch, { kind: "refused", errorCode, errorMessage, isLeaderKnown, throttleMs }, answer);
  }
  /** `acks: 0`: the operating system has the bytes, which is all that can be known. */
  onHandedOver(queue, batch) {
    this.#deliver(queue, batch, -1n, -1);
  }
  /** It settled between being loaded and being sent. */
  onNeverSent(queue, batch) {
    this.#landFailed(queue, batch);
  }
  onFailure(queue, batch, failure, answer = null) {
    if (failure.kind === "refused") batch.countRefusal(failure.errorCode);
    const { clock } = this.#options;
    const facts = factsOf(queue, batch);
    const verdict = decide(failure, facts, { ...this.#options, random: clock.random() });
    if (verdict.do === "deliver") return this.#onDuplicate(queue, batch);
    queue.openOn = null;
    if (isSignOfLoss(failure, facts.sequence)) queue.sequences.doubtLog();
    if (batch.state === "settled") return this.#landFailed(queue, batch);
    batch.maybeWritten = verdict.maybeWritten;
    if (verdict.do === "fail") {
      queue.landed(batch);
      const errorOf = answer === null ? null : recordErrors(batch, answer, verdict.error);
      this.fail(queue, batch, verdict.error, errorOf ?? void 0);
    } else if (verdict.do === "split") this.#split(queue, batch, verdict.error);
    else this.#retry(queue, batch, verdict);
  }
  /**
   * The batch will not be delivered. If it had a sequence there may be a gap now, or not: nobody knows until a new epoch
   * begins. One that is still out keeps its partition, and its memory, until the answer comes or never will.
   */
  fail(queue, batch, cause, errorOf) {
    const error = errorFor(batch, cause);
    this.#counters.failed += batch.recordCount;
    const summary2 = failedChannel2.hasSubscribers ? summaryOf(batch) : null;
    batch.failEach(errorOf ?? (() => error));
    if (summary2 !== null) failedChannel2.publish({ ...summary2, error });
    if (!queue.inFlight.includes(batch)) this.#landFailed(queue, batch);
  }
  #landFailed(queue, batch) {
    if (batch.stamp !== null) queue.sequences.markBroken();
    this.#land(queue, batch);
  }
  #onWritten(queue, batch, answer, origin) {
    const { baseOffset } = answer;
    if (!this.#isPlausible(queue, batch, baseOffset, origin)) return;
    queue.openOn = origin.connection;
    queue.acknowledgedMs = this.#options.clock.now();
    this.#deliver(queue, batch, baseOffset, appendTimeMs(queue, batch, Number(answer.logAppendTimeMs)));
  }
  /** It is in the log already; but what was sent for the first time cannot be: the broker took it for another batch. */
  #onDuplicate(queue, batch) {
    const isFirst = batch.attempts === 1 && !batch.maybeWritten && batch.stamp !== null;
    if (isFirst) this.#desync(queue, batch, -1n);
    else this.#deliver(queue, batch, -1n, -1);
  }
  /** O7: what is acknowledged lies behind what was acknowledged before, or it is no acknowledgement. */
  #isPlausible(queue, batch, baseOffset, origin) {
    const { recordCount, stamp, topic, partition } = batch;
    if (stamp === null) return true;
    const known = this.#cluster.metadata.topic(topic);
    const topicId = origin.topicId ?? known?.topicId ?? NO_TOPIC_ID;
    const leaderEpoch = known?.leaderEpochs[partition] ?? -1;
    const source = { topicId, connection: origin.connection, leaderEpoch };
    const verdict = queue.sequences.acknowledge(stamp, baseOffset, recordCount, source);
    if (verdict === "fine") return true;
    if (verdict === "truncated" || topicId === NO_TOPIC_ID) return this.#suspect(queue, batch, baseOffset);
    const revision = known?.revision ?? 0;
    if ((batch.doubtRevision ??= revision) === revision) this.#askAgain(queue, batch);
    else this.#desync(queue, batch, baseOffset);
    return false;
  }
  #suspect(queue, { topic, partition }, baseOffset) {
    queue.sequences.forgetLog();
    if (truncatedChannel.hasSubscribers) truncatedChannel.publish({ topic, partition, baseOffset });
    const message = `topic ${JSON.stringify(topic)} partition ${partition}: the log is shorter than it was (acknowledged at ${baseOffset}): the cluster lost records that it had acknowledged`;
    this.#listener.onSuspicion(message, { topic, partition, baseOffset: String(baseOffset) });
    return true;
  }
  /**
   * It may be another topic of the same name, or the leader may have moved away and back: newer metadata tells, and the
   * broker knows the batch again.
   */
  #askAgain(queue, batch) {
    const { topic, partition } = batch;
    const what = `topic ${JSON.stringify(topic)} partition ${partition}: an offset was acknowledged that lies before earlier ones`;
    const error = new ProtocolError("INVALID_VALUE", `send: INVALID_VALUE: ${what}`, { retriable: true });
    this.onFailure(queue, batch, { kind: "unanswered", error, wasWritten: true });
  }
  #desync(queue, batch, baseOffset) {
    const { topic, partition } = batch;
    const error = sequenceDesync(batch, baseOffset);
    if (desyncChannel.hasSubscribers) desyncChannel.publish({ topic, partition, baseOffset, error });
    queue.openOn = null;
    queue.landed(batch);
    batch.maybeWritten = true;
    if (batch.state === "settled") this.#landFailed(queue, batch);
    else this.fail(queue, batch, error);
    this.#listener.onDesync(error);
  }
  #learnLeader({ topic, partition }, answer, response) {
    const { leaderId, leaderEpoch } = answer.currentLeader;
    if (leaderId < 0) return false;
    const endpoint = response.nodeEndpoints.find(({ nodeId }) => nodeId === leaderId) ?? null;
    return this.#cluster.hintLeader({ topic, partition, leader: leaderId, leaderEpoch, endpoint });
  }
  /** A broker that answers a request but leaves a partition out is not to be understood; the batch may be written. */
  #onSilence(queue, batch, connection) {
    const what = `the answer to Produce says nothing of topic ${JSON.stringify(batch.topic)} partition ${batch.partition}`;
    const message = `${connection.address}: INVALID_VALUE: ${what}`;
    const error = new ProtocolError("INVALID_VALUE", message, { retriable: true });
    connection.close(error);
    this.onFailure(queue, batch, { kind: "unanswered", error, wasWritten: true });
  }
  #retry(queue, batch, verdict) {
    const { error, delayMs: delayMs2 } = verdict;
    this.#counters.retries++;
    batch.retryAt(this.#options.clock.now() + delayMs2, error);
    queue.putBack(batch);
    if (verdict.do === "renew") queue.sequences.markBroken(verdict.isIdSpent);
    else if (verdict.refresh) this.#cluster.refreshSoon();
    this.#accumulator.requeue(queue);
    const { maybeWritten } = batch;
    if (retryChannel.hasSubscribers) retryChannel.publish({ ...summaryOf(batch), maybeWritten, error });
  }
  #split(queue, batch, refusal9) {
    const parts = this.#partsOf(queue, batch, refusal9);
    if (parts === null) return;
    if (splitChannel.hasSubscribers) {
      splitChannel.publish({ ...summaryOf(batch), parts: parts.map(({ recordCount }) => recordCount) });
    }
    this.#counters.splits++;
    queue.maxBatchBytes = Math.min(queue.maxBatchBytes, uncompressedBytes(parts));
    queue.putBack(batch, parts);
    batch.dissolve(parts);
    this.#accumulator.requeue(queue);
  }
  /** Null: it cannot be read again (a codec of the user's own), and fails as the broker said. */
  #partsOf(queue, batch, refusal9) {
    try {
      return splitBatch(batch, this.#options.codec);
    } catch (cause) {
      queue.landed(batch);
      this.fail(queue, batch, notSplit(refusal9, cause));
      return null;
    }
  }
  #deliver(queue, batch, baseOffset, logAppendTimeMs) {
    if (batch.state !== "settled") {
      const summary2 = deliveredChannel.hasSubscribers ? summaryOf(batch) : null;
      this.#counters.delivered += batch.recordCount;
      batch.deliver(baseOffset, logAppendTimeMs);
      if (summary2 !== null) deliveredChannel.publish(summary2);
    }
    this.#land(queue, batch);
  }
  #land(queue, batch) {
    queue.landed(batch);
    this.#accumulator.requeue(queue);
    this.#listener.onReleased(queue, batch.chargedBytes);
  }
};
function appendTimeMs(queue, batch, logAppendTimeMs) {
  if (batch.attempts === 1) queue.hasLogAppendTime = logAppendTimeMs >= 0;
  const isOwnTime = batch.attempts > 1 && !queue.hasLogAppendTime && logAppendTimeMs === batch.maxTimestamp;
  return isOwnTime ? -1 : logAppendTimeMs;
}
function isSignOfLoss(failure, sequence) {
  if (failure.kind !== "refused") return false;
  const { recovery } = errorByCode(failure.errorCode);
  return recovery === "refresh-metadata" || recovery === "reset-producer-id" && sequence === "first";
}
function factsOf(queue, batch) {
  const { topic, partition, recordCount, attempts, maybeWritten, corruptCount, stamp } = batch;
  const sequence = stamp === null ? "none" : queue.isFirstInSequence(batch) ? "first" : "behind";
  return { topic, partition, recordCount, attempts, maybeWritten, corruptCount, sequence };
}
function summaryOf(batch) {
  const { topic, partition, recordCount, sizeBytes, attempts } = batch;
  return { topic, partition, records: recordCount, bytes: sizeBytes, attempts };
}

// src/producer/signals.ts
var Guarded = class {
  #signal;
  #all = /* @__PURE__ */ new Set();
  #onAbort;
  constructor(signal, onWithdrawn) {
    this.#signal = signal;
    this.#onAbort = () => {
      for (const each of [...this.#all]) each.abort();
      this.#all.clear();
      onWithdrawn();
    };
  }
  add(abortable) {
    if (this.#all.size === 0) this.#signal.addEventListener("abort", this.#onAbort, { once: true });
    this.#all.add(abortable);
  }
  delete(abortable) {
    if (this.#all.delete(abortable) && this.#all.size === 0) this.#signal.removeEventListener("abort", this.#onAbort);
  }
};
var Signals = class {
  #guarded = /* @__PURE__ */ new WeakMap();
  #onWithdrawn;
  /** @param onWithdrawn records that were called off may still be waiting somewhere. */
  constructor(onWithdrawn) {
    this.#onWithdrawn = onWithdrawn;
  }
  /** A receipt whose records settle at the latest when the signal aborts. */
  guard(signal, receipt) {
    return new GuardedReceipt(receipt, signal, this.#unsettled(signal));
  }
  /** Work that is waited for at most until the signal aborts. @throws {DeliveryError} `ABORTED`. */
  race(signal, where, work) {
    if (signal === void 0) return work;
    return new Promise((resolve3, reject) => {
      const end = this.onAbort(signal, () => reject(aborted(where, signal, false)));
      void work.then(resolve3, reject).finally(end);
    });
  }
  /** Runs `act` when the signal aborts, at once if it has. @returns what calls that off. */
  onAbort(signal, act) {
    const unsettled = this.#unsettled(signal);
    const abortable = { abort: act };
    if (signal.aborted) act();
    else unsettled.add(abortable);
    return () => unsettled.delete(abortable);
  }
  #unsettled(signal) {
    const known = this.#guarded.get(signal);
    if (known !== void 0) return known;
    const all = new Guarded(signal, this.#onWithdrawn);
    this.#guarded.set(signal, all);
    return all;
  }
};
function checkCallOptions(where, options) {
  if (options === void 0) return;
  if (typeof options !== "object" || options === null)
    throw invalid4(where, `options: got ${show(options)}, expected an object`);
  const { signal } = options;
  if (signal === void 0 || signal instanceof AbortSignal) return;
  throw invalid4(where, `signal: got ${show(signal)}, expected an AbortSignal`);
}
function aborted(where, signal, maybeWritten) {
  const what = maybeWritten ? "called off by its signal; the record may still be delivered" : "called off by its signal";
  return new DeliveryError("ABORTED", `${where}: ABORTED: ${what}`, { maybeWritten, cause: signal.reason });
}
var GuardedReceipt = class {
  #receipt;
  #signal;
  /** What of this signal has something to settle. */
  #unsettled;
  /** Tokens that have not settled; true: in a batch. */
  #tokens = /* @__PURE__ */ new Map();
  constructor(receipt, signal, unsettled) {
    this.#receipt = receipt;
    this.#signal = signal;
    this.#unsettled = unsettled;
  }
  begin(token) {
    this.#tokens.set(token, false);
    this.#unsettled.add(this);
    if (this.#signal.aborted) this.abort();
  }
  isWithdrawn(token) {
    return !this.#tokens.has(token);
  }
  batched(token) {
    if (this.#tokens.has(token)) this.#tokens.set(token, true);
  }
  abort() {
    const tokens = [...this.#tokens];
    this.#tokens.clear();
    this.#unsettled.delete(this);
    for (const [token, isBatched] of tokens) {
      this.#receipt.settleFailed(token, aborted("send", this.#signal, isBatched));
    }
  }
  settleDelivered(token, topic, partition, offset, timestamp) {
    if (this.#settle(token)) this.#receipt.settleDelivered(token, topic, partition, offset, timestamp);
  }
  settleFailed(token, error) {
    if (this.#settle(token)) this.#receipt.settleFailed(token, error);
  }
  #settle(token) {
    const wasAwaited = this.#tokens.delete(token);
    if (this.#tokens.size === 0) this.#unsettled.delete(this);
    return wasAwaited;
  }
};
function invalid4(where, what) {
  return new OptionError("INVALID_ARGUMENT", `${where}: INVALID_ARGUMENT: ${what}`);
}

// src/producer/topic-info.ts
async function listTopics(ask3) {
  const { topics: topics2 } = await ask3({ topics: null, allowAutoTopicCreation: true });
  return topics2.filter(({ name: name2, errorCode }) => name2 !== null && errorCode === 0).map(({ name: name2, partitions, isInternal }) => ({ name: name2 ?? "", partitions: partitions.length, isInternal })).sort((a, b) => a.name < b.name ? -1 : 1);
}
async function listPartitions(ask3, topic) {
  const given = topic;
  if (typeof given !== "string" || given === "") {
    const what = `topic: got ${show(given)}, expected a string that is not empty`;
    throw new OptionError("INVALID_ARGUMENT", `partitionsFor: INVALID_ARGUMENT: ${what}`);
  }
  const { topics: topics2 } = await askWithoutCreating(ask3, topic);
  const answer = topics2.find(({ name: name2 }) => name2 === topic);
  const errorCode = answer?.errorCode ?? UNKNOWN_TOPIC_OR_PARTITION;
  if (errorCode !== 0) throw toBrokerError(errorCode, `partitionsFor: topic ${JSON.stringify(topic)}`, { topic });
  return (answer?.partitions ?? []).map(({ partitionIndex, leaderId, replicaNodes, isrNodes, offlineReplicas }) => ({
    partition: partitionIndex,
    leader: leaderId,
    replicas: replicaNodes,
    inSyncReplicas: isrNodes,
    offlineReplicas
  })).sort((a, b) => a.partition - b.partition);
}
async function askWithoutCreating(ask3, topic) {
  try {
    return await ask3({ topics: [{ name: topic, topicId: NO_TOPIC_ID }], allowAutoTopicCreation: false });
  } catch (error) {
    if (!(error instanceof ProtocolError) || error.code !== "NOT_REPRESENTABLE") throw error;
    return await ask3({ topics: null, allowAutoTopicCreation: true });
  }
}

// src/producer/writable.ts
import { Writable } from "node:stream";
var TURN_RECORDS2 = 1024;
var RecordWritable = class extends Writable {
  #parts;
  #onError;
  #destroyed = new AbortController();
  /** Of the record that is being written. */
  #index = -1;
  #unsettled = 0;
  #onAllSettled = null;
  constructor(parts, { onError }) {
    super({ objectMode: true });
    this.#parts = parts;
    this.#onError = onError;
  }
  _write(record3, _encoding, callback) {
    this.#index++;
    this.#offer(record3, callback);
  }
  _final(callback) {
    if (this.#unsettled === 0) return callback();
    this.#onAllSettled = callback;
    this.#parts.flush().catch((error) => this.destroy(error));
  }
  _destroy(error, callback) {
    this.#destroyed.abort();
    callback(error);
  }
  #offer(record3, callback) {
    const context = this.#onError === void 0 ? null : record3;
    try {
      if (!this.#parts.offer(record3, this.#settled, context)) return this.#offerLater(record3, callback);
      this.#unsettled++;
    } catch (error) {
      return this.#refused(error, record3, callback);
    }
    this.#accepted(callback);
  }
  #offerLater(record3, callback) {
    const { signal } = this.#destroyed;
    this.#parts.ready({ signal }).then(
      () => this.destroyed ? callback() : this.#offer(record3, callback),
      (error) => callback(error)
      // destroyed, or the producer was closed: nothing can be taken in
    );
  }
  #accepted(callback) {
    if (this.#index % TURN_RECORDS2 === TURN_RECORDS2 - 1) this.#parts.soon(callback);
    else callback();
  }
  /** It can never be taken in. If no other record can either, the stream is over. */
  #refused(error, record3, callback) {
    const isOver = error instanceof KafkaError && (error.code === "CLOSED" || error.fatal);
    const told = atRecord(error, this.#index);
    if (isOver || !(told instanceof KafkaError) || this.#onError === void 0) return callback(told);
    this.#tell(told, record3);
    this.#accepted(callback);
  }
  #settled = (error, _metadata, record3) => {
    this.#unsettled--;
    if (error !== null) this.#failed(error, record3);
    if (this.#unsettled > 0 || this.#onAllSettled === null) return;
    this.#onAllSettled();
    this.#onAllSettled = null;
  };
  #failed(error, record3) {
    if (record3 !== null) this.#tell(error, record3);
    else if (this.destroyed) this.#parts.onUndelivered(error);
    else this.destroy(error);
  }
  #tell(error, record3) {
    try {
      this.#onError?.(error, record3);
    } catch (thrown) {
      this.destroy(thrown instanceof Error ? thrown : new Error(`onError threw ${show(thrown)}`));
    }
  }
};
function checkWritableOptions(options) {
  if (typeof options !== "object" || options === null)
    throw invalid5(`options: got ${show(options)}, expected an object`);
  const { onError } = options;
  if (onError === void 0 || typeof onError === "function") return;
  throw invalid5(`onError: got ${show(onError)}, expected a function`);
}
function atRecord(error, index) {
  if (!(error instanceof KafkaError)) return error;
  const message = `writable: record ${index}: ${error.message}`;
  const { topic, partition, retriable, fatal } = error;
  const details = { topic, partition, retriable, fatal, cause: error };
  if (error instanceof OptionError) return new OptionError(error.code, message, details);
  if (error instanceof DeliveryError) return new DeliveryError(error.code, message, details);
  return error;
}
function invalid5(what) {
  return new OptionError("INVALID_ARGUMENT", `writable: INVALID_ARGUMENT: ${what}`);
}

// src/producer/producer.ts
var Producer = class {
  #options;
  #clock;
  #log;
  #counters = newCounters();
  #cluster;
  #accumulator;
  #producerId;
  #intake;
  #sender;
  #signals = new Signals(() => this.#intake.dropWithdrawn());
  #callbacks;
  #unwatched;
  /** `sendAll`s that are reading. */
  #readings = /* @__PURE__ */ new Set();
  #askMetadata;
  #state = "running";
  #closing = null;
  /** Nothing can be promised any more. */
  #fatal = null;
  /** Without answers (`acks: 0`) a lost connection is the only sign of a leader that moved. */
  #isMetadataDoubtful = false;
  constructor(options, clock = systemClock, firstSequence = 0) {
    this.#options = resolveProducerOptions(options);
    this.#clock = clock;
    this.#log = new Log(this.#options.logger);
    const batchBytes = Math.min(this.#options.batchBytes, this.#options.maxRequestBytes);
    const { compression, onUndelivered, sasl } = this.#options;
    const codec = compression === null ? null : loadCodec(compression);
    const given = {
      ...this.#options,
      batchBytes,
      codec,
      clock,
      firstSequence,
      idempotence: idempotenceOf(this.#options),
      mechanism: sasl === void 0 ? null : createMechanism(sasl, { clock }),
      tlsWarnings: new TlsWarnings(({ code, message }) => this.#log.warn(message, { code }))
    };
    this.#callbacks = new Callbacks(this.#log);
    this.#unwatched = new UnwatchedReceipt(onUndelivered, this.#callbacks);
    this.#cluster = new Cluster(given, {
      onChange: (error) => this.#onClusterChange(error),
      onRefreshFailed: (error, isHopeless) => this.#onRefreshFailed(error, isHopeless),
      onStillRefused: (error) => this.#intake.failWaitingForTopics(error),
      isInUse: (topic) => this.#accumulator.isInUse(topic) || this.#intake.isWaitedFor(topic),
      onNotice: (fields, message) => this.#log.warn(message, fields)
    });
    this.#accumulator = new Accumulator(given);
    this.#producerId = new ProducerId(given, {
      onChange: () => this.#sender.pumpSoon(),
      onRefused: (error) => this.#sender.failUnsent(error),
      onFallback: (error) => this.#log.warn(`going on without idempotence: ${error.message}`, { err: error })
    });
    const common = { cluster: this.#cluster, accumulator: this.#accumulator, counters: this.#counters };
    const settlement = new Settlement(given, this.#cluster, this.#accumulator, this.#counters, {
      onReleased: (queue, bytes2) => this.#intake.memory.giveBack(queue, bytes2),
      onDesync: (error) => this.#endFor(error),
      onSuspicion: (message, fields) => this.#log.warn(message, fields)
    });
    this.#sender = new Sender(given, {
      ...common,
      producerId: this.#producerId,
      settlement,
      isMemoryTight: () => this.#intake.memory.waiterCount > 0
    });
    this.#intake = new Intake(given, {
      ...common,
      placement: new Placement({ ...given, loads: (topic) => this.#accumulator.loads(topic) }),
      refusal: (where) => this.#refusal(where),
      ended: () => this.#ended(),
      isSameTurn: () => this.#sender.isPumpSoon,
      onAppended: () => this.#onAppended(),
      topicNames: async () => (await this.topics()).map(({ name: name2 }) => name2)
    });
    const isClosed = () => this.#state === "closed";
    this.#askMetadata = (question) => askUntil(this.#cluster, question, { ...this.#options, clock, isClosed });
  }
  /**
   * Optional: finds out at start-up, instead of at the first send, whether the brokers can be reached. Tries every
   * bootstrap address once.
   *
   * @throws {ConnectionError | AuthenticationError | ProtocolError} why each address failed.
   */
  async connect(options = {}) {
    this.#assertOpen("connect");
    checkCallOptions("connect", options);
    const failure = await this.#signals.race(options.signal, "connect", this.#cluster.refreshNow());
    if (failure !== null) throw failure;
  }
  /**
   * Queues one record; resolves when the brokers have acknowledged the batch that carries it.
   *
   * A topic that is not known yet is looked up first, and while `bufferBytes` is exhausted the record waits, in all at
   * most `maxBlockMs`; `deliveryTimeoutMs` starts at the call. The record and its buffers belong to the producer until it
   * settles.
   *
   * @returns where the record went; `offset` is `-1n` with `acks: 0`, because nobody told us.
   * @throws {OptionError} `INVALID_RECORD`: no topic, no value, a field of the wrong kind. Nothing was sent.
   * @throws {DeliveryError} `RECORD_TOO_LARGE`, `BUFFER_FULL`, `UNKNOWN_PARTITION`, `PARTITIONER_FAILED`,
   * `METADATA_TIMEOUT`, `BATCH_REJECTED`: it is not written. `DELIVERY_TIMEOUT`, `DELIVERY_UNCERTAIN`, `ABORTED`, `CLOSED`:
   * see `maybeWritten`.
   * @throws {BrokerError} a broker refused for good; `code` is its reason.
   * @throws {ConnectionError | AuthenticationError | ProtocolError} no bootstrap address is a Kafka broker that we can talk to
   * and that lets us in.
   * @see Kafka `max.block.ms`, `buffer.memory`, `delivery.timeout.ms`, `max.request.size`
   */
  send(record3, options) {
    return new Promise((resolve3, reject) => {
      const receipt = new PromiseReceipt(resolve3, reject);
      checkCallOptions("send", options);
      const guarded = options?.signal === void 0 ? receipt : this.#signals.guard(options.signal, receipt);
      this.#intake.accept(record3, guarded, 0);
    });
  }
  /**
   * Takes one record in without a promise, the cheapest way to send. `false`: it was not taken in, because `bufferBytes`
   * is full or a `send` waits for room; `ready()` tells when to come back.
   *
   * @param done runs once if, and only if, this returned true, and never before it returned. Without it failures are told
   * to `onUndelivered`.
   * @throws {OptionError} `INVALID_RECORD`, {DeliveryError} `RECORD_TOO_LARGE`, `PARTITIONER_FAILED`, `CLOSED`: it can never
   * be taken in.
   */
  offer(record3, done, context) {
    const receipt = done === void 0 ? this.#unwatched : new CallbackReceipt(done, context, this.#callbacks);
    return this.#intake.offer(record3, receipt);
  }
  /**
   * Resolves when `offer` would take records in again.
   *
   * @throws {DeliveryError} `CLOSED`, `ABORTED`.
   */
  async ready(options = {}) {
    this.#assertOpen("ready");
    checkCallOptions("ready", options);
    await this.#signals.race(options.signal, "ready", this.#intake.memory.ready());
    this.#assertOpen("ready");
  }
  /**
   * A stream of records, for input without end: `offer` behind it, back-pressure in front. `finish` comes when all have
   * settled. The first record that is not delivered destroys it, unless there is an `onError`.
   *
   * @throws {OptionError} `INVALID_ARGUMENT`, {DeliveryError} `CLOSED`.
   */
  writable(options = {}) {
    checkWritableOptions(options);
    this.#assertOpen("writable");
    const parts = {
      offer: (record3, done, context) => this.offer(record3, done, context),
      ready: (wait) => this.ready(wait),
      flush: () => this.flush(),
      soon: (fn) => this.#clock.soon(fn),
      onUndelivered: (error) => this.#unwatched.settleFailed(0, error)
    };
    return new RecordWritable(parts, options);
  }
  /**
   * Sends all records and waits until each has settled.
   *
   * @throws {BatchDeliveryError} some were not delivered; `report` says which and why.
   */
  async sendAll(records2, options = {}) {
    const report = await this.sendAllSettled(records2, options);
    if (report.failed.length > 0) throw new BatchDeliveryError(report);
    return report;
  }
  /**
   * Like `sendAll`, but a record that was not delivered is a line in the report, not an exception.
   *
   * @throws {BatchDeliveryError} the iterable itself threw; what was read before has settled, `cause` is its error.
   */
  async sendAllSettled(records2, options = {}) {
    this.#assertOpen("sendAll");
    checkIterable(records2);
    checkCallOptions("sendAll", options);
    const report = new ReportReceipt();
    const receipt = options.signal === void 0 ? report : this.#signals.guard(options.signal, report);
    const failure = await this.#readAll(
      records2,
      options,
      (record3) => this.#intake.accept(record3, receipt, report.next())
    );
    await report.allSettled();
    if (failure !== null) throw new BatchDeliveryError(report, { cause: failure.cause });
    return report;
  }
  /**
   * Resolves when everything that was accepted before has settled, delivered or not; batches do not linger meanwhile.
   *
   * @throws {DeliveryError} `FLUSH_TIMEOUT`, `ABORTED`: the records go on.
   */
  async flush(options = {}) {
    checkCallOptions("flush", options);
    checkTimeout("flush", options.timeoutMs);
    const ticket = new Countdown();
    this.#intake.addTicket(ticket);
    this.#accumulator.addTicket(ticket);
    if (ticket.remaining === 0) return;
    this.#sender.pump();
    const settled = within(this.#clock, options.timeoutMs, ticket.settled);
    const outcome = await this.#signals.race(options.signal, "flush", settled);
    if (outcome === "late") {
      const what = `${ticket.remaining} batches or waiting records had not settled after ${options.timeoutMs ?? ""} ms`;
      throw new DeliveryError("FLUSH_TIMEOUT", `flush: FLUSH_TIMEOUT: ${what}; they go on`, { maybeWritten: true });
    }
  }
  /**
   * Takes no more records, waits for the rest, closes all connections. After `timeoutMs` (default `deliveryTimeoutMs`)
   * the records that are left fail with `CLOSED`; `0` does not wait. A second call gives the same promise.
   *
   * @throws {DeliveryError} `CLOSED`: some records were given up.
   */
  close(options = {}) {
    if (this.#closing !== null) return this.#closing;
    const misuse4 = misuseOf(() => {
      checkCallOptions("close", options);
      checkTimeout("close", options.timeoutMs);
    });
    if (misuse4 !== null) return Promise.reject(misuse4);
    this.#closing = this.#close(options);
    return this.#closing;
  }
  [Symbol.asyncDispose]() {
    return this.close();
  }
  /** All topics of the cluster that we may see, by name. */
  async topics() {
    this.#assertOpen("topics");
    return await listTopics(this.#askMetadata);
  }
  /**
   * The partitions of one topic, by number, as the cluster sees them now.
   *
   * @throws {BrokerError} `UNKNOWN_TOPIC_OR_PARTITION` and the like.
   */
  async partitionsFor(topic) {
    this.#assertOpen("partitionsFor");
    return await listPartitions(this.#askMetadata, topic);
  }
  /** What it has done and what it holds, now. */
  stats() {
    const { memory } = this.#intake;
    const { identity, isOn } = this.#producerId;
    return {
      ...this.#counters,
      state: this.#state,
      idempotent: isOn,
      producerId: identity?.producerId ?? null,
      producerEpoch: identity?.producerEpoch ?? null,
      unsettled: this.#counters.accepted - this.#counters.delivered - this.#counters.failed,
      waiting: this.#intake.waitingCount,
      bufferBytes: this.#options.bufferBytes,
      bufferUsedBytes: memory.usedBytes + memory.waitingBytes,
      ...this.#accumulator.stats()
    };
  }
  /** Takes one record after the other, no faster than they settle. */
  async #readAll(records2, { topic, signal }, accept) {
    const stop = new ReadStop();
    const unlisten = signal && this.#signals.onAbort(signal, () => stop.stop(aborted("sendAll", signal, false)));
    this.#readings.add(stop);
    const pace = new ReadingPace(this.#clock, this.#intake.memory);
    const take = (record3) => {
      accept(withTopic(record3, topic));
      return pace.afterRecord();
    };
    try {
      return await readRecords(records2, take, stop);
    } finally {
      this.#readings.delete(stop);
      unlisten?.();
    }
  }
  #onAppended() {
    if (this.#isMetadataDoubtful) {
      this.#isMetadataDoubtful = false;
      this.#cluster.refreshSoon();
    }
    this.#sender.pumpSoon();
  }
  #onClusterChange(error) {
    if (error !== null) {
      this.#log.warn(error.message, { err: error });
      this.#isMetadataDoubtful = this.#options.acks === 0;
      if (!this.#intake.isEmpty || !this.#accumulator.isEmpty) this.#cluster.refreshSoon();
    }
    this.#intake.review();
    this.#sender.pump();
  }
  #onRefreshFailed(error, isHopeless) {
    this.#log.warn(`metadata could not be refreshed: ${error.message}`, { err: error });
    if (isHopeless) this.#intake.failWaitingForTopics(error);
    this.#intake.review();
    this.#sender.pump();
  }
  /** A broker and we disagree about what is in the log: going on would lose records or double them. */
  #endFor(error) {
    if (this.#fatal !== null) return;
    this.#fatal = error;
    this.#log.error(error.message, { err: error });
    for (const reading of this.#readings) reading.stop(error);
    failAllFor(error, this.#intake, this.#sender);
    this.#intake.memory.wakeAll();
  }
  async #close({ timeoutMs }) {
    this.#state = "closing";
    this.#intake.memory.wakeAll();
    for (const reading of this.#readings) reading.stop(closedError3("the producer was closed", {}));
    const waitMs2 = timeoutMs ?? this.#options.deliveryTimeoutMs;
    if (waitMs2 > 0) await this.flush(waitMs2 === Infinity ? {} : { timeoutMs: waitMs2 }).catch(givenUpBelow);
    const givenUp = giveUpAll(this.#intake, this.#sender);
    this.#intake.memory.wakeAll();
    this.#cluster.close();
    this.#state = "closed";
    if (givenUp > 0) throw closedError3(`${givenUp} records had not settled and were given up`, { maybeWritten: true });
  }
  #assertOpen(where) {
    const refusal9 = this.#refusal(where);
    if (refusal9 !== null) throw refusal9;
  }
  #refusal(where) {
    if (this.#fatal !== null) return fatalError(this.#fatal, {});
    if (this.#state === "running") return null;
    return new DeliveryError("CLOSED", `${where}: CLOSED: the producer is ${this.#state}`);
  }
  #ended() {
    if (this.#fatal !== null) return fatalError(this.#fatal, {});
    return this.#state === "closed" ? closedError3("the producer was closed first", {}) : null;
  }
};

// src/diagnose/advertised.ts
import { isIP as isIP5 } from "node:net";

// src/diagnose/advice.ts
var NOT_KAFKA = /* @__PURE__ */ new Set([
  ...["INVALID_FRAME", "CORRELATION_MISMATCH", "TRUNCATED", "TRAILING_BYTES", "INVALID_VALUE"]
]);
function adviceFor({ code }, step, mechanism2) {
  if (code === "CONNECT_TIMEOUT") return TIMEOUTS[step];
  if (code === "SASL_AUTHENTICATION_FAILED" && mechanism2 !== void 0) return LOGINS[mechanism2];
  if (NOT_KAFKA.has(code)) return "What came back is not the Kafka protocol: is this the port of another service?";
  return ADVICE[code] ?? "";
}
var ADVICE = {
  HOST_NOT_FOUND: "Is it spelled right, and does this machine's DNS know it? Names of containers and of Kubernetes services are known only inside of their own network.",
  CONNECTION_REFUSED: "Is the broker running, is this the port of one of its listeners, and does that listen on this address, and not on localhost only?",
  PEER_SPEAKS_HTTP: "Use the port of a Kafka listener (often 9092 to 9096): this one belongs to a web console, a REST proxy, a schema registry or the like.",
  PEER_SPEAKS_TLS: "true is enough where a public authority has signed the certificates of the brokers; with one of your own give tls.ca.",
  UNSUPPORTED_SASL_MECHANISM: "Set sasl.mechanism to one that the listener has, or use the port of a listener that has this one.",
  UNSUPPORTED_VERSION: "headrace needs Kafka 0.10 or newer."
};
var SCRAM = "Check user name and password. A SCRAM user must exist for this very mechanism: kafka-configs.sh --describe --entity-type users shows for which.";
var LOGINS = {
  PLAIN: "Check user name and password.",
  "SCRAM-SHA-256": SCRAM,
  "SCRAM-SHA-512": SCRAM,
  OAUTHBEARER: "Check the token: issuer, audience, scope and expiry, and this machine's clock.",
  AWS_MSK_IAM: "Check whose credentials these are, the region, this machine's clock, and that a policy allows kafka-cluster:Connect."
};
var TIMEOUTS = {
  resolve: "This machine's name servers do not answer: /etc/resolv.conf, VPN.",
  tcp: "Packets are lost without a word: a firewall or security group, the wrong network (VPN, VPC peering), or a machine that is down.",
  tls: "",
  "api-versions": "The port takes connections, and nobody answers: the broker is stuck or still starting, a proxy or load balancer has no broker behind it, or it is the port of another service.",
  sasl: "The broker answers, but the login hangs: is what it checks the login with (LDAP, an OAuth server) there, and is our own function for the secret quick?"
};

// src/diagnose/words.ts
function whatOf({ code, message }) {
  const at = message.indexOf(code);
  const behind = at < 0 ? null : /^(?: \(-?\d+\))?: /.exec(message.slice(at + code.length));
  return behind === null ? message : message.slice(at + code.length + behind[0].length);
}
function withAdvice(what, advice) {
  if (advice === "") return what;
  return /[.?!]$/.test(what) ? `${what} ${advice}` : `${what}. ${advice}`;
}
function quoted2(name2) {
  return JSON.stringify(brokerText(name2));
}
function counted(count3, noun) {
  return `${count3} ${noun}${count3 === 1 ? "" : "s"}`;
}
function listed(items, most) {
  const shown = items.slice(0, most).join(", ");
  return items.length > most ? `${shown} and ${items.length - most} more` : shown;
}
function argument(text3) {
  return /^[\w.@=:-]+$/.test(text3) ? text3 : "...";
}

// src/diagnose/diagnosis-step.ts
function passed({ step, ms }, message, warning) {
  return { step, ok: true, ms, message, ...warning === void 0 ? {} : { code: warning } };
}
function failed4({ step, ms }, code, message) {
  return { step, ok: false, ms, message, code };
}
function failedBy(found, error, address, advice) {
  return failed4(found, error.code, `${address}: ${withAdvice(whatOf(error), advice)}`);
}

// src/diagnose/way.ts
var NAMES3 = {
  resolved: "resolve",
  connected: "tcp",
  secured: "tls",
  negotiated: "api-versions",
  authenticated: "sasl"
};
var Way = class {
  #ahead;
  constructor({ options, mechanism: mechanism2 }) {
    this.#ahead = [
      ...options.createSocket === void 0 ? ["resolve"] : [],
      "tcp",
      ...options.tls === null ? [] : ["tls"],
      "api-versions",
      ...mechanism2 === null ? [] : ["sasl"]
    ];
  }
  /** @returns what is done now; null: it was before, and the connection is tried again in an older version. */
  pass({ step }) {
    const name2 = NAMES3[step];
    if (this.#ahead[0] !== name2) return null;
    this.#ahead.shift();
    return name2;
  }
  /** What of it went wrong. That TLS is missing, or a certificate was not taken, shows only later. */
  failedAt({ code }) {
    const isAboutTls = /^(TLS_|PEER_SPEAKS_TLS|PEER_NOT_TLS|CERTIFICATE_|CLIENT_CERTIFICATE_)/.test(code);
    return isAboutTls ? "tls" : this.#ahead[0] ?? "api-versions";
  }
};

// src/diagnose/advertised.ts
var AT_ONCE = 10;
async function* visitAdvertised(visitor, { answer, arrival }, bootstrap) {
  const tried = new Set(bootstrap.map(formatAddress));
  const others = answer.brokers.filter((broker) => !tried.has(formatAddress(broker))).sort((a, b) => a.nodeId - b.nodeId);
  for (let i = 0; i < others.length; i += AT_ONCE) {
    const visits = others.slice(i, i + AT_ONCE).map((broker) => visit(visitor, broker, arrival));
    for (const step of visits) yield await step;
  }
}
async function visit(visitor, broker, arrival) {
  const { clock } = visitor;
  const sinceMs = clock.now();
  const { nodeId, host, port } = broker;
  const address = brokerText(formatAddress(broker));
  const found = () => {
    return { step: `broker ${nodeId} at ${address}`, ms: clock.now() - sinceMs };
  };
  const way = new Way(visitor);
  try {
    const connection = await visitor.open({ host, port }, nodeId, { onStep: (progress) => void way.pass(progress) });
    connection.close();
    const doubt = isMistaken(broker, arrival) ? `. But ${host} is this machine, and ${arrival.bootstrap.host} is another one: is that the same broker?` : "";
    return passed(found(), `broker ${nodeId} can be reached at the address that it advertises, and takes us${doubt}`);
  } catch (error) {
    const failure = error;
    const what = `broker ${nodeId} calls itself ${address} (its advertised.listeners), and records for its partitions go there. That failed: ${whatOf(failure)}`;
    const step = way.failedAt(failure);
    const advice = adviceForAdvertised(failure, step, broker, arrival) ?? adviceFor(failure, step, visitor.mechanism?.name);
    return failed4(found(), failure.code, withAdvice(what, advice));
  }
}
function adviceForAdvertised(error, step, broker, arrival) {
  const { nodeId, host } = broker;
  const change = `set advertised.listeners of broker ${nodeId}`;
  if (isMistaken(broker, arrival)) {
    return `${brokerText(host)} is this machine, and the broker is another one: ${change} to a name that its clients can reach, such as ${arrival.bootstrap.host}.`;
  }
  if (step !== "resolve" && step !== "tcp") return null;
  if (error.code === "HOST_NOT_FOUND") {
    const isShort = isIP5(host) === 0 && !host.includes(".");
    const guess = isShort ? "It looks like the name of a container or pod, which is known only inside of its own network: " : "";
    return `${guess}${capitalIf(guess === "", change)} to a name that this machine can resolve, or make this one known here (DNS, /etc/hosts, or the option mapAddress).`;
  }
  return `If broker ${nodeId} is running, ${change} to a host and port that this machine can reach: mind port mappings of containers, firewalls and private networks.`;
}
function isMistaken({ host }, { remoteAddress }) {
  const isOurs = host === "localhost" || host.endsWith(".localhost") || isLoopback(host);
  return isOurs && remoteAddress !== "" && !isLoopback(remoteAddress);
}
function capitalIf(isFirst, text3) {
  return isFirst ? text3.charAt(0).toUpperCase() + text3.slice(1) : text3;
}

// src/diagnose/approach.ts
import { isIP as isIP6 } from "node:net";

// src/diagnose/certificate-words.ts
var DAY_MS3 = 864e5;
var NEAR_MS = 30 * DAY_MS3;
function certificateReport({ tlsVersion, chain }, ours, nowMs) {
  const [leaf] = chain;
  const about = leaf === void 0 ? "the broker has shown no certificate" : describe2(leaf, chain.slice(1), nowMs);
  const shown = chain.filter(({ isSelfSigned }, i) => i === 0 || !isSelfSigned);
  const endings = shown.flatMap((certificate) => endingOf(certificate, nowMs));
  const warnings = [...endings, ...ours];
  const news = warnings.map(({ message: message2 }) => ` Warning: ${message2}.`).join("");
  const [first] = warnings;
  const message = `${tlsVersion ?? "TLS"}; ${about}${news === "" ? "" : `.${news}`}`;
  return { message, ...first === void 0 ? {} : { warning: first.code } };
}
function describe2(leaf, above, nowMs) {
  const names = brokerText(leaf.names.replaceAll(/(DNS|IP Address):/g, ""));
  const good = `is for ${names === "" ? "no host" : names}`;
  const end = `expires on ${dayOf(leaf.toMs)} (${fromNow(leaf.toMs, nowMs)})`;
  const signers = above.map((one) => `${quoted2(one.subject)} (until ${dayOf(one.toMs)})`);
  const last = chainEnd(above.at(-1) ?? leaf);
  return `the broker's certificate ${quoted2(leaf.subject)} ${good}, ${end}, and is signed by ${[...signers, ...last].join(", that by ")}`;
}
function chainEnd(top) {
  return top.isSelfSigned ? [] : [quoted2(top.issuer)];
}
function endingOf({ subject, toMs }, nowMs) {
  if (toMs - nowMs > NEAR_MS) return [];
  const what = `the certificate of ${quoted2(subject)}`;
  if (toMs <= nowMs) return [{ code: "CERTIFICATE_EXPIRED", message: `${what} expired on ${dayOf(toMs)}` }];
  return [{ code: "CERTIFICATE_EXPIRES", message: `${what} expires ${fromNow(toMs, nowMs)}` }];
}
function fromNow(atMs, nowMs) {
  if (atMs <= nowMs) return "in the past";
  const days = Math.floor((atMs - nowMs) / DAY_MS3);
  return days < 1 ? "within a day" : `in ${counted(days, "day")}`;
}

// src/diagnose/kafka-version.ts
var [PRODUCE, FETCH, LIST_OFFSETS, METADATA, JOIN_GROUP, CREATE_TOPICS] = [0, 1, 2, 3, 11, 19];
var [INIT_PRODUCER_ID, ADD_PARTITIONS_TO_TXN, DESCRIBE_ACLS, DESCRIBE_CONFIGS, DESCRIBE_LOG_DIRS] = [
  ...[22, 24, 29, 32, 35]
];
var NOTHING3 = -1;
var MARKS = [
  ["0.10.0", PRODUCE, 2],
  ["0.10.1", METADATA, 2],
  ["0.10.2", CREATE_TOPICS, 1],
  ["0.11", PRODUCE, 3],
  ["1.0", PRODUCE, 5],
  ["1.1", FETCH, 7],
  ["2.0", PRODUCE, 6],
  ["2.1", PRODUCE, 7],
  ["2.2", LIST_OFFSETS, 5],
  ["2.3", METADATA, 8],
  ["2.4", PRODUCE, 8],
  ["2.5", INIT_PRODUCER_ID, 3],
  ["2.6", DESCRIBE_CONFIGS, 3],
  ["2.7", FETCH, 12],
  ["2.8", PRODUCE, 9],
  ["3.0", LIST_OFFSETS, 7],
  ["3.1", METADATA, 12],
  ["3.2", JOIN_GROUP, 9],
  ["3.3", DESCRIBE_ACLS, 3],
  ["3.4", NOTHING3, 0],
  ["3.5", FETCH, 15],
  ["3.6", ADD_PARTITIONS_TO_TXN, 4],
  ["3.7", PRODUCE, 10],
  ["3.8", PRODUCE, 11],
  ["3.9", FETCH, 17],
  ["4.0", PRODUCE, 12],
  ["4.1", PRODUCE, 13],
  ["4.2", LIST_OFFSETS, 11],
  ["4.3", DESCRIBE_LOG_DIRS, 5]
];
function likelyKafka(versions) {
  const has2 = ([, apiKey, version3]) => (versions.get(apiKey)?.max ?? -1) >= version3;
  const first = MARKS.findLastIndex(has2);
  if (first < 0) return "older than 0.10";
  const past = MARKS.findIndex(([, apiKey], i) => i > first && versions.has(apiKey));
  const [from, to] = [MARKS[first]?.[0] ?? "", MARKS.at(past < 0 ? -1 : past - 1)?.[0] ?? ""];
  if (past < 0) return `${from} or newer`;
  return from === to ? from : `${from} to ${to}`;
}

// src/diagnose/mailbox.ts
var Mailbox = class {
  #items = [];
  #wake = null;
  put(item) {
    this.#items.push(item);
    this.#wake?.();
  }
  async take() {
    for (; ; ) {
      const item = this.#items.shift();
      if (item !== void 0) return item;
      await new Promise((resolve3) => this.#wake = resolve3);
    }
  }
};

// src/diagnose/approach.ts
async function* approach(visitor, bootstrap) {
  const { clock } = visitor;
  const happenings = new Mailbox();
  const course = new Course(visitor, bootstrap);
  const onStep = (progress) => happenings.put({ atMs: clock.now(), progress });
  const onWarnings = (warnings) => course.warn(warnings);
  void visitor.open(bootstrap, null, { onStep, onWarnings }).then(
    (connection) => happenings.put({ atMs: clock.now(), connection }),
    (error) => happenings.put({ atMs: clock.now(), error })
  );
  for (; ; ) {
    const happening = await happenings.take();
    if ("connection" in happening) {
      const { connection } = happening;
      return { connection, bootstrap, remoteAddress: course.remoteAddress, maxMetadataVersion: metadata.maxVersion };
    }
    if ("progress" in happening) yield* course.advance(happening.progress, happening.atMs);
    else yield* course.fail(happening.error, happening.atMs);
    if (course.isOver) return null;
  }
}
var YEAR_MS = 365 * 864e5;
var Course = class {
  remoteAddress = "";
  isOver = false;
  #visitor;
  #bootstrap;
  #address;
  #way;
  #warnings = [];
  #addressCount = 1;
  #sinceMs;
  /** TLS 1.3 judges a client's certificate after the handshake: only the first answer proves that it was taken. */
  #unproven = null;
  constructor(visitor, bootstrap) {
    this.#visitor = visitor;
    this.#bootstrap = bootstrap;
    this.#address = formatAddress(bootstrap);
    this.#sinceMs = visitor.clock.now();
    this.#way = new Way(visitor);
  }
  warn(warnings) {
    this.#warnings.push(...warnings);
  }
  /** What was told already, of a connection that is tried again in an older version, is not told twice. */
  advance(progress, atMs) {
    const name2 = this.#way.pass(progress);
    if (name2 === null) return [];
    const found = this.#found(name2, atMs);
    if (progress.step === "negotiated") return this.#negotiated(progress.versions, found);
    const [what, warning] = this.#describe(progress);
    const step = passed(found, `${this.#address}: ${what}`, warning);
    if (progress.step !== "secured") return [step];
    this.#unproven = step;
    return [];
  }
  fail(error, atMs) {
    this.isOver = true;
    const name2 = this.#way.failedAt(error);
    const before = name2 === "tls" ? [] : this.#proven();
    const advice = adviceFor(error, name2, this.#visitor.mechanism?.name);
    return [...before, failedBy(this.#found(name2, atMs), error, this.#address, advice)];
  }
  #describe(progress) {
    switch (progress.step) {
      case "resolved":
        this.#addressCount = progress.addresses.length;
        return [this.#resolved(progress.addresses)];
      case "connected":
        this.remoteAddress = progress.remoteAddress;
        return [this.#connected(progress.remoteAddress)];
      case "secured": {
        const nowMs = this.#visitor.clock.wallNow();
        const { message, warning } = certificateReport(progress.transport, this.#warnings, nowMs);
        return [message, warning];
      }
      case "authenticated":
        return [this.#loggedIn(progress.session)];
    }
  }
  #resolved(addresses) {
    const { host } = this.#bootstrap;
    const { mapAddress } = this.#visitor.options;
    const list3 = addresses.join(", ") || "no address";
    if (mapAddress !== void 0) return `where mapAddress leads is ${list3}`;
    return isIP6(host) === 0 ? `${host} is ${list3}` : "it is an address, there is no name to resolve";
  }
  #connected(remoteAddress) {
    if (this.#visitor.options.createSocket !== void 0) return "createSocket gave a connection";
    const of = this.#addressCount > 1 ? ` (of ${this.#addressCount} addresses)` : "";
    return `${remoteAddress} takes connections${of}`;
  }
  #negotiated(versions, found) {
    const before = this.#proven();
    try {
      chooseVersion(produce, versions, this.#address);
    } catch (error) {
      this.isOver = true;
      const advice = versions.has(produce.key) ? "" : "Is it the port of a controller? Use that of a broker.";
      return [...before, failedBy(found, error, this.#address, advice)];
    }
    const what = `the broker answers, with ${counted(versions.size, "API")}: most likely Kafka ${likelyKafka(versions)}`;
    return [...before, passed(found, `${this.#address}: ${what}`)];
  }
  #loggedIn({ sessionLifetimeMs, requestId }) {
    const { name: name2, user } = this.#visitor.mechanism ?? { name: "SASL", user: null };
    const who = user === null ? name2 : `${name2}, user ${JSON.stringify(user)}`;
    const lifetimeMs = Number(sessionLifetimeMs);
    const isEndless = lifetimeMs <= 0 || lifetimeMs > YEAR_MS;
    const end = isEndless ? "for as long as the connection lasts" : `for ${durationOf(lifetimeMs)}, then it is repeated`;
    return `${who}: the broker takes the login, ${end}${requestId === void 0 ? "" : ` (request id ${requestId})`}`;
  }
  #proven() {
    const steps = this.#unproven === null ? [] : [this.#unproven];
    this.#unproven = null;
    return steps;
  }
  #found(step, atMs) {
    const ms = atMs - this.#sinceMs;
    this.#sinceMs = atMs;
    return { step, ms };
  }
};
function durationOf(ms) {
  if (ms < 1e4) return `${ms} ms`;
  return ms < 6e5 ? `${Math.round(ms / 1e3)} s` : `${Math.round(ms / 6e4)} minutes`;
}

// src/diagnose/ask-metadata.ts
var FIRST_WITHOUT_CREATION = 4;
var LAST_OLD_METADATA2 = 8;
function metadataVersion({ connection, maxMetadataVersion }) {
  return Math.min(connection.newestVersion(metadata), maxMetadataVersion);
}
function canAskAboutOne(arrival) {
  return metadataVersion(arrival) >= FIRST_WITHOUT_CREATION;
}
async function askMetadata(arrival, question, maxVersion = metadata.maxVersion) {
  const { connection, maxMetadataVersion } = arrival;
  const whole = { ...question, allowAutoTopicCreation: !canAskAboutOne(arrival) };
  const limits = { maxVersion: Math.min(maxVersion, maxMetadataVersion) };
  const outcome = await connection.request(metadata, whole, limits);
  if ("error" in outcome) return outcome;
  const { errorCode } = outcome.response;
  if (errorCode === 0) return { answer: outcome.response };
  return { error: toBrokerError(errorCode, `${connection.address}: Metadata`) };
}
async function askFirst(visitor, arrival) {
  const reply = await askMetadata(arrival, { topics: [] });
  if (!("error" in reply && reply.error instanceof ProtocolError)) return { arrival, reply };
  try {
    const connection = await visitor.open(arrival.bootstrap, null, {});
    const other = { ...arrival, connection, maxMetadataVersion: LAST_OLD_METADATA2 };
    const second = await askMetadata(other, { topics: [] });
    return "answer" in second ? { arrival: other, reply: second } : { arrival, reply };
  } catch {
    return { arrival, reply };
  }
}

// src/diagnose/metadata-steps.ts
var MAX_BROKERS_TOLD = 8;
async function* meetCluster(visitor, arrivals) {
  let known = null;
  for (const first of arrivals) {
    const sinceMs = visitor.clock.now();
    const { arrival, reply: said } = await askFirst(visitor, first);
    const { connection } = arrival;
    const reply = judged(connection, said, known);
    const found = { step: "metadata", ms: visitor.clock.now() - sinceMs };
    if ("error" in reply) {
      const wantsLogin = isGuess(reply.error) && visitor.mechanism === null;
      yield failedBy(
        wantsLogin ? { ...found, step: "sasl" } : found,
        reply.error,
        connection.address,
        wantsLogin ? "If it does, set sasl; if not, the broker was just being stopped, or its log says why." : adviceFor2(reply.error)
      );
    } else if (known === null) {
      known = { arrival, answer: reply.answer };
      yield passed(found, `${connection.address}: ${describe3(reply.answer)}`);
    }
  }
  return known;
}
function judged({ address }, reply, known) {
  if ("error" in reply) return reply;
  const { brokers, clusterId } = reply.answer;
  if (brokers.length === 0) {
    const what2 = "the answer names no broker: the broker is just starting, or cannot reach its controller";
    return { error: new ProtocolError("INVALID_VALUE", `${address}: INVALID_VALUE: ${what2}`) };
  }
  const first = known?.answer.clusterId ?? null;
  if (first === null || clusterId === null || first === clusterId) return reply;
  const what = `it belongs to the cluster ${quoted2(clusterId)}, and ${known?.arrival.connection.address ?? ""} to ${quoted2(first)}: are there two clusters among the brokers?`;
  return { error: new ConnectionError("CLUSTER_MISMATCH", `${address}: CLUSTER_MISMATCH: ${what}`) };
}
function adviceFor2({ code }) {
  if (code === "CLUSTER_MISMATCH") return "Name only brokers of one cluster.";
  if (code === "REQUEST_TIMEOUT")
    return "The broker takes questions and does not answer: it is overloaded, stuck or stopping.";
  return "";
}
function describe3({ clusterId, brokers, controllerId }) {
  const list3 = brokers.map(({ nodeId, host, port }) => `${nodeId} at ${brokerText(formatAddress({ host, port }))}`);
  const name2 = clusterId === null ? "a cluster that does not say its id" : `cluster ${quoted2(clusterId)}`;
  const controller = controllerId < 0 ? "no controller now" : `controller ${controllerId}`;
  return `${name2} of ${counted(brokers.length, "broker")}: ${listed(list3, MAX_BROKERS_TOLD)}; ${controller}`;
}

// src/diagnose/authorization.ts
var TOPIC_AUTHORIZATION_FAILED = 29;
var CLUSTER_AUTHORIZATION_FAILED = 31;
var FIRST_WITH_OPERATIONS = 8;
var LAST_WITH_CLUSTER = 10;
var NOT_GIVEN = -(2 ** 31);
var OPERATIONS = {
  ...{ 3: "READ", 4: "WRITE", 5: "CREATE", 6: "DELETE", 7: "ALTER", 8: "DESCRIBE" },
  ...{ 10: "DESCRIBE_CONFIGS", 11: "ALTER_CONFIGS", 12: "IDEMPOTENT_WRITE" }
};
var WRITE = 4;
var IDEMPOTENT_WRITE = 12;
var FIRST_PRODUCE_WITH_ONE_RIGHT = 9;
async function* judgeAuthorization(visitor, arrival, topic) {
  const { clock } = visitor;
  const startMs = clock.now();
  const { connection } = arrival;
  if (metadataVersion(arrival) < FIRST_WITH_OPERATIONS) {
    const what = "this broker is too old to say whether we may write (before Kafka 2.3); the first record will tell";
    yield passed({ step: "authorization", ms: 0 }, what);
    return;
  }
  const question = { topics: [{ name: topic }], includeTopicAuthorizedOperations: true };
  const reply = await askMetadata(arrival, { ...question, includeClusterAuthorizedOperations: true }, LAST_WITH_CLUSTER);
  const found = { step: "authorization", ms: clock.now() - startMs };
  if ("error" in reply) {
    yield failedBy(found, reply.error, connection.address, "");
    return;
  }
  const { topics: topics2, clusterAuthorizedOperations } = reply.answer;
  const answer = topics2.find(({ name: name2 }) => name2 === topic);
  const errorCode = answer?.errorCode ?? 0;
  if (errorCode !== 0 && errorCode !== TOPIC_AUTHORIZATION_FAILED) {
    yield failedBy(found, toBrokerError(errorCode, "Metadata"), `topic ${JSON.stringify(topic)}`, "");
    return;
  }
  const operations = errorCode === 0 ? answer?.topicAuthorizedOperations ?? NOT_GIVEN : 0;
  const hasOneRight = connection.newestVersion(produce) >= FIRST_PRODUCE_WITH_ONE_RIGHT;
  yield judge({ visitor, topic, found, operations, clusterOperations: hasOneRight ? 0 : clusterAuthorizedOperations });
}
function judge({ visitor, topic, found, operations, clusterOperations }) {
  const [shown, [us, principal]] = [JSON.stringify(topic), principalOf(visitor)];
  if (operations === NOT_GIVEN) {
    return passed(found, "the broker does not say whether we may write; the first record will tell");
  }
  if (!may(operations, WRITE)) {
    const { name: name3 } = errorByCode(TOPIC_AUTHORIZATION_FAILED);
    const had = namesOf(operations);
    const what = `${us} may not write to topic ${shown}: ${had === "" ? "it has no right on it, not even to see whether it is there" : `all it may do is ${had}`}`;
    return failed4(
      found,
      name3,
      `${what}. Give it WRITE: kafka-acls.sh --add --allow-principal ${principal} --producer --topic ${argument(topic)}`
    );
  }
  const idempotence = idempotenceOf(visitor.options);
  const isRefused = clusterOperations > 0 && !may(clusterOperations, IDEMPOTENT_WRITE);
  const can = `${us} may write to topic ${shown}`;
  if (!isRefused || idempotence === "off") return passed(found, can);
  const { name: name2 } = errorByCode(CLUSTER_AUTHORIZATION_FAILED);
  const give = `Give it IDEMPOTENT_WRITE: kafka-acls.sh --add --allow-principal ${principal} --operation IdempotentWrite --cluster`;
  const lacks = `${can}, but not idempotently`;
  return idempotence === "required" ? failed4(found, name2, `${lacks}, which the option idempotent asks for. ${give}`) : passed(found, `${lacks}: a producer goes on without. ${give}`, name2);
}
function may(operations, operation) {
  return (operations & 1 << operation) !== 0;
}
function namesOf(operations) {
  const names = Object.entries(OPERATIONS).filter(([operation]) => may(operations, Number(operation)));
  return names.map(([, name2]) => name2).join(", ");
}
function principalOf({ mechanism: mechanism2, options }) {
  const user = mechanism2?.user ?? null;
  if (user !== null) return [`user ${quoted2(user)}`, argument(`User:${user}`)];
  if (mechanism2 !== null) return [`whoever ${mechanism2.name} has logged in`, "..."];
  if (options.tls !== null) return ["whoever our certificate names, or nobody (User:ANONYMOUS)", "..."];
  return ["whoever does not log in (User:ANONYMOUS)", "User:ANONYMOUS"];
}

// src/diagnose/topic-steps.ts
var MAX_PARTITIONS_TOLD = 10;
async function* examineTopic(visitor, arrival, topic) {
  const { clock } = visitor;
  const startMs = clock.now();
  const reply = await askMetadata(arrival, { topics: canAskAboutOne(arrival) ? [{ name: topic }] : null });
  const names = isMissing(reply, topic) ? await namesLike(topic, arrival) : [];
  const found = { step: "topic", ms: clock.now() - startMs };
  if ("error" in reply) {
    yield failedBy(found, reply.error, arrival.connection.address, "");
    return;
  }
  const answer = topicIn(reply.answer, topic);
  if (answer?.errorCode !== TOPIC_AUTHORIZATION_FAILED) {
    const step = judgeTopic(answer, { topic, found, names, isCreated: visitor.options.allowAutoTopicCreation });
    yield step;
    if (answer === void 0 || answer.errorCode !== 0 || answer.isInternal) return;
  }
  yield* judgeAuthorization(visitor, arrival, topic);
}
function topicIn({ topics: topics2 }, topic) {
  return topics2.find(({ name: name2 }) => name2 === topic);
}
function isMissing(reply, topic) {
  if ("error" in reply) return false;
  return (topicIn(reply.answer, topic)?.errorCode ?? UNKNOWN_TOPIC_OR_PARTITION) === UNKNOWN_TOPIC_OR_PARTITION;
}
async function namesLike(topic, arrival) {
  const reply = await askMetadata(arrival, { topics: null });
  if ("error" in reply) return [];
  return nearestNames(
    topic,
    reply.answer.topics.flatMap(({ name: name2 }) => name2 ?? []),
    3
  );
}
function judgeTopic(answer, { topic, found, names, isCreated }) {
  const shown = JSON.stringify(topic);
  const errorCode = answer?.errorCode ?? UNKNOWN_TOPIC_OR_PARTITION;
  if (answer === void 0 || errorCode === UNKNOWN_TOPIC_OR_PARTITION) {
    return failed4(found, errorByCode(UNKNOWN_TOPIC_OR_PARTITION).name, missingText(topic, names, isCreated));
  }
  if (errorCode !== 0) {
    const error = toBrokerError(errorCode, "Metadata");
    return failed4(found, error.code, `topic ${shown}: ${whatOf(error)}`);
  }
  if (answer.isInternal) {
    return failed4(
      found,
      errorByCode(INVALID_TOPIC_EXCEPTION).name,
      `topic ${shown} is one of Kafka's own, to which no producer may write. Use another one.`
    );
  }
  return judgePartitions(answer, `topic ${shown}`, found);
}
function missingText(topic, names, isCreated) {
  const hint = names.length === 0 ? "" : `; did you mean ${names.map((name2) => JSON.stringify(name2)).join(" or ")}?`;
  const what = `the cluster has no topic ${JSON.stringify(topic)}${hint}${hint === "" ? "." : ""}`;
  const creation = isCreated ? " A producer asks for it to be created, which works only where the brokers have auto.create.topics.enable." : "";
  return `${what} Check the spelling, or create it: kafka-topics.sh --create --topic ${argument(topic)} --partitions ...${creation}`;
}
function judgePartitions({ partitions }, topic, found) {
  const leaderless = partitions.filter(({ leaderId }) => leaderId < 0).map(({ partitionIndex }) => partitionIndex);
  const count3 = counted(partitions.length, "partition");
  if (leaderless.length > 0) {
    const { name: name2 } = errorByCode(LEADER_NOT_AVAILABLE);
    const which2 = listed(
      leaderless.sort((a, b) => a - b),
      MAX_PARTITIONS_TOLD
    );
    const advice = "Their brokers are down, or an election is under way: look which brokers are missing from the cluster.";
    return failed4(
      found,
      name2,
      `${topic}: ${leaderless.length} of ${count3} have no leader now (${which2}), and nothing can be written to them. ${advice}`
    );
  }
  const behind = partitions.filter(({ isrNodes, replicaNodes }) => isrNodes.length < replicaNodes.length).length;
  const replicas = behind === 0 ? "" : `; ${behind} of them with replicas that are not in sync`;
  return passed(found, `${topic} has ${count3}, each with a leader${replicas}`);
}

// src/diagnose/visitor.ts
var Visitor = class {
  options;
  mechanism;
  clock;
  #begun = [];
  #isOver = false;
  constructor(options, mechanism2, clock) {
    this.options = options;
    this.mechanism = mechanism2;
    this.clock = clock;
  }
  /** @param nodeId null: a bootstrap address. @throws {KafkaError} why it cannot be used. */
  async open(address, nodeId, { onStep, onWarnings }) {
    const { clientId, connectTimeoutMs, requestTimeoutMs, connectionsMaxIdleMs: maxIdleMs } = this.options;
    const { createSocket, mapAddress, connectGuard, tls, allowPlaintextCredentials } = this.options;
    const target = { ...address, nodeId };
    const options = {
      ...{ ...target, clientId, clock: this.clock, connectTimeoutMs, requestTimeoutMs, maxIdleMs },
      ...{ createSocket, mapAddress, connectGuard, tls, allowPlaintextCredentials, mechanism: this.mechanism },
      ...{ onStep, tlsWarnings: new Every(onWarnings) }
    };
    const opened = (begun) => {
      this.#begun.push(begun);
      if (this.#isOver) begun.close();
    };
    try {
      return await openConnection(options, { name: "headrace", version: VERSION }, opened);
    } catch (error) {
      throw asKafkaError(formatAddress(address), error);
    }
  }
  /** Nobody listens any more: what is open is closed, what is being opened is given up. */
  close() {
    this.#isOver = true;
    for (const begun of this.#begun) begun.close();
  }
};
var Every = class extends TlsWarnings {
  #hear;
  constructor(hear) {
    super(() => void 0);
    this.#hear = hear;
  }
  tell(warnings) {
    this.#hear?.(warnings);
  }
};

// src/diagnose/diagnose.ts
async function* diagnose(options, target = {}, clock = systemClock) {
  const topic = checkTarget(target);
  const visitor = visitorFor(options, clock);
  try {
    const addresses = await bootstrapOf(visitor);
    if ("step" in addresses) yield addresses;
    else yield* walk(visitor, addresses.found, topic);
  } finally {
    visitor.close();
  }
}
async function* walk(visitor, bootstrap, topic) {
  const arrivals = [];
  for (const address of bootstrap) {
    const arrival = yield* approach(visitor, address);
    if (arrival !== null) arrivals.push(arrival);
  }
  const known = yield* meetCluster(visitor, arrivals);
  if (known === null) return;
  yield* visitAdvertised(visitor, known, bootstrap);
  if (topic !== void 0) yield* examineTopic(visitor, known.arrival, topic);
}
function visitorFor(given, clock) {
  const options = resolveProducerOptions(given);
  if (options.compression !== null) loadCodec(options.compression);
  const mechanism2 = options.sasl === void 0 ? null : createMechanism(options.sasl, { clock });
  return new Visitor(options, mechanism2, clock);
}
async function bootstrapOf({
  options,
  clock
}) {
  const startMs = clock.now();
  try {
    return { found: await new Bootstrap({ ...options, clock }).addresses() };
  } catch (error) {
    const ms = clock.now() - startMs;
    return failed4({ step: "brokers", ms }, error.code, whatOf(error));
  }
}
function checkTarget(target) {
  const topic = typeof target === "object" && target !== null ? target.topic : target;
  if (topic === void 0 || typeof topic === "string" && topic !== "") return topic;
  const what = `topic: got ${show(topic)}, expected a string that is not empty`;
  throw new OptionError("INVALID_ARGUMENT", `diagnose: INVALID_ARGUMENT: ${what}`);
}

// src/output/waiting.ts
function sleep(clock, delayMs2, signal) {
  let cancel = () => void 0;
  const over = new Promise((resolve3) => {
    const timer2 = clock.after(delayMs2, resolve3);
    cancel = () => timer2.cancel();
  });
  return orAborted2(over, signal).finally(cancel);
}
function orAborted2(work, signal) {
  return new Promise((resolve3, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
    const end = () => signal.removeEventListener("abort", abort);
    work.finally(end).then(resolve3, reject);
  });
}
var Waits = class {
  #signal;
  #end = null;
  constructor(signal) {
    this.#signal = signal;
    signal.addEventListener("abort", () => this.#end?.(signal.reason), { once: true });
  }
  for(work) {
    return new Promise((resolve3, reject) => {
      this.#end = reject;
      work.then(resolve3, reject);
      if (this.#signal.aborted) reject(this.#signal.reason);
    });
  }
};
var FIRST_DELAY_MS = 1e3;
var MAX_DELAY_MS = 6e4;
function growingDelayMs(attempts) {
  return Math.min(FIRST_DELAY_MS * 2 ** (attempts - 1), MAX_DELAY_MS);
}

// src/output/call-order.ts
var CallOrder = class {
  #last = Promise.resolve();
  /** Runs `work` when those before it have ended. @throws the signal's reason, if it comes first. */
  async run(signal, work) {
    const before = this.#last;
    const own2 = orAborted2(before, signal).then(work);
    this.#last = Promise.allSettled([before, own2]).then(nothing);
    await own2;
  }
};
function nothing() {
  return void 0;
}

// src/output/types/value.ts
var DateTime = class {
  text;
  constructor(text3) {
    this.text = text3;
  }
};
var Row = class {
  names;
  values;
  constructor(names, values) {
    this.names = names;
    this.values = values;
  }
};
var INT64_MIN = -(2n ** 63n);
var INT64_MAX = 2n ** 63n - 1n;
function typeOf(value) {
  if (value === null) return null;
  switch (typeof value) {
    case "bigint":
      return "bigint";
    case "number":
      return "float";
    case "string":
      return "nvarchar(max)";
    case "boolean":
      return "bit";
    default:
      if (value instanceof DateTime) return "datetime";
      return value instanceof Row ? "record" : "array";
  }
}
function plainText2(value) {
  if (typeof value === "string") return value;
  if (typeof value === "number") return floatText(value);
  return value instanceof DateTime ? value.text : String(value);
}
function floatText(value) {
  return value === 0 && Object.is(value, -0) ? "-0.0" : String(value);
}

// src/output/serialize/message-format.ts
function joinBytes(head, rows2, between, tail) {
  const [only2] = rows2;
  if (rows2.length === 1 && only2 !== void 0 && head === "" && tail === "") return only2.bytes;
  const separator = Buffer.from(between);
  const parts = [Buffer.from(head)];
  rows2.forEach((row, index) => {
    if (index > 0) parts.push(separator);
    parts.push(row.bytes);
  });
  parts.push(Buffer.from(tail));
  return Buffer.concat(parts);
}

// src/output/serialize/json.ts
var layouts = {
  LineSeparated: { head: "", between: "\n", tail: "" },
  Array: { head: "[", between: ",", tail: "]" }
};
var JsonFormat = class {
  canPack = true;
  #layout;
  /** Rows of one source share their list of names: what stands before each value is made once, `{"a":`, `,"b":`. */
  #names = [];
  #heads = [];
  constructor(layout) {
    this.#layout = layouts[layout];
  }
  encodeRow(row) {
    return { bytes: Buffer.from(this.#text(row)), shape: null };
  }
  overhead() {
    return { messageBytes: this.#layout.head.length + this.#layout.tail.length, betweenBytes: 1 };
  }
  assemble(rows2) {
    const { head, between, tail } = this.#layout;
    return joinBytes(head, rows2, between, tail);
  }
  #text({ names, values }) {
    if (names !== this.#names) {
      this.#heads = names.map((name2, i) => `${i === 0 ? "{" : ","}${JSON.stringify(name2)}:`);
      this.#names = names;
    }
    let text3 = "";
    for (let i = 0; i < values.length; i++) text3 += (this.#heads[i] ?? "") + jsonText(values[i] ?? null);
    return text3 === "" ? "{}" : `${text3}}`;
  }
};
function jsonText(value) {
  if (value === null) return "null";
  switch (typeof value) {
    case "string":
      return JSON.stringify(value);
    case "number":
      return floatText(value);
    case "bigint":
    case "boolean":
      return String(value);
    default:
      if (value instanceof DateTime) return `"${value.text}"`;
      return value instanceof Row ? recordText(value) : `[${value.map(jsonText).join(",")}]`;
  }
}
function recordText({ names, values }) {
  let text3 = "{";
  for (let i = 0; i < names.length; i++) {
    if (i > 0) text3 += ",";
    text3 += `${quotedName(names[i] ?? "")}:${jsonText(values[i] ?? null)}`;
  }
  return `${text3}}`;
}
var quotedNames = /* @__PURE__ */ new Map();
var QUOTED_NAMES = 1e3;
function quotedName(name2) {
  const known = quotedNames.get(name2);
  if (known !== void 0) return known;
  const quoted3 = JSON.stringify(name2);
  if (quotedNames.size < QUOTED_NAMES) quotedNames.set(name2, quoted3);
  return quoted3;
}

// src/output/types/date-time.ts
var ISO = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,40}))?)?\s?(Z|[+-]\d\d(?::?\d\d)?)?)?$/i;
var FRACTION_DIGITS = 7;
var FIRST_MS = (/* @__PURE__ */ new Date(0)).setUTCFullYear(1, 0, 1);
var LAST_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);
function fromDate(date2) {
  const ms = date2.getTime();
  if (Number.isNaN(ms)) return { reason: "the Date is not valid" };
  return withinRange(ms) ? new DateTime(`${date2.toISOString().slice(0, -1)}0000Z`) : OUT_OF_RANGE;
}
function fromIsoText(text3) {
  const match = ISO.exec(text3);
  if (match === null) return { reason: "expected a datetime as 2014-09-10T12:01:00.0000000Z" };
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? "0"));
  const date2 = /* @__PURE__ */ new Date(0);
  date2.setUTCFullYear(year, month - 1, day);
  if (date2.getUTCMonth() !== month - 1 || date2.getUTCDate() !== day) return { reason: "there is no such day" };
  if (hour > 23 || minute > 59 || second > 59) return { reason: "there is no such time of day" };
  const fraction = (match[7] ?? "").replace(/0+$/, "");
  if (fraction.length > FRACTION_DIGITS) return { reason: "more than seven fractional digits would be lost" };
  const offset = offsetMinutes(match[8] ?? "Z");
  if (offset === null) return { reason: "there is no such offset from UTC" };
  const ms = date2.setUTCHours(hour, minute - offset, second);
  if (!withinRange(ms)) return OUT_OF_RANGE;
  return new DateTime(`${new Date(ms).toISOString().slice(0, 20)}${fraction.padEnd(FRACTION_DIGITS, "0")}Z`);
}
var OUT_OF_RANGE = { reason: "outside of the years 0001 to 9999" };
function withinRange(ms) {
  return ms >= FIRST_MS && ms <= LAST_MS;
}
function offsetMinutes(text3) {
  if (text3 === "Z" || text3 === "z") return 0;
  const [hours, minutes] = [Number(text3.slice(1, 3)), Number(text3.slice(3).replace(":", ""))];
  if (hours > 14 || minutes > 59) return null;
  return (text3.startsWith("-") ? -1 : 1) * (hours * 60 + minutes);
}

// src/output/types/infer-value.ts
var MAX_DEPTH2 = 100;
function inferValue(input, trail, isRead, depth = 0) {
  switch (typeof input) {
    case "string":
    case "boolean":
      return input;
    case "number":
      if (!Number.isFinite(input)) throw trail.fail(String(input), "a float is a finite number");
      return isRead || !Number.isSafeInteger(input) ? input : BigInt(input);
    case "bigint":
      if (input < INT64_MIN || input > INT64_MAX) {
        throw trail.fail("bigint", "outside of int64 (-2^63 to 2^63-1); send it as a string");
      }
      return input;
    case "object":
      return input === null ? null : inferObject(input, trail, isRead, depth);
    default:
      throw trail.fail(kindOf2(input), "no column type holds it");
  }
}
function inferObject(input, trail, isRead, depth) {
  if (depth >= MAX_DEPTH2)
    throw trail.fail(kindOf2(input), `more than ${MAX_DEPTH2} records and arrays inside one another`);
  if (Array.isArray(input)) return inferArray(input, trail, isRead, depth);
  if (input instanceof Date) {
    const moment = fromDate(input);
    if (moment instanceof DateTime) return moment;
    throw trail.fail("a Date", moment.reason);
  }
  if (input instanceof Row) return inferRecord(input.names, input.values, trail, true, depth);
  if (input instanceof DateTime) return input;
  if (!isPlainObject(input)) throw trail.fail(kindOf2(input), "a record is a plain object; no column type holds this");
  const { names, values } = membersOf(input);
  return inferRecord(names, values, trail, isRead, depth);
}
function inferArray(items, trail, isRead, depth) {
  const values = [];
  for (let index = 0; index < items.length; index++) {
    trail.enter(index);
    values.push(inferValue(items[index], trail, isRead, depth + 1));
    trail.leave();
  }
  return values;
}
function inferRecord(names, values, trail, isRead, depth) {
  if (isRead && new Set(names).size < names.length)
    throw trail.fail("record", "a member is there twice", "DUPLICATE_KEY");
  const inferred = values.map((value, index) => {
    trail.enter(names[index] ?? "");
    const result = inferValue(value, trail, isRead, depth + 1);
    trail.leave();
    return result;
  });
  return new Row(names, inferred);
}
function membersOf(input) {
  const names = [];
  const values = [];
  for (const name2 of Object.keys(input)) {
    const value = input[name2];
    if (value === void 0) continue;
    names.push(name2);
    values.push(value);
  }
  return { names, values };
}
function isPlainObject(input) {
  const prototype = Object.getPrototypeOf(input);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
function kindOf2(input) {
  if (input === null || input === void 0) return String(input);
  if (typeof input !== "object")
    return typeof input === "number" && !Number.isFinite(input) ? String(input) : typeof input;
  if (Array.isArray(input)) return "array";
  const tag = Object.prototype.toString.call(input).slice("[object ".length, -1);
  return isPlainObject(input) ? "record" : `a ${tag === "Object" ? "class instance" : tag}`;
}

// src/output/data-errors.ts
var WINDOW_MS = 1e4;
var MAX_KINDS = 100;
var MAX_EXAMPLE_CHARACTERS = 1e3;
var DataErrors = class {
  #source;
  #clock;
  #tell;
  #kinds = /* @__PURE__ */ new Map();
  /** Failed conversions so far. */
  count = 0;
  constructor(source, clock, tell) {
    this.#source = source;
    this.#clock = clock;
    this.#tell = tell;
  }
  /**
   * @param input the row; an example of it goes into the record.
   * @param rows how many rows failed together.
   */
  add(error, input, rows2 = 1) {
    this.count += rows2;
    const name2 = this.#kindOf(error);
    const kind = this.#kinds.get(name2);
    if (kind === void 0) {
      this.#tell(this.#record(error, input, rows2));
      const timer2 = this.#clock.after(WINDOW_MS, () => this.#end(name2), false);
      this.#kinds.set(name2, { record: null, timer: timer2 });
    } else if (kind.record === null) {
      kind.record = this.#record(error, input, rows2);
    } else {
      kind.record = { ...kind.record, EventCount: kind.record.EventCount + rows2, ToTimestamp: this.#now() };
    }
  }
  /** Tells what has not been told yet. */
  flush() {
    for (const name2 of [...this.#kinds.keys()]) this.#end(name2);
  }
  #kindOf({ code, path, reason }) {
    const name2 = `${code} ${path ?? ""} ${reason}`;
    return this.#kinds.size < MAX_KINDS || this.#kinds.has(name2) ? name2 : code;
  }
  #end(name2) {
    const kind = this.#kinds.get(name2);
    this.#kinds.delete(name2);
    kind?.timer.cancel();
    if (kind?.record !== null && kind?.record !== void 0) this.#tell(kind.record);
  }
  #record(error, input, rows2) {
    const now = this.#now();
    return {
      ...{ Source: this.#source, Type: "DataError", DataErrorType: error.dataErrorType },
      BriefMessage: `${error.path === null ? "row" : `column '${error.path}'`}: ${error.valueKind}: ${error.reason}`,
      ...{ Message: error.message, ExampleEvents: JSON.stringify([exampleOf(input)]) },
      ...{ FromTimestamp: now, ToTimestamp: now, EventCount: rows2 }
    };
  }
  #now() {
    const moment = fromDate(new Date(this.#clock.wallNow()));
    return moment instanceof DateTime ? moment.text : "";
  }
};
function exampleOf(input) {
  try {
    const shown = input instanceof Row ? jsonText(input) : JSON.stringify(input, showMember);
    return shown?.slice(0, MAX_EXAMPLE_CHARACTERS) ?? kindOf2(input);
  } catch {
    return "a row that cannot be shown";
  }
}
function showMember(_name, value) {
  if (typeof value === "bigint") return String(value);
  if (value instanceof Row) return Object.fromEntries(value.names.map((name2, i) => [name2, value.values[i]]));
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
}

// src/output/delivery.ts
var PERMANENT = /* @__PURE__ */ new Set(["UNKNOWN_TOPIC_OR_PARTITION", "UNKNOWN_TOPIC_ID"]);
var GIVEN_UP = /* @__PURE__ */ new Set(["DELIVERY_UNCERTAIN", "CLOSED"]);
var Delivery = class {
  #parts;
  #ending = new AbortController();
  #producer = null;
  /** Hears what becomes of the messages of `#producer`. */
  #onSettled = () => void 0;
  #inFlight = 0;
  #failed = [];
  #recovery = null;
  #onQuiet = null;
  constructor(parts) {
    this.#parts = parts;
  }
  /** Made at first use, and anew when the one before can do nothing more. */
  get producer() {
    if (this.#producer !== null) return this.#producer;
    const producer = this.#parts.createProducer();
    this.#onSettled = (error, _metadata, message) => this.#settled(producer, error, message);
    return this.#producer = producer;
  }
  /** Takes a message, unless there is no room, or others must go before it: then `ready` says when to come back. */
  offer(message) {
    return this.#recovery === null && this.#offer(message);
  }
  async ready(signal) {
    await orAborted2(this.#recovery ?? this.producer.ready().catch(toldToOwners), signal);
  }
  /** Gives up what has not settled; its owners are told. */
  async end() {
    this.#ending.abort(new DeliveryError("CLOSED", "KafkaOutput: CLOSED: the output was closed"));
    for (const { message, error } of this.#failed.splice(0)) message.owner.abandoned(message, error.maybeWritten);
    await this.#producer?.close({ timeoutMs: 0 }).catch(toldToOwners);
  }
  #offer(message) {
    const { producer } = this;
    try {
      if (!producer.offer(message.record, this.#onSettled, message)) return false;
      this.#inFlight++;
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error;
      this.#judge(producer, { message, error });
    }
    return true;
  }
  #settled(producer, error, message) {
    this.#inFlight--;
    if (error === null) message.owner.delivered(message);
    else this.#judge(producer, { message, error });
    if (this.#inFlight === 0) this.#onQuiet?.();
  }
  #judge(producer, { message, error }) {
    if (this.#ending.signal.aborted) {
      message.owner.abandoned(message, error.maybeWritten);
      return;
    }
    if (error.fatal) this.#letGo(producer);
    if (!isPassing(error)) {
      message.owner.refused(message, error);
      return;
    }
    this.#failed.push({ message, error });
    this.#recovery ??= this.#recover().finally(() => this.#recovery = null);
  }
  /** All that failed, in order, as often as it takes. */
  async #recover() {
    for (let attempts = 1; ; attempts++) {
      await this.#quiet();
      const [first] = this.#failed.sort((a, b) => a.message.order - b.message.order);
      if (first === void 0) return;
      const rows2 = this.#failed.reduce((sum2, { message }) => sum2 + message.rowCount, 0);
      const delayMs2 = growingDelayMs(attempts);
      this.#parts.onRetry(rows2, delayMs2, first.error);
      const isOver = await sleep(this.#parts.clock, delayMs2, this.#ending.signal).then(
        () => false,
        () => true
      );
      if (isOver) return;
      for (const failed6 of this.#failed.splice(0)) await this.#again(failed6);
    }
  }
  async #again({ message, error }) {
    message.owner.retried(message, error.maybeWritten);
    if (error.partition !== void 0) message.record = { ...message.record, partition: error.partition };
    while (!this.#ending.signal.aborted) {
      if (this.#offer(message)) return;
      await orAborted2(this.producer.ready(), this.#ending.signal).catch(toldToOwners);
    }
    message.owner.abandoned(message, error.maybeWritten);
  }
  /** Resolves when nothing is in flight. */
  async #quiet() {
    if (this.#inFlight > 0) await new Promise((resolve3) => this.#onQuiet = resolve3);
    this.#onQuiet = null;
  }
  #letGo(broken) {
    if (this.#producer !== broken) return;
    this.#producer = null;
    void broken.close({ timeoutMs: 0 }).catch(toldToOwners);
  }
};
function isPassing({ code, retriable, fatal }) {
  return (retriable || fatal || GIVEN_UP.has(code)) && !PERMANENT.has(code);
}
function toldToOwners() {
  return void 0;
}

// src/output/key-vault/ask.ts
var MAX_BODY_BYTES = 256 * 1024;
async function ask2(url, headers, { fetch, clock, timeoutMs }) {
  const ending = new AbortController();
  let cancel = () => void 0;
  const timeout = new Promise((resolve3) => {
    const timer2 = clock.after(timeoutMs, () => {
      resolve3({ kind: "timeout" });
      ending.abort(new Error("no answer in time"));
    });
    cancel = () => timer2.cancel();
  });
  try {
    return await Promise.race([timeout, exchange(url, headers, { fetch, clock, ending })]);
  } finally {
    cancel();
  }
}
async function exchange(url, headers, { fetch, clock, ending }) {
  try {
    const response = await fetch(url, { headers, redirect: "manual", signal: ending.signal });
    if (response.redirected) return { status: 302, retryAfterMs: void 0, authenticate: "", json: void 0 };
    const text3 = await limitedText2(response);
    if (text3 === null) {
      ending.abort(new Error("too large"));
      return { kind: "too-large" };
    }
    return {
      status: response.status,
      retryAfterMs: retryAfter(response.headers.get("retry-after"), clock),
      authenticate: response.headers.get("www-authenticate") ?? "",
      json: parse(text3)
    };
  } catch (error) {
    return { kind: "network", code: systemCode(error) };
  }
}
async function limitedText2(response) {
  const chunks = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
function parse(text3) {
  try {
    return JSON.parse(text3);
  } catch {
    return void 0;
  }
}
function retryAfter(header, clock) {
  if (header === null) return void 0;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1e3;
  const dateMs = Date.parse(header);
  return Number.isNaN(dateMs) ? void 0 : Math.max(dateMs - clock.wallNow(), 0);
}
function systemCode(error, depth = 0) {
  if (typeof error !== "object" || error === null || depth > 3) return "unknown";
  const { code, cause, errors } = error;
  if (typeof code === "string" && SYSTEM_CODES.test(code)) return code;
  return systemCode(cause ?? (Array.isArray(errors) ? errors[0] : void 0), depth + 1);
}
var SYSTEM_CODES = new RegExp(
  `^(${[
    ...["ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "EHOSTUNREACH", "ENETUNREACH", "EHOSTDOWN", "ENETDOWN"],
    ...["ETIMEDOUT", "EPIPE", "EACCES", "EPERM", "EADDRNOTAVAIL", "EPROTO", "CERT_HAS_EXPIRED"],
    ...["UND_ERR_CONNECT_TIMEOUT", "UND_ERR_HEADERS_TIMEOUT", "UND_ERR_BODY_TIMEOUT", "UND_ERR_SOCKET"],
    ...["SELF_SIGNED_CERT_IN_CHAIN", "DEPTH_ZERO_SELF_SIGNED_CERT", "UNABLE_TO_VERIFY_LEAF_SIGNATURE"],
    ...["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "ERR_TLS_CERT_ALTNAME_INVALID", "ERR_SSL_WRONG_VERSION_NUMBER"]
  ].join("|")})$`
);

// src/output/key-vault/key-vault-error.ts
var KeyVaultError = class extends KafkaError {
  name = "KeyVaultError";
  code;
  status;
  retryAfterMs;
  /** @param where the vault's host, a secret of it, or the token endpoint. */
  constructor(code, where, what, details = {}) {
    super(`${where}: ${code}: ${what}`, { retriable: details.retriable ?? false, cause: details.cause });
    this.code = code;
    this.status = details.status;
    this.retryAfterMs = details.retryAfterMs;
  }
};

// src/output/key-vault/secret-text.ts
import { inspect as inspect2 } from "node:util";
var REDACTED2 = "[redacted]";
var SecretText = class extends WeakSet {
  #text;
  constructor(text3) {
    super();
    this.#text = text3;
  }
  /** The text itself. Whoever calls this sees to it that it goes nowhere but into TLS or a request header. */
  reveal() {
    return this.#text;
  }
  toString() {
    return REDACTED2;
  }
  toJSON() {
    return REDACTED2;
  }
  [Symbol.toPrimitive]() {
    return REDACTED2;
  }
  [inspect2.custom]() {
    return REDACTED2;
  }
};

// src/output/key-vault/token-answer.ts
var TOKEN2 = /^[-\w.~+/]{1,16384}=*$/;
var IN_AZURE_ONLY = "managed identities exist in Azure only: on a virtual machine, in App Service, Functions, AKS, ...";
function readToken(answer, from, isUserAssigned, nowMs) {
  if ("kind" in answer) throw silence(answer, from);
  if (answer.status !== 200) throw refusal7(answer, from, isUserAssigned);
  const body = record(answer.json);
  const token = body["access_token"];
  if (typeof token !== "string" || !TOKEN2.test(token)) {
    throw failed5(from, "what it answers holds no token", { retriable: true, status: 200 });
  }
  return { token: new SecretText(token), expiresAtMs: expiry2(body, nowMs) };
}
function expiry2(body, nowMs) {
  const [onSeconds, inSeconds] = [seconds(body["expires_on"]), seconds(body["expires_in"])];
  if (onSeconds !== null) return onSeconds * 1e3;
  return inSeconds === null ? null : nowMs + inSeconds * 1e3;
}
function seconds(value) {
  if (typeof value !== "string" && typeof value !== "number") return null;
  return /^\d{1,11}$/.test(String(value)) ? Number(value) : null;
}
function refusal7(answer, from, isUserAssigned) {
  const { status, retryAfterMs } = answer;
  const details = { status, retryAfterMs };
  if (status >= 300 && status < 400)
    return new KeyVaultError("UNEXPECTED_REDIRECT", from.where, NOT_FOLLOWED, { status });
  if (status === 400 && isNotFound2(answer.json, from)) return notFound(from, isUserAssigned);
  if (status === 429) {
    const what = "too many requests for tokens on this machine; give processes some time between their starts";
    return new KeyVaultError("THROTTLED", from.where, what, { ...details, retriable: true });
  }
  if (status === 401 && from.kind === "app-service") {
    return failed5(from, "IDENTITY_HEADER is refused (401): it is new after each start of the app", details);
  }
  const isTransient = status >= 500 || status === 408 || from.kind === "imds" && (status === 404 || status === 410);
  return failed5(from, `it answers with status ${status}`, { ...details, retriable: isTransient });
}
function isNotFound2(json, from) {
  return from.kind === "app-service" || record(json)["error"] === "invalid_request";
}
function notFound(from, isUserAssigned) {
  const what = isUserAssigned ? "no user-assigned identity with keyVault.identity.clientId is assigned to this resource: assign it, or check the client id (it is not the object id)" : "this resource has no system-assigned identity: switch it on (Identity, System assigned), or name a user-assigned one in keyVault.identity";
  return new KeyVaultError("IDENTITY_NOT_FOUND", from.where, what, { status: 400 });
}
function silence(why, from) {
  if (why.kind === "too-large") return failed5(from, "its answer is too large", { retriable: true });
  const reason = why.kind === "timeout" ? "no answer in time" : why.code;
  const what = `no token endpoint here (${reason}): ${IN_AZURE_ONLY}`;
  return new KeyVaultError("IDENTITY_UNREACHABLE", from.where, what, { retriable: true, cause: new Error(reason) });
}
function failed5(from, what, details) {
  return new KeyVaultError("IDENTITY_FAILED", from.where, `no token: ${what}`, details);
}
var NOT_FOLLOWED = "a redirect, which is not followed: what we send is for this host only. Is there a proxy in between?";
function record(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
}

// src/output/key-vault/secret-answer.ts
var VERSION3 = /\/secrets\/[0-9A-Za-z-]{1,127}\/([0-9a-f]{32})$/i;
function readSecret(answer, place, nowMs) {
  if ("kind" in answer) throw silence2(answer, place);
  if (answer.status !== 200) throw refusal8(answer, place);
  const { value, id, contentType, attributes } = record(answer.json);
  const version3 = typeof id === "string" ? VERSION3.exec(id)?.[1] : void 0;
  if (typeof value !== "string" || version3 === void 0) {
    throw problem2("VAULT_FAILED", place, "what it answers is no secret", { retriable: true, status: 200 });
  }
  checkDates(record(attributes), place, nowMs);
  return { name: place.name, version: version3, value: new SecretText(value), isPkcs12: contentType === "application/x-pkcs12" };
}
function checkDates(attributes, place, nowMs) {
  const { enabled, nbf, exp } = attributes;
  if (enabled === false) throw disabled(place, 200);
  if (typeof exp === "number" && exp * 1e3 <= nowMs) {
    throw problem2("SECRET_EXPIRED", place, `expired ${date(exp)}: store a new version, or move its expiration date`);
  }
  if (typeof nbf === "number" && nbf * 1e3 > nowMs) {
    throw problem2("SECRET_NOT_YET_VALID", place, `is not to be used before its activation date, ${date(nbf)}`);
  }
}
function date(seconds2) {
  const moment = new Date(seconds2 * 1e3);
  return Number.isNaN(moment.getTime()) ? "at a date that is none" : moment.toISOString();
}
function refusal8(answer, place) {
  const { status, retryAfterMs } = answer;
  if (status === 401) return tokenRefused(answer, place);
  if (status === 403) return forbidden(answer, place);
  if (status === 404) {
    const what = `there is no such secret: store it (az keyvault secret set --vault-name ${place.host.split(".")[0]} --name ${place.name} --file cert.pem), or check its name`;
    return problem2("SECRET_NOT_FOUND", place, what, { status });
  }
  if (status === 429) {
    const what = "the vault is asked too often, by all who use it together; set a longer refreshIntervalMs";
    return problem2("THROTTLED", place, what, { status, retryAfterMs, retriable: true });
  }
  if (status >= 300 && status < 400) {
    const what = "a redirect, which is not followed: the token is for this host only. Is there a proxy in between?";
    return problem2("UNEXPECTED_REDIRECT", place, what, { status });
  }
  const retriable = status >= 500 || status === 408;
  return problem2("VAULT_FAILED", place, `the vault answers with status ${status}`, { status, retryAfterMs, retriable });
}
var RESOURCE = /resource="(https:\/\/vault\.(?:azure\.net|azure\.cn|usgovcloudapi\.net))\/?"/;
function tokenRefused(answer, place) {
  const wanted = RESOURCE.exec(answer.authenticate)?.[1];
  const message = record(record(answer.json)["error"])["message"];
  const isOtherTenant = typeof message === "string" && message.includes("AKV10032");
  const why = isOtherTenant ? "it is in another tenant than the identity" : wanted !== void 0 && wanted !== place.resource ? `it wants one for ${wanted}, which is another cloud's` : "a new one, too: look at the vault's tenant, and at the clock of this machine";
  return problem2("TOKEN_REFUSED", place, `the vault does not take the token: ${why}`, { status: 401 });
}
function forbidden(answer, place) {
  const error = record(record(answer.json)["error"]);
  const inner = record(error["innererror"] ?? error["innerError"])["code"];
  if (inner === "SecretDisabled") return disabled(place, 403);
  if (inner === "ForbiddenByFirewall" || inner === "ForbiddenByConnection") {
    const what2 = `the vault's network rules do not let this address in (${inner}): allow its subnet or address under Networking, or use a private endpoint`;
    return problem2("NETWORK_NOT_ALLOWED", place, what2, { status: 403 });
  }
  const role = 'the role "Key Vault Secrets User" on the vault';
  const policy = "an access policy with the secret permission Get";
  const tail = "it takes some minutes until that has an effect";
  const what = inner === "ForbiddenByRbac" ? `the identity may not read secrets: give it ${role}; ${tail}` : inner === "AccessDenied" ? `the identity may not read secrets: give it ${policy}; ${tail}` : `the identity may not read secrets: give it ${role}, or, where the vault has access policies, ${policy}; ${tail}`;
  return problem2("IDENTITY_NOT_ALLOWED", place, what, { status: 403 });
}
function disabled(place, status) {
  const what = "its current version is disabled: enable it, or store a new one";
  return problem2("SECRET_DISABLED", place, what, { status });
}
function silence2(why, place) {
  if (why.kind === "too-large") return problem2("VAULT_FAILED", place, "its answer is too large for a secret");
  if (why.kind === "timeout") return problem2("VAULT_UNREACHABLE", place, "no answer in time", { retriable: true });
  const cause = new Error(why.code);
  if (why.code === "ENOTFOUND") {
    const what2 = "no vault has this name (ENOTFOUND): check vaultName, and vaultUrl for another cloud";
    return problem2("VAULT_NOT_FOUND", place, what2, { retriable: true, cause });
  }
  const what = `the vault cannot be reached (${why.code})`;
  return problem2("VAULT_UNREACHABLE", place, what, { retriable: true, cause });
}
function problem2(code, place, what, details = {}) {
  return new KeyVaultError(code, `${place.host}: secret ${JSON.stringify(place.name)}`, what, details);
}

// src/output/key-vault/identity-endpoint.ts
import { isIP as isIP7 } from "node:net";
var IMDS = "http://169.254.169.254/metadata/identity/oauth2/token";
var HEADER_VALUE = /^[\x21-\x7e]{1,4096}$/;
function identityEndpoint(env, request) {
  const endpoint = env["IDENTITY_ENDPOINT"] ?? "";
  const header = env["IDENTITY_HEADER"] ?? "";
  if (endpoint === "") {
    const url2 = withQuery(new URL(IMDS), "2018-02-01", request);
    return { kind: "imds", where: "169.254.169.254", url: url2, headers: { Metadata: "true" } };
  }
  if (header === "") {
    throw invalid6("is set and IDENTITY_HEADER is not: Azure Arc and Service Fabric identities are not supported");
  }
  if ((env["IDENTITY_SERVER_THUMBPRINT"] ?? "") !== "")
    throw invalid6("is that of Service Fabric, which is not supported");
  if (!HEADER_VALUE.test(header)) throw invalid6("is fine, but IDENTITY_HEADER is no value of a header");
  const url = checkEndpoint(endpoint);
  const headers = { "X-IDENTITY-HEADER": header };
  return { kind: "app-service", where: url.host, url: withQuery(url, "2019-08-01", request), headers };
}
function withQuery(url, apiVersion, { resource, clientId }) {
  url.searchParams.set("api-version", apiVersion);
  url.searchParams.set("resource", resource);
  if (clientId !== void 0) url.searchParams.set("client_id", clientId);
  return url.href;
}
function checkEndpoint(endpoint) {
  if (!URL.canParse(endpoint)) throw invalid6("is no address");
  const url = new URL(endpoint);
  if (url.username !== "" || url.password !== "") throw invalid6("has a user name or password in it");
  const isLocal = url.protocol === "http:" && isNear(url.hostname);
  if (url.protocol === "https:" || isLocal) return url;
  throw invalid6("is neither https nor http to a local address");
}
function isNear(hostname) {
  if (hostname === "localhost") return true;
  const address = hostname.replace(/^\[|\]$/g, "");
  if (isIP7(address) === 6) return address === "::1" || /^(fe[89ab]|f[cd])/.test(address);
  if (isIP7(address) !== 4) return false;
  return /^(127\.|169\.254\.|10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.)/.test(address);
}
function invalid6(what) {
  return new KeyVaultError("IDENTITY_ENDPOINT_INVALID", "IDENTITY_ENDPOINT", `the environment variable ${what}`);
}

// src/output/key-vault/token-source.ts
var RENEW_BEFORE_MS = 3e5;
var TRY_TIMEOUT_MS2 = 3e3;
var TokenSource = class {
  #options;
  #held = null;
  #flight = null;
  constructor(options) {
    this.#options = options;
  }
  /** @throws {KeyVaultError} there is no token, and none left that is still good. */
  async get(deadline) {
    const leftMs = this.#leftMs();
    if (this.#held !== null && leftMs > RENEW_BEFORE_MS) return this.#held.token;
    this.#flight ??= this.#renew(deadline, leftMs > 0).finally(() => this.#flight = null);
    return await this.#flight;
  }
  /** It was refused: the next who asks gets another one. */
  forget(token) {
    if (this.#held?.token === token) this.#held = null;
  }
  #leftMs() {
    return this.#held === null ? 0 : this.#held.expiresAtMs - this.#options.clock.wallNow();
  }
  /** One try: whoever needs the token tries again, together with the secret that it is for. */
  async #renew(deadline, isHeldGood) {
    const held = this.#held;
    try {
      const { token, expiresAtMs } = await this.#fetch(deadline);
      this.#held = expiresAtMs === null ? null : { token, expiresAtMs };
      return token;
    } catch (error) {
      if (isHeldGood && held !== null) return held.token;
      throw error;
    }
  }
  async #fetch(deadline) {
    const { fetch, clock, env, resource, clientId } = this.#options;
    const endpoint = identityEndpoint(env, { resource, clientId });
    const timeoutMs = Math.min(TRY_TIMEOUT_MS2, deadline.leftMs);
    const answer = await ask2(endpoint.url, endpoint.headers, { fetch, clock, timeoutMs });
    return readToken(answer, endpoint, clientId !== void 0, clock.wallNow());
  }
};

// src/output/key-vault/vault-clock.ts
var systemVaultClock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  after(delayMs2, fn) {
    const timeout = setTimeout(fn, delayMs2);
    return { cancel: () => clearTimeout(timeout) };
  },
  random: () => Math.random()
};
function sleep2(clock, delayMs2) {
  return new Promise((resolve3) => void clock.after(delayMs2, resolve3));
}

// src/output/key-vault/with-retries.ts
var FIRST_PAUSE_MS = 500;
var MAX_PAUSE_MS = 8e3;
var MAX_TRIES2 = 5;
var Deadline = class {
  #clock;
  #atMs;
  constructor(clock, ms) {
    this.#clock = clock;
    this.#atMs = clock.now() + ms;
  }
  get leftMs() {
    return Math.max(this.#atMs - this.#clock.now(), 0);
  }
};
async function withRetries(clock, deadline, once2) {
  for (let tries = 1; ; tries++) {
    try {
      return await once2();
    } catch (error) {
      if (!(error instanceof KeyVaultError) || !error.retriable || tries >= MAX_TRIES2) throw error;
      const longestMs = Math.min(FIRST_PAUSE_MS * 2 ** (tries - 1), MAX_PAUSE_MS);
      const pauseMs = Math.max(longestMs * (0.5 + clock.random() / 2), error.retryAfterMs ?? 0);
      if (pauseMs >= deadline.leftMs) throw error;
      await sleep2(clock, pauseMs);
    }
  }
}

// src/output/key-vault/vault.ts
var API_VERSION = "7.4";
var TRY_TIMEOUT_MS3 = 1e4;
var DEADLINE_MS = 3e4;
function createVault(settings, { fetch = globalThis.fetch, clock = systemVaultClock, env = process.env } = {}) {
  return new KeyVault(settings, { fetch, clock, env });
}
var KeyVault = class {
  #place;
  #fetch;
  #clock;
  #tokens;
  #flights = /* @__PURE__ */ new Map();
  constructor({ host, resource, clientId }, { fetch, clock, env }) {
    this.#place = { host, resource };
    this.#fetch = fetch;
    this.#clock = clock;
    this.#tokens = new TokenSource({ fetch, clock, env, resource, clientId });
  }
  async secret(name2) {
    const flight = this.#flights.get(name2) ?? this.#read(name2).finally(() => this.#flights.delete(name2));
    this.#flights.set(name2, flight);
    return await flight;
  }
  async #read(name2) {
    const place = { ...this.#place, name: name2 };
    const deadline = new Deadline(this.#clock, DEADLINE_MS);
    const path = `secrets/${encodeURIComponent(name2)}`;
    try {
      return await withRetries(
        this.#clock,
        deadline,
        async () => readSecret(await this.#ask(path, deadline), place, this.#clock.wallNow())
      );
    } catch (error) {
      if (!(error instanceof KeyVaultError) || error.code !== "SECRET_NOT_FOUND") throw error;
      throw await this.#isDeleted(name2, deadline) ? deleted(place) : error;
    }
  }
  /** A token that is refused may have been taken back: with a new one it is tried once more. */
  async #ask(path, deadline) {
    const token = await this.#tokens.get(deadline);
    const answer = await this.#askWith(token.reveal(), path, deadline);
    if ("kind" in answer || answer.status !== 401) return answer;
    this.#tokens.forget(token);
    const next2 = await this.#tokens.get(deadline);
    return await this.#askWith(next2.reveal(), path, deadline);
  }
  async #askWith(token, path, deadline) {
    const url = `https://${this.#place.host}/${path}?api-version=${API_VERSION}`;
    const timeoutMs = Math.min(TRY_TIMEOUT_MS3, deadline.leftMs);
    return await ask2(url, { authorization: `Bearer ${token}` }, { fetch: this.#fetch, clock: this.#clock, timeoutMs });
  }
  /** One try: whoever may read secrets need not be allowed to see deleted ones, and then it is just not found. */
  async #isDeleted(name2, deadline) {
    try {
      const answer = await this.#ask(`deletedsecrets/${encodeURIComponent(name2)}`, deadline);
      return "status" in answer && answer.status === 200;
    } catch (error) {
      if (error instanceof KeyVaultError) return false;
      throw error;
    }
  }
};
function deleted(place) {
  const what = `it was deleted, and can be recovered: az keyvault secret recover --vault-name ${place.host.split(".")[0]} --name ${place.name}`;
  return problem2("SECRET_DELETED", place, what, { status: 404 });
}

// src/output/key-vault/secret-pem.ts
import { createPrivateKey as createPrivateKey2, X509Certificate as X509Certificate3 } from "node:crypto";

// src/output/key-vault/pem-blocks.ts
var BLOCK = /-----BEGIN ([A-Z0-9 ]{1,40})-----([^-]*(?:-[^-]+)*)-----END \1-----/g;
var KEY_LABELS = /* @__PURE__ */ new Set(["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"]);
var JAVA_MAGIC = /* @__PURE__ */ new Set([4277010157, 3469659854]);
function readBlocks2(text3) {
  const plain3 = text3.replace(/\\r\\n|\\n/g, "\n");
  if (plain3.includes("-----BEGIN ")) return blocksOf2(plain3);
  const compact = plain3.replace(/\s/g, "");
  if (compact.length < 8 || !/^[A-Za-z0-9+/]+={0,2}$/.test(compact)) return "nothing";
  const bytes2 = Buffer.from(compact, "base64");
  if (JAVA_MAGIC.has(bytes2.readUInt32BE(0))) return "java-key-store";
  if (isPkcs12(bytes2)) return "pkcs12";
  const inner = bytes2.toString();
  return inner.includes("-----BEGIN ") ? blocksOf2(inner) : "nothing";
}
function blocksOf2(text3) {
  const blocks = [];
  for (const [, label = "", body = ""] of text3.matchAll(BLOCK)) {
    if (label.endsWith("PARAMETERS")) continue;
    const isEncrypted = label === "ENCRYPTED PRIVATE KEY" || body.includes("ENCRYPTED");
    const base64 = body.replace(/\s/g, "");
    if (!isEncrypted && !/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return "damaged";
    const lines = base64.match(/.{1,64}/g)?.join("\n") ?? "";
    const pem2 = `-----BEGIN ${label}-----
${lines}
-----END ${label}-----
`;
    blocks.push({ kind: isEncrypted ? "encrypted-key" : kindOf3(label), pem: pem2 });
  }
  const begun = text3.split("-----BEGIN ").length - 1;
  const parameters = text3.match(/-----BEGIN [A-Z0-9 ]*PARAMETERS-----/g)?.length ?? 0;
  return blocks.length === begun - parameters && blocks.length > 0 ? blocks : "damaged";
}
function kindOf3(label) {
  if (label === "CERTIFICATE" || label === "X509 CERTIFICATE" || label === "TRUSTED CERTIFICATE") return "certificate";
  return KEY_LABELS.has(label) ? "key" : "other";
}
function isPkcs12(bytes2) {
  if (bytes2[0] !== 48) return false;
  const first = bytes2[1] ?? 0;
  const at = first < 128 ? 2 : 2 + (first & 127);
  return bytes2.subarray(at, at + 3).equals(Buffer.from([2, 1, 3]));
}

// src/output/key-vault/secret-pem.ts
function readTruststore(secret2, { host, nowMs }) {
  const fail = failing(host, secret2.name);
  const certificates = certificatesOf2(blocksOf3(secret2, fail), fail);
  const [first] = certificates;
  if (first !== void 0 && certificates.every((one) => untilMs(one) <= nowMs)) {
    throw fail("CERTIFICATE_EXPIRED", `${expired2(first)}: store what the brokers' certificates are signed by now`);
  }
  return certificates.map(String);
}
function readClientCertificate(secret2, { host, nowMs }) {
  const fail = failing(host, secret2.name);
  const blocks = blocksOf3(secret2, fail);
  const key = blocks.some(({ kind }) => kind === "certificate") ? readKey(blocks, fail) : null;
  const certificates = certificatesOf2(blocks, fail);
  const own2 = certificates.find((one) => key !== null && one.checkPrivateKey(key.object));
  if (own2 === void 0 || key === null) {
    throw fail("KEY_MISMATCH", "its private key belongs to none of its certificates: store those that belong together");
  }
  if (untilMs(own2) <= nowMs) {
    throw fail("CERTIFICATE_EXPIRED", `${expired2(own2)}: have a new one issued, and store it with its key and chain`);
  }
  if (Date.parse(own2.validFrom) > nowMs) {
    throw fail("CERTIFICATE_NOT_YET_VALID", `its certificate is valid from ${new Date(own2.validFrom).toISOString()}`);
  }
  const chain = [own2, ...certificates.filter((one) => one !== own2)];
  return { cert: chain.map(String).join(""), key: key.pem };
}
function failing(host, name2) {
  return (code, what) => problem2(code, { host, name: name2 }, what);
}
var NO_PEM = {
  pkcs12: [
    "KEY_STORE_NOT_PEM",
    "it holds a PKCS#12 store: convert it (openssl pkcs12 -in store.p12 -nodes -out cert.pem), and store the PEM"
  ],
  "java-key-store": [
    "KEY_STORE_NOT_PEM",
    "it holds a Java key store: convert it (keytool -importkeystore -deststoretype PKCS12, then openssl pkcs12 -nodes), and store the PEM"
  ],
  damaged: ["PEM_INVALID", "its PEM is damaged: a label without its end, or something between them that is no base64"],
  nothing: ["PEM_INVALID", "it holds no PEM: store the file itself (az keyvault secret set --file cert.pem)"]
};
function blocksOf3(secret2, fail) {
  const read3 = readBlocks2(secret2.value.reveal());
  if (typeof read3 !== "string") return read3;
  throw fail(...NO_PEM[secret2.isPkcs12 && read3 === "nothing" ? "pkcs12" : read3]);
}
function certificatesOf2(blocks, fail) {
  const found = blocks.filter(({ kind }) => kind === "certificate");
  if (found.length === 0) throw fail("CERTIFICATE_MISSING", "its PEM holds no certificate");
  return found.map(({ pem: pem2 }, i) => {
    try {
      return new X509Certificate3(pem2);
    } catch {
      throw fail("PEM_INVALID", `certificate ${i + 1} of ${found.length} is damaged: OpenSSL cannot read it`);
    }
  });
}
function readKey(blocks, fail) {
  if (blocks.some(({ kind }) => kind === "encrypted-key")) {
    throw fail("KEY_ENCRYPTED", "its private key is encrypted: store it without a passphrase, the vault protects it");
  }
  const [key, ...others] = blocks.filter(({ kind }) => kind === "key");
  if (key === void 0) {
    throw fail("KEY_MISSING", "its PEM holds no private key: store certificate, chain and key in one PEM");
  }
  if (others.length > 0) throw fail("PEM_INVALID", `it holds ${others.length + 1} private keys, expected one`);
  try {
    return { pem: key.pem, object: createPrivateKey2(key.pem) };
  } catch {
    throw fail("PEM_INVALID", "its private key is damaged: OpenSSL cannot read it");
  }
}
function untilMs(certificate) {
  return Date.parse(certificate.validTo);
}
function expired2(certificate) {
  return `its certificate expired ${new Date(certificate.validTo).toISOString()}`;
}

// src/output/key-vault/vault-tls.ts
var PATIENCE_MS2 = 2e3;
var VaultTls = class {
  #settings;
  #vault;
  #clock;
  #onRefresh;
  #held = null;
  #lookedAtMs = 0;
  #flight = null;
  constructor(settings, vault, dependencies = {}) {
    this.#settings = settings;
    this.#vault = vault;
    this.#clock = dependencies.clock ?? systemVaultClock;
    this.#onRefresh = dependencies.onRefresh ?? (() => void 0);
  }
  /** @throws {KeyVaultError} the first time: a secret cannot be had, or is not what it should be. The next call asks anew. */
  async options() {
    const held = this.#held;
    if (held === null) return (await this.#look()).options;
    if (!this.#isDue()) return held.options;
    return (await this.#soonOr(held)).options;
  }
  #isDue() {
    const { refreshIntervalMs } = this.#settings;
    return refreshIntervalMs > 0 && this.#clock.now() - this.#lookedAtMs >= refreshIntervalMs;
  }
  #soonOr(held) {
    return new Promise((resolve3) => {
      const useHeld = () => resolve3(held);
      const timer2 = this.#clock.after(PATIENCE_MS2, useHeld);
      void this.#look().then(resolve3, useHeld).finally(() => timer2.cancel());
    });
  }
  #look() {
    this.#flight ??= this.#refresh().finally(() => this.#flight = null);
    return this.#flight;
  }
  async #refresh() {
    const previous = this.#held;
    this.#held = await this.#read(previous).catch((error) => {
      if (previous === null) throw error;
      this.#tell({ kind: "failed", error });
      return previous;
    });
    this.#lookedAtMs = this.#clock.now();
    if (previous !== null && this.#held !== previous) {
      this.#tell({ kind: "renewed", versions: this.#held.versions, previous: previous.versions });
    }
    return this.#held;
  }
  /** Both secrets together, or none: a certificate may have changed with the authority. */
  async #read(previous) {
    const { truststoreSecret, clientCertificateSecret, host } = this.#settings;
    const secret2 = async (name2) => name2 === void 0 ? null : await this.#vault.secret(name2);
    const [truststore, client] = await Promise.all([secret2(truststoreSecret), secret2(clientCertificateSecret)]);
    const read3 = [truststore, client].filter((secret3) => secret3 !== null);
    const versions = Object.fromEntries(read3.map(({ name: name2, version: version3 }) => [name2, version3]));
    if (previous !== null && read3.every(({ name: name2, version: version3 }) => previous.versions[name2] === version3)) return previous;
    const checking = { host, nowMs: this.#clock.wallNow() };
    const ca = truststore === null ? {} : { ca: readTruststore(truststore, checking) };
    const own2 = client === null ? {} : readClientCertificate(client, checking);
    return { options: { ...ca, ...own2 }, versions };
  }
  #tell(refresh) {
    try {
      this.#onRefresh(refresh);
    } catch {
    }
  }
};

// src/output/output-error.ts
var OutputError = class extends KafkaError {
  name = "OutputError";
  code;
  /** Of a write that failed: how far it came. */
  report;
  /** Of a connection test. */
  steps;
  /** Rows of which nobody knows whether they are written. */
  unsettledRows;
  constructor(code, message, details = {}) {
    const { report = null, steps = [], unsettledRows = 0, retriable = false, maybeWritten = false, cause } = details;
    super(message, { retriable, maybeWritten, cause });
    this.code = code;
    this.report = report;
    this.steps = steps;
    this.unsettledRows = unsettledRows;
  }
};

// src/output/output-events.ts
import { channel as channel2 } from "node:diagnostics_channel";

// src/output/call-unheeded.ts
function callUnheeded(call) {
  try {
    const outcome = call();
    if (typeof outcome === "object" && outcome !== null) Promise.resolve(outcome).catch(nothing2);
  } catch {
  }
}
function nothing2() {
  return void 0;
}

// src/output/output-events.ts
var OutputEvents = class {
  #listeners;
  /** Failures that were tried again, or that ended a write. */
  runtimeErrors = 0;
  constructor(listeners) {
    this.#listeners = listeners;
  }
  get hasListeners() {
    return this.#listeners.logger !== void 0 || channel2("headrace:output:started").hasSubscribers;
  }
  started(partitions, kafka, lacks) {
    const { topic } = this.#listeners;
    this.#publish("headrace:output:started", { topic, partitions, lacks });
    const shape = partitions === null ? "" : `, ${partitions} partition${partitions === 1 ? "" : "s"}`;
    const broker = kafka === null ? "" : `; the broker is most likely Kafka ${kafka}`;
    const lack = lacks.length === 0 ? "" : `, which lacks: ${lacks.join("; ")}`;
    this.#log("info", { topic, partitions, kafka, lacks }, `writes to topic ${topic}${shape}${broker}${lack}`);
  }
  warnOf(message, fields = {}) {
    this.#log("warn", fields, message);
  }
  dataError(record3) {
    const { ExampleEvents, ...contentless } = record3;
    this.#publish("headrace:output:data-error", { record: contentless });
    callUnheeded(() => this.#listeners.onDataError?.({ ...contentless, ExampleEvents }));
    const { EventCount, Message } = record3;
    const count3 = EventCount === 1 ? "" : `${EventCount} events, the first: `;
    this.#log("warn", { dataError: contentless }, `data error: ${count3}${Message}`);
  }
  blocked(row, attempts, delayMs2, error) {
    this.#publish("headrace:output:blocked", { row, attempts, delayMs: delayMs2, error });
    const what = `row ${row} blocks all behind it: tried ${attempts} times, again in ${delayMs2} ms: ${error.message}`;
    this.#log("warn", { row, attempts, delayMs: delayMs2, err: error }, what);
  }
  unblocked(row, attempts) {
    this.#publish("headrace:output:unblocked", { row, attempts });
    this.#log("info", { row, attempts }, `row ${row} could be converted, after ${attempts} attempts that failed`);
  }
  retry(rows2, delayMs2, error) {
    this.runtimeErrors++;
    this.#publish("headrace:output:retry", { rows: rows2, delayMs: delayMs2, error });
    const what = rows2 === 0 ? "not ready yet" : `${rows2} rows were not delivered`;
    this.#log("warn", { rows: rows2, delayMs: delayMs2, err: error }, `${what}, tried again in ${delayMs2} ms: ${error.message}`);
  }
  written(report, error) {
    if (error !== null) this.runtimeErrors++;
    this.#publish("headrace:output:written", { report, error });
    if (error !== null) this.#log("error", { report, err: error }, error.message);
  }
  secrets(refresh) {
    this.#publish("headrace:output:secrets", { refresh });
    if (refresh.kind === "renewed") {
      const { versions, previous } = refresh;
      this.#log("info", { versions, previous }, "secrets have new versions; new connections use them");
      return;
    }
    const { error } = refresh;
    const why = error instanceof Error ? error.message : String(error);
    this.#log("warn", { err: error }, `secrets could not be looked at again, the old ones are used further: ${why}`);
  }
  #publish(name2, event) {
    const { outputAlias } = this.#listeners;
    const target = channel2(name2);
    if (target.hasSubscribers) target.publish({ outputAlias, ...event });
  }
  #log(level, fields, message) {
    const { outputAlias, logger } = this.#listeners;
    callUnheeded(() => logger?.[level]({ outputAlias, ...fields }, `output ${outputAlias}: ${message}`));
  }
};

// src/output/broker-age.ts
var LACKS = [
  [0, 11, "headers, idempotence (a retry may write a second copy), batches of format v2 (message set v1 is used)"],
  [2, 1, "Zstd"]
];
var RELEASE = /most likely Kafka (?:older than )?((\d+)\.(\d+)[^;]*?)$/;
async function findBrokerAge(options) {
  try {
    for await (const { step, ok, message } of diagnose(options)) {
      const age = step === "api-versions" && ok ? ageOf(message, options) : null;
      if (age !== null) return age;
    }
    return null;
  } catch {
    return null;
  }
}
function ageOf(message, { compression }) {
  const [, kafka, major = "", minor = ""] = RELEASE.exec(message) ?? [];
  if (kafka === void 0) return null;
  const lacks = LACKS.filter(([newMajor, newMinor, what]) => {
    const isOlder = Number(major) < newMajor || Number(major) === newMajor && Number(minor) < newMinor;
    return isOlder && (what !== "Zstd" || compression === "zstd");
  });
  return { kafka, lacks: lacks.map(([, , what]) => what) };
}

// src/output/output-start.ts
var MISSING = "UNKNOWN_TOPIC_OR_PARTITION";
var OutputStart = class {
  #parts;
  #ending = new AbortController();
  #started = null;
  constructor(parts) {
    this.#parts = parts;
  }
  /** @throws {KeyVaultError | ConnectionError | AuthenticationError | ProtocolError | BrokerError} */
  async ready(signal) {
    this.#started ??= this.#start().catch((error) => {
      this.#started = null;
      throw error;
    });
    await orAborted2(this.#started, signal);
  }
  end(reason) {
    this.#ending.abort(reason);
  }
  async #start() {
    const { vaultTls, events, producerOptions } = this.#parts;
    await vaultTls?.options();
    this.#ending.signal.throwIfAborted();
    const partitions = await this.#reachTopic();
    if (!events.hasListeners) return;
    void findBrokerAge(producerOptions).then((age) => {
      if (!this.#ending.signal.aborted) events.started(partitions, age?.kafka ?? null, age?.lacks ?? []);
    });
  }
  async #reachTopic() {
    const { clock, events } = this.#parts;
    for (let attempts = 1; ; attempts++) {
      const found = await this.#partitionCount();
      if (!(found instanceof KafkaError)) return found;
      const delayMs2 = growingDelayMs(attempts);
      events.retry(0, delayMs2, found);
      await sleep(clock, delayMs2, this.#ending.signal);
    }
  }
  /** @returns null: there is no such topic yet; an error: trying again may help. */
  async #partitionCount() {
    const { delivery, topic } = this.#parts;
    const { signal } = this.#ending;
    try {
      await delivery.producer.connect({ signal });
      return (await orAborted2(delivery.producer.partitionsFor(topic), signal)).length;
    } catch (error) {
      if (!(error instanceof KafkaError) || signal.aborted) throw error;
      if (error.code === MISSING) return null;
      if (error.retriable) return error;
      throw error;
    }
  }
};

// src/output/producer-settings.ts
var BATCH_BYTES = 131072;
var BATCH_OVERHEAD_BYTES = 1024;
var MIN_REQUEST_BYTES = 1048576;
var MIN_BUFFER_BYTES = 33554432;
function producerSettings(options, vaultTls) {
  const { securityProtocol, login: login2, compressionType, maxMessageBytes, logger, producer } = options;
  const largestBytes = maxMessageBytes + BATCH_OVERHEAD_BYTES;
  const hasTls = securityProtocol === "mTLS" || securityProtocol === "SASL_SSL";
  return {
    batchBytes: BATCH_BYTES,
    maxRequestBytes: Math.max(MIN_REQUEST_BYTES, largestBytes),
    bufferBytes: Math.max(MIN_BUFFER_BYTES, 4 * largestBytes),
    ...logger === void 0 ? {} : { logger },
    ...hasTls ? { tls: vaultTls === null ? true : () => vaultTls.options() } : {},
    ...producer,
    brokers: options.bootstrapServers,
    ...login2 === null ? {} : { sasl: login2 },
    ...securityProtocol === "SASL_PLAINTEXT" ? { allowPlaintextCredentials: true } : {},
    compression: compressionNames[compressionType],
    partitioner: partitionerOf(options),
    acks: "all",
    deliveryTimeoutMs: Infinity
  };
}
var compressionNames = { None: "none", Gzip: "gzip", Snappy: "snappy", Lz4: "lz4", Zstd: "zstd" };
function partitionerOf({ partitionKey, partitioner }) {
  return partitionKey !== null && partitioner === "consistent_random" ? "consistent_random" : "round-robin";
}

// src/output/output-options.ts
var securityProtocols = ["mTLS", "SASL_SSL", "SASL_PLAINTEXT", "None"];
var saslMechanisms = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"];
var compressionTypes = ["None", "Gzip", "Snappy", "Lz4", "Zstd"];
var errorPolicies = ["Retry", "Drop"];
var missingKeyRules = ["error", "round-robin"];
var outputPartitioners = ["murmur2", "consistent_random"];
var ownedOptions = ["brokers", "sasl", "compression", "partitioner", "acks", "deliveryTimeoutMs"];

// src/output/types/column-type.ts
var columnTypes = ["bigint", "float", "nvarchar(max)", "datetime", "bit", "record", "array"];
function checkColumns(input) {
  if (!Array.isArray(input)) {
    return { problems: [`columns: got ${showOption(input)}, expected a list of { name, type }`] };
  }
  const problems = [];
  const seen = /* @__PURE__ */ new Set();
  const columns = input.flatMap((item, index) => {
    const column = checkColumn(item, `columns[${index}]`, problems);
    if (column === null) return [];
    const folded = column.name.toLowerCase();
    if (seen.has(folded)) {
      problems.push(
        `columns[${index}].name: got ${showOption(column.name)}, which another column has already (case does not count)`
      );
    }
    seen.add(folded);
    return [column];
  });
  return problems.length > 0 ? { problems } : { value: columns };
}
function checkColumn(item, where, problems) {
  const { name: name2, type } = item ?? {};
  const known = columnTypes.find((candidate) => typeof type === "string" && candidate === type.toLowerCase());
  if (typeof name2 !== "string" || name2 === "") {
    problems.push(`${where}.name: got ${showOption(name2)}, expected a string that is not empty`);
  }
  if (known === void 0) {
    problems.push(`${where}.type: got ${showOption(type)}, expected one of ${columnTypes.join(", ")}`);
  }
  return typeof name2 === "string" && name2 !== "" && known !== void 0 ? { name: name2, type: known } : null;
}
function showOption(value) {
  if (typeof value === "string") return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}...` : value);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === "object" && value !== null) return "an object";
  if (typeof value === "function" || typeof value === "symbol") return `a ${typeof value}`;
  return typeof value === "bigint" ? `${value}n` : String(value);
}

// src/output/problems.ts
var Problems = class {
  /** Each begins with the property and a colon. */
  messages = [];
  get list() {
    return this.messages.map((message) => ({ property: /^[^:]*/.exec(message)?.[0] ?? "", message }));
  }
  add(property, what) {
    this.messages.push(`${property}: ${what}`);
  }
  refuse(property, value, expected) {
    if (isBlank(value)) this.add(property, `required: ${expected}`);
    else this.add(property, `got ${showOption(value)}, expected ${expected}`);
  }
  /** @returns the value of a check; null: it had problems, which are kept. */
  take(checked) {
    if ("value" in checked) return checked.value;
    this.messages.push(...checked.problems);
    return null;
  }
  /** A value of a list, without regard to case. @param fallback null: the property is required. */
  oneOf(property, value, { allowed, fallback, aliases = {} }) {
    if (isBlank(value) && fallback !== null) return fallback;
    const folded = typeof value === "string" ? value.toLowerCase() : "";
    const known = allowed.find((one) => one.toLowerCase() === folded);
    if (known !== void 0) return known;
    if (Object.hasOwn(aliases, folded)) return aliases[folded] ?? null;
    this.refuse(property, value, `one of ${allowed.join(", ")}`);
    return fallback;
  }
  int(property, value, { min, max, fallback }) {
    if (value === void 0 || value === null) return fallback;
    if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) return value;
    this.refuse(property, value, `an integer, ${min} to ${max}`);
    return fallback;
  }
  /** Text, or null if it is blank. */
  text(property, value) {
    if (isBlank(value)) return null;
    if (typeof value === "string") return value;
    this.refuse(property, value, "a string");
    return null;
  }
  bool(property, value, fallback) {
    if (value === void 0 || value === null) return fallback;
    if (typeof value !== "boolean") this.refuse(property, value, "true or false");
    return value === true;
  }
  hook(property, value) {
    if (value !== void 0 && typeof value !== "function") this.refuse(property, value, "a function");
  }
  /** What the library below says to options that were made from `property`. */
  probe(property, create) {
    try {
      create();
    } catch (error) {
      if (!(error instanceof OptionError)) throw error;
      this.add(property, error.message.replace(/^\w+: [A-Z_]+: /, "").replace(`${property}: `, ""));
    }
  }
};
function isBlank(value) {
  return value === void 0 || value === null || value === "";
}

// src/output/check-security.ts
var TOKEN_LOGIN = /^(sasl[_ -]?)?(oauth|oauthbearer|oauth2|oidc|saml|sso|saml sso|aws[_-]msk[_-]iam|gssapi|kerberos)$/i;
function checkLogin(given, protocol, problems) {
  const names = ["username", "password", "saslMechanism"];
  const present = names.filter((name2) => !isBlank(given[name2]));
  if (protocol === "None") {
    for (const name2 of present) {
      problems.add(name2, "securityProtocol None has no login; set SASL_SSL or SASL_PLAINTEXT, or leave it out");
    }
    return null;
  }
  if (protocol === "mTLS" && present.length === 0) return null;
  const mechanism2 = checkMechanism(given.saslMechanism, problems);
  const username2 = checkText("username", given.username, protocol, problems);
  const password2 = checkPassword(given.password, protocol, problems);
  return mechanism2 === null || username2 === null || password2 === null ? null : { mechanism: mechanism2, username: username2, password: password2 };
}
function checkMechanism(value, problems) {
  if (typeof value === "string" && TOKEN_LOGIN.test(value)) {
    const instead = "use an API key: its key as username, its secret as password, with PLAIN";
    problems.add("saslMechanism", `got "${value}", which is not supported, as in Stream Analytics: ${instead}`);
    return null;
  }
  return problems.oneOf("saslMechanism", value, { allowed: saslMechanisms, fallback: "PLAIN" });
}
function checkText(name2, value, protocol, problems) {
  if (typeof value === "string" && value !== "") return value;
  if (isBlank(value)) problems.add(name2, `required with securityProtocol ${protocol}`);
  else problems.add(name2, `got a ${typeof value}, expected a string`);
  return null;
}
function checkPassword(value, protocol, problems) {
  if (typeof value === "function") return value;
  return checkText("password", value, protocol, problems);
}
function checkTransport({ protocol, keyVault, hasKeyVault, tls }, problems) {
  const hasTls = protocol === "mTLS" || protocol === "SASL_SSL";
  const hasOwn = tls !== void 0 && tls !== false;
  if (!hasTls && hasKeyVault) {
    problems.add("keyVault", `securityProtocol ${protocol} has no certificates; set mTLS or SASL_SSL, or leave it out`);
  }
  if (!hasTls && hasOwn) {
    problems.add("producer.tls", `securityProtocol ${protocol} has no TLS; set mTLS or SASL_SSL, or leave it out`);
  }
  if (hasTls && tls === false) problems.add("producer.tls", `got false, but securityProtocol ${protocol} is TLS`);
  if (hasKeyVault && hasOwn) problems.add("producer.tls", "certificates come from keyVault or from here, not from both");
  if (protocol === "mTLS") checkClientCertificate(keyVault, hasKeyVault, hasOwn ? tls : void 0, problems);
}
function checkClientCertificate(keyVault, hasKeyVault, tls, problems) {
  const isInVault = hasKeyVault && (keyVault === null || keyVault.clientCertificateSecret !== void 0);
  if (isInVault || hasCertificate(tls)) return;
  const where = "keyVault.clientCertificateSecret, or producer.tls with cert and key where there is no vault";
  problems.add("securityProtocol", `mTLS needs a client certificate: set ${where}`);
}
function hasCertificate(tls) {
  if (typeof tls === "function") return true;
  if (typeof tls !== "object" || tls === null) return false;
  const { cert, key, pfx } = tls;
  return pfx !== void 0 || cert !== void 0 && key !== void 0;
}

// src/output/key-vault/settings.ts
var CLOUDS = ["vault.azure.net", "vault.azure.cn", "vault.usgovcloudapi.net"];
var IDENTITY_TYPES = ["SystemAssigned", "UserAssigned"];
var PROPERTIES = [
  ...["vaultName", "vaultUrl", "truststoreSecret", "clientCertificateSecret", "identity"],
  "refreshIntervalMs"
];
var VAULT_NAME = /^[a-z](?!.*--)[a-z0-9-]{1,22}[a-z0-9]$/;
var VAULT_NAME_RULE = "3 to 24 letters, digits and single hyphens, with a letter first and no hyphen last";
var SECRET_NAME = /^[0-9A-Za-z-]{1,127}$/;
var GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
var MIN_REFRESH_MS = 1e3;
var MAX_REFRESH_MS = 2 ** 31 - 1;
function checkKeyVault(input) {
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    return { problems: [`keyVault: got ${showOption(input)}, expected { vaultName, truststoreSecret, ... }`] };
  }
  const problems = unknownNames(input, PROPERTIES, "keyVault");
  const vault = checkVault(own(input, "vaultName"), own(input, "vaultUrl"), problems);
  const [truststoreSecret, clientCertificateSecret] = ["truststoreSecret", "clientCertificateSecret"].map(
    (name2) => checkSecretName(own(input, name2), `keyVault.${name2}`, problems)
  );
  if (truststoreSecret === void 0 && clientCertificateSecret === void 0 && problems.length === 0) {
    problems.push("keyVault: names no secret: set truststoreSecret, clientCertificateSecret, or both");
  }
  const clientId = checkIdentity2(own(input, "identity"), problems);
  const refreshIntervalMs = checkRefresh(own(input, "refreshIntervalMs"), problems);
  if (problems.length > 0 || vault === null) return { problems };
  return { value: { ...vault, truststoreSecret, clientCertificateSecret, clientId, refreshIntervalMs } };
}
function checkVault(name2, url, problems) {
  if (name2 === void 0 === (url === void 0)) {
    const what = name2 === void 0 ? "names no vault" : "names its vault twice";
    problems.push(`keyVault: ${what}: set either vaultName or vaultUrl`);
    return null;
  }
  if (url !== void 0) return checkUrl(url, problems);
  const folded = typeof name2 === "string" ? name2.toLowerCase() : "";
  if (VAULT_NAME.test(folded)) return { host: `${folded}.${CLOUDS[0]}`, resource: `https://${CLOUDS[0]}` };
  const hint = /[.:/]/.test(folded) ? " (the name alone; for an address there is vaultUrl)" : "";
  problems.push(`keyVault.vaultName: got ${showOption(name2)}, expected ${VAULT_NAME_RULE}${hint}`);
  return null;
}
function checkUrl(given, problems) {
  const refuse6 = (shown) => {
    const allowed = CLOUDS.map((cloud2) => `https://<name>.${cloud2}`).join(", ");
    problems.push(`keyVault.vaultUrl: got ${shown}, expected one of ${allowed}, and nothing behind it`);
    return null;
  };
  if (typeof given !== "string") return refuse6(showOption(given));
  if (!URL.canParse(given)) return refuse6(showOption(given));
  const { protocol, hostname, port, pathname, search, hash, username: username2, password: password2 } = new URL(given);
  if (username2 !== "" || password2 !== "") return refuse6("an address with a user name or password in it");
  if (search !== "" || hash !== "") return refuse6("an address with a query or fragment");
  const cloud = CLOUDS.find((suffix) => hostname.endsWith(`.${suffix}`));
  const name2 = cloud === void 0 ? "" : hostname.slice(0, -cloud.length - 1);
  const isBare = protocol === "https:" && port === "" && pathname === "/";
  if (!isBare || cloud === void 0 || !VAULT_NAME.test(name2)) return refuse6(showOption(given));
  return { host: hostname, resource: `https://${cloud}` };
}
function checkSecretName(given, where, problems) {
  if (given === void 0 || typeof given === "string" && SECRET_NAME.test(given)) return given;
  const isPem = typeof given === "string" && given.includes("-----BEGIN");
  const shown = isPem ? "PEM" : showOption(given);
  problems.push(
    `${where}: got ${shown}, expected the name of a secret in the vault: 1 to 127 letters, digits and hyphens`
  );
  return void 0;
}
function checkIdentity2(given, problems) {
  if (given === void 0) return void 0;
  const where = "keyVault.identity";
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    problems.push(`${where}: got ${showOption(given)}, expected { type: 'UserAssigned', clientId }`);
    return void 0;
  }
  problems.push(...unknownNames(given, ["type", "clientId"], where));
  const [type, clientId] = [own(given, "type"), own(given, "clientId")];
  const known = IDENTITY_TYPES.find((one) => typeof type === "string" && one.toLowerCase() === type.toLowerCase());
  if (known === void 0) {
    problems.push(`${where}.type: got ${showOption(type)}, expected one of ${IDENTITY_TYPES.join(", ")}`);
  } else if (known === "SystemAssigned" && clientId !== void 0) {
    problems.push(`${where}.clientId: got ${showOption(clientId)}, but a system-assigned identity has none`);
  } else if (known === "UserAssigned" && (typeof clientId !== "string" || !GUID.test(clientId))) {
    problems.push(`${where}.clientId: got ${showOption(clientId)}, expected the client id of the identity, a GUID`);
  }
  return typeof clientId === "string" ? clientId : void 0;
}
function checkRefresh(given, problems) {
  if (given === void 0 || given === 0) return 0;
  const isFine = Number.isInteger(given) && Number(given) >= MIN_REFRESH_MS && Number(given) <= MAX_REFRESH_MS;
  if (isFine) return Number(given);
  const range = `${MIN_REFRESH_MS} to ${MAX_REFRESH_MS}, or 0 for never`;
  problems.push(`keyVault.refreshIntervalMs: got ${showOption(given)}, expected whole milliseconds, ${range}`);
  return 0;
}
function unknownNames(given, known, where) {
  const unknown = Object.keys(given).filter((name2) => !known.includes(name2));
  return unknown.map((name2) => `${where}: ${showOption(name2)} is unknown; it has ${known.join(", ")}`);
}
function own(object, name2) {
  return Object.hasOwn(object, name2) ? object[name2] : void 0;
}

// src/output/serialize/avro-settings.ts
var avroFramings = ["container", "raw", "confluent"];
var MAX_SCHEMA_ID = 2 ** 31 - 1;
function checkAvroSettings(options) {
  const problems = [];
  const { avroFraming = "container", avroSchema, schemaId } = options;
  const framing = avroFramings.find((name2) => typeof avroFraming === "string" && name2 === avroFraming.toLowerCase());
  if (framing === void 0) {
    problems.push(`avroFraming: got ${showOption(avroFraming)}, expected one of ${avroFramings.join(", ")}`);
  }
  const isId = typeof schemaId === "number" && Number.isInteger(schemaId) && schemaId >= 0 && schemaId <= MAX_SCHEMA_ID;
  if (framing === "confluent" ? !isId : schemaId !== void 0) {
    const expected = framing === "confluent" ? `an integer, 0 to ${MAX_SCHEMA_ID}` : "nothing unless avroFraming is 'confluent'";
    problems.push(`schemaId: got ${showOption(schemaId)}, expected ${expected}`);
  }
  const schema = avroSchema === void 0 ? null : recordSchema(avroSchema);
  if (schema === void 0) {
    problems.push(
      `avroSchema: got ${showOption(avroSchema)}, expected an Avro schema of a record, as an object or as JSON`
    );
  }
  if (problems.length > 0 || framing === void 0 || schema === void 0) return { problems };
  return { value: { framing, schema, schemaId: isId ? schemaId : null } };
}
function recordSchema(given) {
  try {
    const schema = typeof given === "string" ? JSON.parse(given) : given;
    const isRecord2 = typeof schema === "object" && schema !== null && schema.type === "record";
    return isRecord2 ? JSON.stringify(schema) : void 0;
  } catch {
    return void 0;
  }
}

// src/output/serialize/serialization.ts
var fieldDelimiters = [",", ";", " ", "	", "|"];
var encoding = { allowed: "UTF8", values: { utf8: "UTF8" }, default: "UTF8" };
var properties = {
  Json: {
    encoding,
    format: {
      allowed: "LineSeparated, Array",
      values: { lineseparated: "LineSeparated", array: "Array" },
      default: "LineSeparated"
    }
  },
  Csv: {
    encoding,
    fieldDelimiter: {
      allowed: 'comma ",", semicolon ";", space " ", tab "\\t", vertical bar "|"',
      values: {
        ...Object.fromEntries(fieldDelimiters.map((delimiter) => [delimiter, delimiter])),
        ...{ comma: ",", semicolon: ";", space: " ", tab: "	", "vertical bar": "|" }
      },
      default: ","
    }
  },
  Avro: { encoding }
};
var types2 = ["Json", "Csv", "Avro"];
function checkSerialization(input) {
  const given = typeof input === "string" ? { type: input } : input;
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    return {
      problems: [
        `serialization: got ${showOption(input)}, expected ${types2.join(", ")}, or an object as { type: 'Json', properties: { encoding: 'UTF8', format: 'LineSeparated' } }`
      ]
    };
  }
  const { type: givenType, ...rest } = given;
  const type = types2.find((name2) => typeof givenType === "string" && name2.toLowerCase() === givenType.toLowerCase());
  if (type === void 0) {
    const where = typeof input === "string" ? "serialization" : "serialization.type";
    return { problems: [`${where}: got ${showOption(givenType)}, expected one of ${types2.join(", ")}`] };
  }
  return checkProperties(type, rest);
}
function checkProperties(type, given) {
  const problems = [];
  const found = {};
  for (const [where, name2, value] of flatten(given, problems)) {
    const property = Object.hasOwn(properties[type], name2) ? properties[type][name2] : void 0;
    if (property === void 0) {
      const known = Object.keys(properties[type]).join(", ");
      problems.push(`${where}: got ${showOption(value)}, but ${type} has no such property, only ${known}`);
      continue;
    }
    if (value === null || value === void 0) continue;
    const folded = typeof value === "string" ? value.toLowerCase() : "";
    const meant = Object.hasOwn(property.values, folded) ? property.values[folded] : void 0;
    if (meant === void 0) problems.push(`${where}: got ${showOption(value)}, expected ${oneOf(property.allowed)}`);
    else found[name2] = meant;
  }
  if (problems.length > 0) return { problems };
  const values = Object.fromEntries(
    Object.entries(properties[type]).map(([name2, property]) => [name2, found[name2] ?? property.default])
  );
  delete values["encoding"];
  return { value: { type, ...values } };
}
function oneOf(allowed) {
  return allowed.includes(",") ? `one of ${allowed}` : allowed;
}
function flatten(given, problems) {
  return Object.entries(given).flatMap(([name2, value]) => {
    if (name2 !== "properties") return [[`serialization.${name2}`, name2, value]];
    if (value === null || value === void 0) return [];
    if (typeof value === "object" && !Array.isArray(value)) {
      return Object.entries(value).map(([inner, it]) => [`serialization.properties.${inner}`, inner, it]);
    }
    problems.push(`serialization.properties: got ${showOption(value)}, expected an object`);
    return [];
  });
}

// src/output/output-fields.ts
var withLogin = {
  property: "securityProtocol",
  values: ["SASL_SSL", "SASL_PLAINTEXT", "mTLS"]
};
var withTls = { property: "securityProtocol", values: ["SASL_SSL", "mTLS"] };
var onlyJson = { property: "serialization.type", values: ["Json"] };
var onlyCsv = { property: "serialization.type", values: ["Csv"] };
var onlyAvro = { property: "serialization.type", values: ["Avro"] };
var DELIMITER_NAMES = ["comma", "semicolon", "space", "tab", "vertical bar"];
var outputFields = deepFreeze([
  {
    ...{ property: "outputAlias", label: "Output Alias", type: "string", required: true },
    description: "Name of the output, as a query says INTO [alias]. It stands in errors, logs and metrics."
  },
  {
    ...{ property: "bootstrapServers", label: "Bootstrap server addresses", type: "string", required: true },
    description: "Where to begin: host:port of one broker or, with commas, of several. The other brokers are found from there."
  },
  {
    ...{ property: "topic", label: "Kafka topic", type: "string", required: true },
    description: "The topic that all rows go to. One name, no expression."
  },
  {
    ...{ property: "securityProtocol", label: "Security Protocol", type: "string", required: true },
    choices: choices(securityProtocols),
    description: "mTLS: TLS, and a client certificate says who we are. SASL_SSL: TLS and a login. SASL_PLAINTEXT: a login, and everything travels readable. None: neither."
  },
  {
    ...{ property: "serialization.type", label: "Event Serialization format", type: "string", required: true },
    ...{ default: "Json", choices: choices(["Json", "Csv", "Avro"]) },
    description: "What rows become. serialization takes the REST object of Stream Analytics verbatim, too."
  },
  {
    ...{ property: "serialization.encoding", label: "Encoding", type: "string", required: false, default: "UTF8" },
    choices: choices(["UTF8"]),
    description: "UTF-8 is the only encoding."
  },
  {
    ...{ property: "serialization.format", label: "Format", type: "string", required: false, dependsOn: onlyJson },
    ...{ default: "LineSeparated", choices: choices(["LineSeparated", "Array"]) },
    description: "Line separated: objects with line feeds between them. Array: one array of objects."
  },
  {
    ...{ property: "serialization.fieldDelimiter", label: "Delimiter", type: "string", required: false },
    ...{ default: ",", dependsOn: onlyCsv },
    choices: fieldDelimiters.map((value, i) => ({ label: DELIMITER_NAMES[i] ?? value, value })),
    description: "What stands between two values of a line."
  },
  {
    ...{ property: "partitionKey", label: "Partition key", type: "string", required: false },
    description: "The column whose value is the key of the record and chooses its partition. Blank: no key, partitions in turn."
  },
  {
    ...{ property: "compressionType", label: "Kafka event compression type", type: "string", required: false },
    ...{ default: "None", choices: choices(compressionTypes) },
    description: "Codec of the batches. Snappy, Lz4 and, on older versions of Node, Zstd need a package."
  },
  {
    ...{ property: "username", label: "Username", type: "string", required: false, dependsOn: withLogin },
    description: "The user to log in as; in Confluent Cloud the API key."
  },
  {
    ...{ property: "password", label: "Password", type: "password", required: false, dependsOn: withLogin },
    description: "The password of that user; in Confluent Cloud the API secret."
  },
  {
    ...{ property: "saslMechanism", label: "SASL mechanism", type: "string", required: false, dependsOn: withLogin },
    ...{ default: "PLAIN", choices: choices(saslMechanisms) },
    description: "How to log in. OAuth is not supported, as in Stream Analytics."
  },
  {
    ...{ property: "keyVault.vaultName", label: "Key vault name", type: "string", required: false, dependsOn: withTls },
    description: "The Azure Key Vault that holds the certificates, read with the managed identity of this machine."
  },
  {
    ...{ property: "keyVault.vaultUrl", label: "Key vault address", type: "string", required: false },
    dependsOn: withTls,
    description: "Instead of the name, for the national clouds: https://<name>.vault.azure.cn."
  },
  {
    ...{ property: "keyVault.truststoreSecret", label: "Truststore certificates", type: "string", required: false },
    dependsOn: withTls,
    description: "Name of the secret with the authorities to trust, PEM. Blank: those of the system, right for Confluent Cloud."
  },
  {
    ...{ property: "keyVault.clientCertificateSecret", label: "Client certificate", type: "string", required: false },
    dependsOn: withTls,
    description: "Name of the secret with certificate, chain and private key in one PEM. mTLS needs it."
  },
  {
    ...{ property: "keyVault.identity.type", label: "Managed identity", type: "string", required: false },
    ...{ default: "SystemAssigned", choices: choices(["SystemAssigned", "UserAssigned"]), dependsOn: withTls },
    description: "Which identity of this machine reads the vault."
  },
  {
    ...{ property: "keyVault.identity.clientId", label: "Client ID", type: "string", required: false },
    dependsOn: { property: "keyVault.identity.type", values: ["UserAssigned"] },
    description: "Of a user-assigned identity."
  },
  {
    ...{ property: "keyVault.refreshIntervalMs", label: "Refresh interval (ms)", type: "integer", required: false },
    ...{ default: 0, dependsOn: withTls },
    description: "How often at most the vault is asked for new versions of the secrets, from 1000. 0: never."
  },
  {
    ...{ property: "errorPolicy", label: "Output data error handling", type: "string", required: false },
    default: "Retry",
    choices: choices(["Retry", "Stop", "Drop"]),
    description: "What becomes of a row that cannot be converted. Retry (Stop in REST): it is tried again, and blocks those behind it. Drop: it is counted and left out."
  },
  {
    ...{ property: "columns", label: "Columns", type: "list", required: false },
    description: "Types of columns: { name, type }. Other columns have the type of their values."
  },
  {
    ...{ property: "rowsPerMessage", label: "Rows per message", type: "integer", required: false, default: 1 },
    description: "At most so many rows become one Kafka record. With a partition key, rows with the same key."
  },
  {
    ...{ property: "bytesPerMessage", label: "Bytes per message", type: "integer", required: false },
    description: "A message with several rows is closed before it would grow beyond. Blank: the largest size."
  },
  {
    ...{ property: "header", label: "Header row", type: "boolean", required: false, default: true },
    dependsOn: onlyCsv,
    description: "Every message begins with the names of its columns."
  },
  {
    ...{ property: "newline", label: "Line end", type: "string", required: false, default: "\r\n", dependsOn: onlyCsv },
    choices: [
      { label: "CR LF", value: "\r\n" },
      { label: "LF", value: "\n" }
    ],
    description: "What stands between two lines."
  },
  {
    ...{ property: "avroFraming", label: "Avro framing", type: "string", required: false, default: "container" },
    ...{ choices: choices(avroFramings), dependsOn: onlyAvro },
    description: "container: an object container file, schema included. raw: the bare bytes of one row. confluent: those, after a zero byte and the id of the schema."
  },
  {
    ...{ property: "avroSchema", label: "Avro schema", type: "object", required: false, dependsOn: onlyAvro },
    description: "Schema of a record. Blank: derived from the columns, each of them nullable."
  },
  {
    ...{ property: "schemaId", label: "Schema ID", type: "integer", required: false },
    dependsOn: { property: "avroFraming", values: ["confluent"] },
    description: "Under which the schema registry knows the schema."
  },
  {
    ...{ property: "partitioner", label: "Partitioner", type: "string", required: false, default: "murmur2" },
    choices: choices(outputPartitioners),
    description: "How a key finds its partition: murmur2, as Java clients do it, or CRC-32, as librdkafka does by default."
  },
  {
    ...{ property: "missingPartitionKey", label: "Missing partition key", type: "string", required: false },
    ...{ default: "error", choices: choices(missingKeyRules) },
    description: "A row without a value in the partition key: it cannot be converted, or it goes to any partition."
  },
  {
    ...{ property: "timestampColumn", label: "Timestamp column", type: "string", required: false },
    description: "A column of type datetime, such as System.Timestamp() of the query: the time of the record."
  },
  {
    ...{ property: "maxMessageBytes", label: "Maximum message size (bytes)", type: "integer", required: false },
    default: 1e6,
    description: "A row whose record, key included, is larger cannot be converted. Keep it below that of the topic."
  }
]);
function choices(values) {
  return values.map((value) => ({ label: value, value }));
}
function deepFreeze(value) {
  if (typeof value !== "object" || value === null) return value;
  for (const member of Object.values(value)) deepFreeze(member);
  return Object.freeze(value);
}

// src/output/nearest-property.ts
var FOREIGN = {
  brokers: "bootstrapServers",
  kafkatopic: "topic",
  alias: "outputAlias",
  name: "outputAlias",
  compression: "compressionType",
  kafkaeventcompressiontype: "compressionType",
  eventserializationformat: "serialization",
  format: "serialization",
  encoding: "serialization",
  fielddelimiter: "serialization",
  outputerrorpolicy: "errorPolicy",
  mechanism: "saslMechanism",
  keyvaultname: "keyVault: { vaultName }",
  truststorecertificates: "keyVault: { truststoreSecret }",
  tls: "producer: { tls }",
  ssl: "producer: { tls }"
};
function nearestProperty(name2, properties2) {
  const wanted = plain2(name2);
  if (Object.hasOwn(FOREIGN, wanted)) return FOREIGN[wanted];
  const labelled = outputFields.find(({ label }) => plain2(label) === wanted);
  if (labelled !== void 0) return labelled.property;
  const allowed = Math.max(2, Math.floor(wanted.length / 3));
  const found = properties2.map((property) => ({ property, distance: editDistance2(wanted, plain2(property)) }));
  const [nearest] = found.sort((a, b) => a.distance - b.distance);
  return nearest !== void 0 && nearest.distance <= allowed ? nearest.property : void 0;
}
function plain2(text3) {
  return text3.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
}
function editDistance2(a, b) {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(replaced, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}

// src/output/output-clock.ts
var systemOutputClock = {
  ...systemVaultClock,
  after(delayMs2, fn, keepAlive = true) {
    const timeout = setTimeout(fn, delayMs2);
    if (!keepAlive) timeout.unref();
    return { cancel: () => clearTimeout(timeout) };
  },
  soon: (fn) => void setImmediate(fn)
};

// src/output/resolve-format.ts
var DEFAULT_MAX_MESSAGE_BYTES = 1e6;
var MAX_MESSAGE_BYTES = 100 * 1024 * 1024;
var MAX_ROWS = 1e6;
var NO_AVRO = { framing: avroFramings[0], schema: null, schemaId: null };
var ONLY_CSV = ["header", "newline"];
var ONLY_AVRO = ["avroFraming", "avroSchema", "schemaId"];
function resolveFormat(given, problems) {
  const serialization = isBlank(given.serialization) ? missing2(problems) : problems.take(checkSerialization(given.serialization));
  const columns = given.columns === void 0 ? [] : problems.take(checkColumns(given.columns)) ?? [];
  const avro = problems.take(checkAvroSettings(given)) ?? NO_AVRO;
  if (serialization !== null) refuseForeign(given, serialization.type, problems);
  const maxMessageBytes = problems.int("maxMessageBytes", given.maxMessageBytes, {
    ...{ min: 1, max: MAX_MESSAGE_BYTES, fallback: DEFAULT_MAX_MESSAGE_BYTES }
  });
  const rowsPerMessage = problems.int("rowsPerMessage", given.rowsPerMessage, { min: 1, max: MAX_ROWS, fallback: 1 });
  if (rowsPerMessage > 1 && avro.framing !== "container") {
    problems.refuse("rowsPerMessage", rowsPerMessage, `1: with avroFraming ${avro.framing} a message is one row`);
  }
  return {
    serialization: serialization ?? { type: "Json", format: "LineSeparated" },
    ...{ columns, avro, maxMessageBytes, rowsPerMessage },
    bytesPerMessage: problems.int("bytesPerMessage", given.bytesPerMessage, {
      ...{ min: 1, max: maxMessageBytes, fallback: maxMessageBytes }
    }),
    header: problems.bool("header", given.header, true),
    newline: checkNewline(given.newline, problems)
  };
}
function missing2(problems) {
  problems.add("serialization", "required: one of Json, Csv, Avro, or the object of the REST API");
  return null;
}
function refuseForeign(given, type, problems) {
  const foreign = [
    ...type === "Csv" ? [] : ONLY_CSV.map((name2) => [name2, "Csv"]),
    ...type === "Avro" ? [] : ONLY_AVRO.map((name2) => [name2, "Avro"])
  ];
  for (const [name2, of] of foreign) {
    if (!isBlank(given[name2])) problems.add(name2, `only serialization ${of} has it, and it is ${type}`);
  }
}
function checkNewline(value, problems) {
  if (value === void 0 || value === "\r\n") return "\r\n";
  if (value !== "\n") problems.refuse("newline", value, 'one of "\\r\\n", "\\n"');
  return "\n";
}

// src/output/serialize/avro.ts
import { randomBytes as randomBytes3 } from "node:crypto";

// src/output/types/conversion-error.ts
var dataErrorTypes = {
  TYPE_CONVERSION_ERROR: "OutputDataConversionError.TypeConversionError",
  // a value that the type or the format cannot hold
  COLUMN_NAME_INVALID: "OutputDataConversionError.ColumnNameInvalid",
  // a name that the format or the fixed schema does not allow
  REQUIRED_COLUMN_MISSING: "OutputDataConversionError.RequiredColumnMissing",
  // a column that must have a value has none
  DUPLICATE_KEY: "OutputDataConversionError.DuplicateKey",
  // two columns with one name; case does not count
  RECORD_EXCEEDED_SIZE_LIMIT: "OutputDataConversionError.RecordExceededSizeLimit"
  // one row alone is over maxMessageBytes
};
var ConversionError = class _ConversionError extends KafkaError {
  name = "ConversionError";
  code;
  dataErrorType;
  column;
  path;
  valueKind;
  reason;
  row;
  constructor(code, details) {
    const { column, path = column, valueKind, reason, row } = details;
    const place = [row === void 0 ? "" : `row ${row}`, path === null ? "" : `column ${showName(path)}`];
    const where = place.filter((part) => part !== "").join(", ");
    super(`KafkaOutput: ${code}: ${where === "" ? "row" : where}: ${valueKind}: ${reason}`, { cause: details.cause });
    this.code = code;
    this.dataErrorType = dataErrorTypes[code];
    this.column = column;
    this.path = path;
    this.valueKind = valueKind;
    this.reason = reason;
    this.row = row;
  }
  /** The same error, saying which row it is about: who serializes one row does not know its number. */
  inRow(row) {
    const { code, column, path, valueKind, reason, cause } = this;
    return new _ConversionError(code, { column, path, valueKind, reason, row, cause });
  }
};
function showName(name2) {
  return JSON.stringify(name2.length > 120 ? `${name2.slice(0, 117)}...` : name2);
}

// src/output/types/trail.ts
var Trail2 = class {
  #steps = [];
  restart() {
    this.#steps.length = 0;
  }
  enter(step) {
    this.#steps.push(step);
  }
  leave() {
    this.#steps.pop();
  }
  fail(valueKind, reason, code = "TYPE_CONVERSION_ERROR") {
    const [column] = this.#steps;
    const name2 = column === void 0 ? null : String(column);
    return new ConversionError(code, { column: name2, path: name2 === null ? null : this.#path(), valueKind, reason });
  }
  #path() {
    const written = this.#steps.map((step) => typeof step === "number" ? `[${step}]` : `.${step}`);
    return written.join("").slice(1);
  }
};

// src/output/serialize/avro-long.ts
var MAX_BYTES = 10;
function isInt64(value) {
  return typeof value === "bigint" && value >= INT64_MIN && value <= INT64_MAX;
}
function encodeLong(value) {
  const bytes2 = Buffer.allocUnsafe(MAX_BYTES);
  let length = 0;
  if (value < 0x40000000n && value > -0x40000000n) {
    const small = Number(value);
    let zigzag = small << 1 ^ small >> 31;
    for (; zigzag > 127; zigzag >>>= 7) bytes2[length++] = zigzag & 127 | 128;
    bytes2[length++] = zigzag;
  } else {
    let zigzag = value << 1n ^ value >> 63n;
    for (; zigzag > 0x7fn; zigzag >>= 7n) bytes2[length++] = Number(zigzag & 0x7fn) | 128;
    bytes2[length++] = Number(zigzag);
  }
  return bytes2.subarray(0, length);
}
function decodeLong(bytes2) {
  let zigzag = 0n;
  for (let i = bytes2.length - 1; i >= 0; i--) zigzag = zigzag << 7n | BigInt((bytes2[i] ?? 0) & 127);
  return zigzag >> 1n ^ -(zigzag & 1n);
}

// src/output/serialize/avro-container.ts
var MAGIC4 = Buffer.from([79, 98, 106, 1]);
var SYNC_BYTES = 16;
var BLOCK_BYTES = 5 + 5 + SYNC_BYTES;
function containerHead(schema, syncMarker) {
  return Buffer.concat([
    MAGIC4,
    encodeLong(2n),
    // entries of the metadata map
    ...[text2("avro.schema"), text2(schema), text2("avro.codec"), text2("null")],
    encodeLong(0n),
    // end of the map
    syncMarker
  ]);
}
function containerFile(head, rows2, syncMarker) {
  const rowBytes = rows2.reduce((sum2, row) => sum2 + row.bytes.length, 0);
  const block = [encodeLong(BigInt(rows2.length)), encodeLong(BigInt(rowBytes)), ...rows2.map((row) => row.bytes)];
  return Buffer.concat([head, ...block, syncMarker]);
}
function text2(value) {
  const bytes2 = Buffer.from(value);
  return Buffer.concat([encodeLong(BigInt(bytes2.length)), bytes2]);
}

// src/output/serialize/well-formed.ts
function isWellFormed(text3) {
  return text3.isWellFormed();
}
var NOT_WELL_FORMED = "holds half of a surrogate pair, which UTF-8 cannot express";

// src/output/serialize/avro-value.ts
function toAvro(value, type, trail) {
  switch (type.typeName) {
    case "union:unwrapped":
      return toAvro(value, branchFor(value, type, trail), trail);
    case "union:wrapped":
      return toWrapped(value, branchFor(value, type, trail), trail);
    case "array":
      if (isItems(value)) return toItems(value, type.itemsType, trail);
      break;
    case "map":
      if (value instanceof Row) return toMap(value, type.valuesType, trail);
      break;
    case "record":
      if (value instanceof Row) return toRecord(value, type, trail);
      break;
    default:
      return toScalar(value, type, trail);
  }
  throw misfit(value, type, trail);
}
function toScalar(value, type, trail) {
  switch (type.typeName) {
    case "null":
    case "boolean":
      if (type.typeName === (value === null ? "null" : typeof value)) return value;
      break;
    case "string":
      if (typeof value === "string") return wellFormed(value, trail);
      if (value instanceof DateTime) return value.text;
      break;
    case "enum":
      if (typeof value === "string" && type.symbols?.includes(value) === true) return value;
      break;
    default:
      return toNumber(value, type, trail);
  }
  throw misfit(value, type, trail);
}
function toNumber(value, type, trail) {
  if (typeof value !== "bigint" && typeof value !== "number") throw misfit(value, type, trail);
  switch (type.typeName) {
    case "abstract:long":
      if (typeof value === "bigint") return value;
      if (Number.isInteger(value) && isInt64(BigInt(value))) return BigInt(value);
      break;
    case "int":
      if (Object.is(Number(value) | 0, Number(value))) return Number(value);
      break;
    case "double":
      if (typeof value === "number" || BigInt(Number(value)) === value) return Number(value);
      throw misfit(value, type, trail, "digits would be lost");
    case "float":
      if (Object.is(Math.fround(Number(value)), Number(value)) && isExact(value)) return Number(value);
      throw misfit(value, type, trail, "digits would be lost");
  }
  throw misfit(value, type, trail);
}
function isExact(value) {
  return typeof value === "number" || BigInt(Number(value)) === value;
}
function toItems(items, type, trail) {
  return items.map((item, index) => {
    trail.enter(index);
    const result = toAvro(item, type, trail);
    trail.leave();
    return result;
  });
}
function toMap(row, type, trail) {
  const map = emptyObject();
  row.names.forEach((name2, index) => {
    trail.enter(name2);
    map[wellFormed(name2, trail)] = toAvro(row.values[index] ?? null, type, trail);
    trail.leave();
  });
  return map;
}
function toRecord(row, type, trail) {
  const fields = type.fields ?? [];
  const result = emptyObject();
  let found = 0;
  for (let i = 0; i < fields.length; i++) {
    const field2 = fields[i];
    const at = row.names[i] === field2.name ? i : row.names.indexOf(field2.name);
    trail.enter(field2.name);
    if (at >= 0) found++;
    const value = at >= 0 ? row.values[at] ?? null : absent(field2, trail);
    if (value !== void 0) result[field2.name] = toAvro(value, field2.type, trail);
    trail.leave();
  }
  if (found < row.names.length) throw unknownColumn(row, fields, trail);
  return result;
}
function absent(field2, trail) {
  if (field2.defaultValue() !== void 0) return void 0;
  if (field2.type.typeName === "null" || field2.type.types?.some(({ typeName }) => typeName === "null") === true)
    return null;
  throw trail.fail(
    "absent",
    "the schema needs it: it is neither nullable nor has it a default",
    "REQUIRED_COLUMN_MISSING"
  );
}
function unknownColumn(row, fields, trail) {
  trail.enter(row.names.find((name2) => fields.every((field2) => field2.name !== name2)) ?? "");
  return trail.fail("column", "not in the schema", "COLUMN_NAME_INVALID");
}
var BRANCHES = {
  null: ["null"],
  boolean: ["boolean"],
  string: ["string"],
  number: ["double", "float", "abstract:long", "int"],
  bigint: ["abstract:long", "int", "double", "float"],
  record: ["record", "map"],
  array: ["array"]
};
var UnionBranches = class {
  enums;
  #branches;
  #chosen = {};
  constructor(union) {
    this.#branches = union.types ?? [];
    this.enums = this.#branches.filter(({ typeName }) => typeName === "enum");
  }
  of(kind) {
    const known = this.#chosen[kind];
    if (known !== void 0) return known;
    const found = BRANCHES[kind].flatMap((name2) => this.#branches.filter(({ typeName }) => typeName === name2));
    return this.#chosen[kind] = found[0] ?? null;
  }
};
var unions = /* @__PURE__ */ new WeakMap();
function branchFor(value, union, trail) {
  let branches = unions.get(union);
  if (branches === void 0) unions.set(union, branches = new UnionBranches(union));
  if (typeof value === "string" && branches.enums.length > 0) {
    const branch2 = branches.enums.find(({ symbols }) => symbols?.includes(value) === true);
    if (branch2 !== void 0) return branch2;
  }
  const branch = branches.of(kindOf4(value));
  if (branch === null) throw misfit(value, union, trail);
  return branch;
}
function kindOf4(value) {
  if (value === null) return "null";
  if (typeof value !== "object") return typeof value;
  if (value instanceof DateTime) return "string";
  return value instanceof Row ? "record" : "array";
}
function toWrapped(value, branch, trail) {
  if (value === null) return null;
  const wrapped = emptyObject();
  wrapped[branch.branchName ?? ""] = toAvro(value, branch, trail);
  return wrapped;
}
var noNames = Object.freeze(/* @__PURE__ */ Object.create(null));
function emptyObject() {
  return Object.create(noNames);
}
function isItems(value) {
  return Array.isArray(value);
}
function wellFormed(text3, trail) {
  if (isWellFormed(text3)) return text3;
  throw trail.fail("nvarchar(max)", NOT_WELL_FORMED);
}
function misfit(value, type, trail, why) {
  const wanted = type.types?.map(avroName).join(" or ") ?? avroName(type);
  const reason = `cannot be written as Avro ${wanted}${why === void 0 ? "" : `: ${why}`}`;
  return trail.fail(typeOf(value) ?? "null", reason);
}
function avroName(type) {
  return type.branchName ?? type.name ?? type.typeName;
}

// src/output/serialize/avro-encoder.ts
var AvroEncoder = class {
  schema;
  #type;
  /** @throws {Error} of avsc: not a schema. */
  constructor(schema, avsc) {
    this.schema = schema;
    this.#type = avsc.parse(JSON.parse(schema));
  }
  /** @throws {ConversionError} and nothing else. */
  encode(row, trail) {
    trail.restart();
    const value = toAvro(row, this.#type, trail);
    try {
      return this.#type.toBuffer(value);
    } catch {
      trail.restart();
      throw trail.fail("row", "avsc could not encode it with this schema");
    }
  }
};
var AvroEncoders = class {
  #avsc;
  #known = /* @__PURE__ */ new Map();
  constructor(avsc) {
    this.#avsc = avsc;
  }
  get(schema) {
    const known = this.#known.get(schema);
    if (known !== void 0) return known;
    const encoder = new AvroEncoder(schema, this.#avsc);
    if (this.#known.size >= MAX_KNOWN) this.#known.clear();
    this.#known.set(schema, encoder);
    return encoder;
  }
};
var MAX_KNOWN = 100;

// src/output/serialize/avro-schema.ts
function schemaJson(shape) {
  return JSON.stringify(recordSchema2(shape, "Row", null));
}
function recordSchema2(shape, name2, namespace) {
  const inner = namespace === null ? name2 : `${namespace}.${name2}`;
  const fields = shape.names.map((field2, index) => ({
    name: field2,
    type: nullable(shape.fields[index] ?? "unknown", field2, inner),
    default: null
  }));
  return { type: "record", name: name2, ...namespace === null ? {} : { namespace }, fields };
}
function nullable(shape, name2, namespace) {
  if (shape === "unknown") return ["null"];
  if (typeof shape === "string") return ["null", shape];
  if (shape.kind === "record") return ["null", recordSchema2(shape, name2, namespace)];
  return ["null", { type: "array", items: nullable(shape.items, "item", `${namespace}.${name2}`) }];
}

// src/output/types/convert-value.ts
var INTEGER = /^[+-]?\d{1,64}$/;
var DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
function convertValue(value, type, trail) {
  const given = typeOf(value);
  if (given === null || given === type) return value;
  const converter = converters[type];
  if (converter === null || !isPlain(value)) throw refuse(value, type, trail);
  return converter(value, trail);
}
var converters = {
  bigint: toBigint,
  float: toFloat,
  "nvarchar(max)": (value) => plainText2(value),
  datetime: toDateTime,
  bit: toBit,
  record: null,
  array: null
};
function isPlain(value) {
  return typeof value !== "object" || value instanceof DateTime;
}
function toBigint(value, trail) {
  if (typeof value === "boolean") return value ? 1n : 0n;
  if (typeof value === "number" && !Number.isInteger(value)) throw refuse(value, "bigint", trail, "it has a fraction");
  if (typeof value === "string" && !INTEGER.test(value)) throw refuse(value, "bigint", trail, "expected decimal digits");
  if (value instanceof DateTime) throw refuse(value, "bigint", trail);
  const integer2 = BigInt(typeof value === "string" ? value.replace("+", "") : value);
  if (integer2 < INT64_MIN || integer2 > INT64_MAX)
    throw refuse(value, "bigint", trail, "outside of int64 (-2^63 to 2^63-1)");
  return integer2;
}
function toFloat(value, trail) {
  if (typeof value === "boolean" || value instanceof DateTime) throw refuse(value, "float", trail);
  if (typeof value === "string" && !DECIMAL.test(value))
    throw refuse(value, "float", trail, "expected a decimal number");
  const float = Number(value);
  if (!Number.isFinite(float)) throw refuse(value, "float", trail, "larger than a 64-bit float can be");
  if (typeof value === "bigint" && BigInt(float) !== value) throw refuse(value, "float", trail, "digits would be lost");
  return float;
}
function toDateTime(value, trail) {
  if (typeof value !== "string") throw refuse(value, "datetime", trail);
  const moment = fromIsoText(value);
  if (moment instanceof DateTime) return moment;
  throw refuse(value, "datetime", trail, moment.reason);
}
function toBit(value, trail) {
  const text3 = typeof value === "string" || typeof value === "bigint" ? String(value).toLowerCase() : "";
  if (text3 === "true" || text3 === "1") return true;
  if (text3 === "false" || text3 === "0") return false;
  throw refuse(value, "bit", trail, "expected true, false, 1 or 0");
}
function refuse(value, type, trail, why) {
  return trail.fail(typeOf(value) ?? "null", `cannot be written as ${type}${why === void 0 ? "" : `: ${why}`}`);
}

// src/output/types/row-typer.ts
var RowTyper = class {
  #declared;
  #trail = new Trail2();
  #plan = { given: [], names: [], types: [] };
  constructor(columns = []) {
    this.#declared = new Map(columns.map((column) => [column.name.toLowerCase(), column]));
  }
  /**
   * @param input a plain object, or a `Row` of the NDJSON reader.
   * @throws {ConversionError} and nothing else, whatever the input does.
   */
  type(input) {
    this.#trail.restart();
    try {
      return this.#type(input);
    } catch (error) {
      if (error instanceof ConversionError) throw error;
      throw new ConversionError("TYPE_CONVERSION_ERROR", {
        column: null,
        valueKind: "row",
        reason: "reading it failed",
        cause: error
      });
    }
  }
  #type(input) {
    if (typeof input !== "object" || input === null || Array.isArray(input) || !isRowLike(input)) {
      throw this.#trail.fail(kindOf2(input), "a row is a plain object");
    }
    const isRead = input instanceof Row;
    const { names, values } = isRead ? input : membersOf(input);
    const plan = this.#planFor(names);
    const typed = [];
    for (let index = 0; index < values.length; index++) {
      this.#trail.enter(plan.names[index] ?? "");
      const inferred = inferValue(values[index], this.#trail, isRead, 1);
      const type = plan.types[index];
      typed.push(type === void 0 ? inferred : convertValue(inferred, type, this.#trail));
      this.#trail.leave();
    }
    return new Row(plan.names, typed);
  }
  #planFor(given) {
    const last = this.#plan;
    if (isSame(last.given, given)) return last;
    const seen = /* @__PURE__ */ new Set();
    for (const name2 of given) {
      const folded = name2.toLowerCase();
      if (seen.has(folded)) {
        this.#trail.enter(name2);
        throw this.#trail.fail(
          "row",
          `Column '${name2.slice(0, 120)}' is being mapped to multiple columns.`,
          "DUPLICATE_KEY"
        );
      }
      seen.add(folded);
    }
    const columns = given.map((name2) => this.#declared.get(name2.toLowerCase()));
    const names = given.map((name2, index) => columns[index]?.name ?? name2);
    this.#plan = { given, names, types: columns.map((column) => column?.type) };
    return this.#plan;
  }
};
function isRowLike(input) {
  return input instanceof Row || isPlainObject(input);
}
function isSame(a, b) {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

// src/output/serialize/avro-shape.ts
var scalars = {
  bigint: "long",
  float: "double",
  "nvarchar(max)": "string",
  datetime: "string",
  bit: "boolean",
  // What is inside is known with the first value.
  record: "unknown",
  array: "unknown"
};
var AVRO_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
function declaredShape(columns) {
  return record2(
    columns.map((column) => column.name),
    columns.map((column) => scalars[column.type])
  );
}
function record2(names, fields) {
  return { kind: "record", names, fields };
}
function shapeOf5(value, trail) {
  if (value === null || typeof value !== "object" || value instanceof DateTime) {
    const type = typeOf(value);
    return type === null ? "unknown" : scalars[type];
  }
  if (value instanceof Row) {
    const fields = value.values.map(
      (item, index) => inside(value.names[index] ?? "", trail, () => shapeOf5(item, trail))
    );
    for (const name2 of value.names) inside(name2, trail, () => checkName(name2, trail));
    return record2(value.names, fields);
  }
  let items = "unknown";
  value.forEach((item, index) => {
    items = inside(index, trail, () => mergeItems(items, shapeOf5(item, trail), trail));
  });
  return { kind: "array", items };
}
function checkName(name2, trail) {
  if (!AVRO_NAME.test(name2)) {
    throw trail.fail(
      "column name",
      "Avro names are letters, digits and _, and begin with no digit",
      "COLUMN_NAME_INVALID"
    );
  }
}
function mergeItems(a, b, trail) {
  if (a === b || b === "unknown") return a;
  if (a === "unknown") return b;
  if (isNumeric(a) && isNumeric(b)) return "double";
  if (isArray(a) && isArray(b)) return { kind: "array", items: mergeItems(a.items, b.items, trail) };
  if (!isRecord(a) || !isRecord(b)) {
    throw trail.fail(`${shapeName(b)} after ${shapeName(a)}`, "the items of an Avro array have one type");
  }
  const names = [.../* @__PURE__ */ new Set([...a.names, ...b.names])];
  return record2(
    names,
    names.map((name2) => mergeItems(fieldOf(a, name2), fieldOf(b, name2), trail))
  );
}
function conforms(shape, value) {
  if (value === null) return true;
  switch (typeof value) {
    case "bigint":
      return shape === "long" || shape === "double";
    case "number":
      return shape === "double";
    case "string":
      return shape === "string";
    case "boolean":
      return shape === "boolean";
    default:
      if (value instanceof DateTime) return shape === "string";
      if (!(value instanceof Row)) return isArray(shape) && value.every((item) => conforms(shape.items, item));
      return isRecord(shape) && recordConforms(shape, value);
  }
}
function recordConforms({ names, fields }, { names: given, values }) {
  if (!isSame(names, given)) return false;
  for (let i = 0; i < values.length; i++) if (!conforms(fields[i] ?? "unknown", values[i] ?? null)) return false;
  return true;
}
function recall2(own2, known) {
  if (own2 === "unknown") return known;
  if (own2 === "long" && known === "double") return "double";
  if (isRecord(own2) && isRecord(known)) {
    return record2(
      own2.names,
      own2.fields.map((field2, index) => recall2(field2, fieldOf(known, own2.names[index] ?? "")))
    );
  }
  return isArray(own2) && isArray(known) ? { kind: "array", items: recall2(own2.items, known.items) } : own2;
}
function remember(known, seen) {
  if (seen === "unknown") return known;
  if (isArray(seen) && isArray(known)) return { kind: "array", items: remember(known.items, seen.items) };
  if (!isRecord(seen) || !isRecord(known)) return seen;
  const names = [.../* @__PURE__ */ new Set([...known.names, ...seen.names])];
  return record2(
    names,
    names.map((name2) => remember(fieldOf(known, name2), fieldOf(seen, name2)))
  );
}
function refine(fixed, own2, trail) {
  if (own2 === "unknown" || own2 === fixed) return fixed;
  if (fixed === "unknown") return own2;
  if (fixed === "double" && own2 === "long") return "double";
  if (isArray(fixed) && isArray(own2)) return { kind: "array", items: refine(fixed.items, own2.items, trail) };
  if (isRecord(fixed) && isRecord(own2)) return refineRecord(fixed, own2, trail);
  throw trail.fail(shapeName(own2), `the schema, which cannot change any more, has ${shapeName(fixed)}`);
}
function refineRecord(fixed, own2, trail) {
  const fields = [...fixed.fields];
  own2.names.forEach(
    (name2, index) => inside(name2, trail, () => {
      const at = fixed.names.indexOf(name2);
      const field2 = own2.fields[index];
      if (at < 0 || field2 === void 0) {
        throw trail.fail("column", "not in the schema, which cannot change any more", "COLUMN_NAME_INVALID");
      }
      fields[at] = refine(fixed.fields[at] ?? "unknown", field2, trail);
    })
  );
  return record2(fixed.names, fields);
}
function isRecord(shape) {
  return typeof shape === "object" && shape.kind === "record";
}
function isArray(shape) {
  return typeof shape === "object" && shape.kind === "array";
}
function isNumeric(shape) {
  return shape === "long" || shape === "double";
}
function fieldOf(shape, name2) {
  return shape.fields[shape.names.indexOf(name2)] ?? "unknown";
}
function shapeName(shape) {
  return typeof shape === "string" ? shape : shape.kind;
}
function inside(step, trail, work) {
  trail.enter(step);
  const result = work();
  trail.leave();
  return result;
}

// src/output/serialize/avro-schemas.ts
function givenSchema(encoder) {
  const choice = { encoder, commit: () => void 0 };
  return { choose: () => choice };
}
var MAX_REMEMBERED_COLUMNS = 1e4;
var ChangingSchemas = class {
  #encoders;
  #declared;
  #known;
  #last = null;
  constructor(columns, encoders) {
    this.#encoders = encoders;
    this.#declared = declaredShape(columns);
    this.#known = this.#declared;
  }
  choose(row, trail) {
    const last = this.#last;
    if (last !== null && conforms(last.shape, row)) return last.choice;
    const own2 = withColumns(shapeOf5(row, trail), this.#declared, trail);
    const shape = recall2(own2, this.#known);
    const choice = {
      encoder: this.#encoders.get(schemaJson(shape)),
      commit: () => {
        if (this.#last?.choice === choice) return;
        this.#last = { shape, choice };
        const known = remember(this.#known, shape);
        this.#known = isRecord(known) && known.names.length > MAX_REMEMBERED_COLUMNS ? shape : known;
      }
    };
    return choice;
  }
};
var FixedSchema = class {
  #encoders;
  #declared;
  #shape;
  #choice = null;
  constructor(columns, encoders) {
    this.#encoders = encoders;
    this.#declared = declaredShape(columns);
    this.#shape = columns.length > 0 ? this.#declared : null;
  }
  choose(row, trail) {
    const fixed = this.#shape;
    if (fixed !== null && this.#choice !== null && conforms(fixed, row)) return this.#choice;
    const own2 = shapeOf5(row, trail);
    const shape = fixed === null ? own2 : refineRecord(fixed, own2, trail);
    if (fixed !== null) for (const name2 of fixed.names) checkColumnName(name2, trail);
    const choice = {
      encoder: this.#encoders.get(schemaJson(shape)),
      commit: () => {
        this.#shape = shape;
        this.#choice = choice;
      }
    };
    return choice;
  }
};
function withColumns(own2, declared, trail) {
  if (declared.names.length === 0) return own2;
  for (const name2 of declared.names) checkColumnName(name2, trail);
  const names = [.../* @__PURE__ */ new Set([...declared.names, ...own2.names])];
  return record2(
    names,
    names.map((name2) => own2.fields[own2.names.indexOf(name2)] ?? "unknown")
  );
}
function checkColumnName(name2, trail) {
  trail.enter(name2);
  checkName(name2, trail);
  trail.leave();
}

// src/output/serialize/avsc.ts
import { createRequire as createRequire2 } from "node:module";
var INSTALL2 = "npm install avsc@5.7.9";
var Avsc = class {
  #package;
  #long;
  /** @throws {OptionError} `CODEC_UNAVAILABLE` with the command that installs it. */
  constructor(requirePackage = createRequire2(import.meta.url)) {
    this.#package = load3(requirePackage);
    this.#long = this.#package.types.LongType.__with(
      {
        toBuffer: encodeLong,
        fromBuffer: decodeLong,
        fromJSON: BigInt,
        toJSON: String,
        isValid: isInt64,
        compare: (a, b) => a === b ? 0 : a < b ? -1 : 1
      },
      true
    );
  }
  /** @throws {Error} of avsc: not a schema. */
  parse(schema) {
    const isLong = (it) => typeof it === "object" && it !== null && it.type === "long";
    return this.#package.Type.forSchema(schema, {
      registry: { long: this.#long },
      typeHook: (it) => isLong(it) ? this.#long : void 0,
      omitRecordMethods: true
    });
  }
};
function load3(requirePackage) {
  let loaded;
  try {
    loaded = requirePackage("avsc");
  } catch (cause) {
    if (cause?.code === "MODULE_NOT_FOUND") {
      throw unavailable(`is not installed: ${INSTALL2}`, cause);
    }
    const why = cause instanceof Error ? cause.message.split("\n")[0] ?? "" : String(cause);
    throw unavailable(`cannot be loaded (${why}); ${INSTALL2}`, cause);
  }
  const { Type, types: types3 } = loaded;
  if (typeof Type?.forSchema === "function" && typeof types3?.LongType.__with === "function") return { Type, types: types3 };
  throw unavailable(`is installed in a version that does not fit: ${INSTALL2}`, void 0);
}
function unavailable(what, cause) {
  return new OptionError(
    "CODEC_UNAVAILABLE",
    `KafkaOutput: CODEC_UNAVAILABLE: serialization Avro needs the package avsc, which ${what}`,
    { cause }
  );
}

// src/output/serialize/avro.ts
var AvroFormat = class {
  canPack;
  #framing;
  #prefix;
  #schemas;
  #trail = new Trail2();
  #syncMarker = randomBytes3(SYNC_BYTES);
  #shape = null;
  /** @throws {OptionError} avsc is not there, or `avroSchema` is no schema for rows. */
  constructor(options) {
    const avsc = new Avsc(options.requirePackage);
    this.canPack = options.framing === "container";
    this.#framing = options.framing;
    this.#prefix = options.framing === "confluent" ? confluentPrefix(options.schemaId ?? 0) : Buffer.alloc(0);
    this.#schemas = chooseSchemas(options, avsc);
  }
  /** The schema of the last row, as JSON: what a schema registry must know of `confluent`. */
  get schema() {
    return this.#shape?.encoder.schema ?? null;
  }
  encodeRow(row) {
    this.#trail.restart();
    const choice = this.#schemas.choose(row, this.#trail);
    const body = choice.encoder.encode(row, this.#trail);
    choice.commit();
    if (this.#shape?.encoder !== choice.encoder) {
      const head = this.canPack ? containerHead(choice.encoder.schema, this.#syncMarker) : Buffer.alloc(0);
      this.#shape = { encoder: choice.encoder, containerHead: head };
    }
    const bytes2 = this.#prefix.length === 0 ? body : Buffer.concat([this.#prefix, body]);
    return { bytes: bytes2, shape: this.#shape };
  }
  overhead(shape) {
    const { containerHead: head } = shape;
    return { messageBytes: this.canPack ? head.length + BLOCK_BYTES : 0, betweenBytes: 0 };
  }
  assemble(rows2) {
    const [first] = rows2;
    if (first === void 0) throw new RangeError("a message has at least one row");
    if (this.#framing !== "container") return first.bytes;
    return containerFile(first.shape.containerHead, rows2, this.#syncMarker);
  }
};
function confluentPrefix(schemaId) {
  const prefix = Buffer.alloc(5);
  prefix.writeInt32BE(schemaId, 1);
  return prefix;
}
function chooseSchemas({ schema, framing, columns }, avsc) {
  if (schema !== null) return givenSchema(parseGiven(schema, avsc));
  const encoders = new AvroEncoders(avsc);
  return framing === "container" ? new ChangingSchemas(columns, encoders) : new FixedSchema(columns, encoders);
}
function parseGiven(schema, avsc) {
  try {
    return new AvroEncoder(schema, avsc);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new OptionError("INVALID_OPTIONS", `KafkaOutput: INVALID_OPTIONS: avroSchema: not an Avro schema: ${why}`, {
      cause
    });
  }
}

// src/output/serialize/csv.ts
var CsvFormat = class {
  canPack = true;
  #options;
  #needsQuotes;
  #trail = new Trail2();
  #shape = null;
  constructor(options) {
    this.#options = options;
    this.#needsQuotes = new RegExp(`["\\r\\n${options.fieldDelimiter}]`);
    if (!options.header && options.columns.length > 0) this.#shape = this.#shapeOf([]);
  }
  encodeRow(row) {
    this.#trail.restart();
    const shape = this.#shapeFor(row);
    const isInOrder = shape.names === row.names || isSame(shape.names, row.names);
    const values = isInOrder ? row.values : shape.names.map((name2) => row.values[row.names.indexOf(name2)] ?? null);
    const line = this.#line(values.map((value, index) => this.#field(value, shape.names[index] ?? "")));
    this.#shape = shape;
    return { bytes: Buffer.from(line), shape };
  }
  overhead(shape) {
    const { headerText } = shape;
    return { messageBytes: Buffer.byteLength(headerText), betweenBytes: this.#options.newline.length };
  }
  assemble(rows2) {
    const { headerText } = rows2[0]?.shape;
    return joinBytes(headerText, rows2, this.#options.newline, "");
  }
  #shapeFor(row) {
    const last = this.#shape;
    if (last === null) return this.#shapeOf(row.names);
    if (isSame(last.given, row.names)) return last;
    if (this.#options.header) return this.#shapeOf(row.names);
    for (const name2 of row.names) {
      if (last.names.includes(name2)) continue;
      this.#trail.enter(name2);
      const reason = "not among the columns of the first row or of the option columns, which are final without a header";
      throw this.#trail.fail("column", reason, "COLUMN_NAME_INVALID");
    }
    return last;
  }
  #shapeOf(given) {
    const declared = this.#options.columns.map((column) => column.name);
    const names = declared.length === 0 ? given : [.../* @__PURE__ */ new Set([...declared, ...given])];
    if (!this.#options.header) return { given, names, headerText: "" };
    const fields = names.map((name2) => this.#field(name2, name2));
    return { given, names, headerText: `${this.#line(fields)}${this.#options.newline}` };
  }
  /** A line that is one empty field would be an empty line, which readers skip. */
  #line(fields) {
    return fields.length === 1 && fields[0] === "" ? '""' : fields.join(this.#options.fieldDelimiter);
  }
  #field(value, column) {
    if (value === null) return "";
    if (value === "") return '""';
    if (typeof value !== "string") return csvText(value);
    if (!isWellFormed(value)) {
      this.#trail.enter(column);
      throw this.#trail.fail("nvarchar(max)", NOT_WELL_FORMED);
    }
    return this.#needsQuotes.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
  }
};
function csvText(value) {
  if (typeof value !== "object" || value instanceof DateTime) return plainText2(value);
  return value instanceof Row ? "Record" : "Array";
}

// src/output/serialize/create-format.ts
function createFormat(options) {
  const { serialization, columns, header, newline, avro, ...rest } = options;
  switch (serialization.type) {
    case "Json":
      return new JsonFormat(serialization.format);
    case "Csv":
      return new CsvFormat({ fieldDelimiter: serialization.fieldDelimiter, header, newline, columns });
    case "Avro":
      return new AvroFormat({ ...avro, columns, ...rest });
  }
}

// src/output/resolve-options.ts
function resolveOutputOptions(given) {
  const { problems, value } = resolve2(given);
  if (value !== null && problems.messages.length === 0) {
    checkPackages(value);
    return value;
  }
  throw new OptionError("INVALID_OPTIONS", `KafkaOutput: INVALID_OPTIONS: ${problems.messages.join("; ")}`);
}
var PROPERTIES2 = Object.keys({
  ...{ outputAlias: 0, bootstrapServers: 0, topic: 0, securityProtocol: 0, serialization: 0, partitionKey: 0 },
  ...{ compressionType: 0, username: 0, password: 0, saslMechanism: 0, keyVault: 0, errorPolicy: 0, columns: 0 },
  ...{ rowsPerMessage: 0, bytesPerMessage: 0, header: 0, newline: 0, avroFraming: 0, avroSchema: 0, schemaId: 0 },
  ...{ partitioner: 0, missingPartitionKey: 0, timestampColumn: 0, maxMessageBytes: 0, fetch: 0, producer: 0 },
  ...{ logger: 0, onDataError: 0, clock: 0 }
});
var TOPIC = /^[a-zA-Z0-9._-]{1,249}$/;
var CONTROL2 = new RegExp("\\p{Cc}", "u");
function resolve2(input) {
  const problems = new Problems();
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    problems.add("options", `expected an object, got ${showOption(input)}`);
    return { problems, value: null };
  }
  const given = { ...input };
  checkNames2(Object.keys(given), problems);
  const value = {
    ...resolvePlaces(given, problems),
    ...resolveSecurity(given, problems),
    ...resolveFormat(given, problems),
    ...resolveRules(given, problems),
    ...resolveHooks(given, problems)
  };
  checkProducer(value, problems);
  return { problems, value };
}
function checkNames2(names, problems) {
  for (const name2 of names) {
    if (PROPERTIES2.includes(name2)) continue;
    const nearest = nearestProperty(name2, PROPERTIES2);
    const hint = nearest === void 0 ? "" : `: did you mean ${nearest}?`;
    problems.add(name2.slice(0, 60), `unknown property${hint}`);
  }
}
function resolvePlaces(given, problems) {
  const { outputAlias, bootstrapServers, topic } = given;
  const isAlias = typeof outputAlias === "string" && outputAlias.trim() !== "" && !CONTROL2.test(outputAlias);
  if (!isAlias) problems.refuse("outputAlias", outputAlias, "a name, as in INTO [alias]");
  const isTopic = typeof topic === "string" && TOPIC.test(topic) && topic !== "." && topic !== "..";
  if (!isTopic) problems.refuse("topic", topic, "one name of 1 to 249 letters, digits, dots, underscores and hyphens");
  const isServers = typeof bootstrapServers === "string" || Array.isArray(bootstrapServers);
  if (!isServers || bootstrapServers.length === 0) {
    problems.refuse("bootstrapServers", bootstrapServers, "host:port, several with commas or as a list");
  } else {
    problems.probe("bootstrapServers", () => tryProducer({ brokers: bootstrapServers }));
  }
  return {
    outputAlias: isAlias ? outputAlias : "",
    topic: isTopic ? topic : "",
    bootstrapServers
  };
}
function resolveSecurity(given, problems) {
  const protocol = problems.oneOf("securityProtocol", given.securityProtocol, {
    allowed: securityProtocols,
    fallback: null
  });
  const hasKeyVault = !isBlank(given.keyVault);
  const keyVault = hasKeyVault ? problems.take(checkKeyVault(given.keyVault)) : null;
  const tls = given.producer?.tls;
  if (protocol !== null) checkTransport({ protocol, keyVault, hasKeyVault, tls }, problems);
  const login2 = protocol === null ? null : checkLogin(given, protocol, problems);
  return { securityProtocol: protocol ?? "None", keyVault, login: login2 };
}
function resolveRules(given, problems) {
  return {
    compressionType: problems.oneOf("compressionType", given.compressionType, { allowed: compressionTypes, fallback: "None" }) ?? "None",
    errorPolicy: problems.oneOf("errorPolicy", given.errorPolicy, {
      ...{ allowed: errorPolicies, fallback: "Retry" },
      aliases: { stop: "Retry" }
    }) ?? "Retry",
    partitionKey: problems.text("partitionKey", given.partitionKey),
    partitioner: problems.oneOf("partitioner", given.partitioner, {
      ...{ allowed: outputPartitioners, fallback: "murmur2" },
      aliases: { "consistent-random": "consistent_random", crc32: "consistent_random" }
    }) ?? "murmur2",
    missingPartitionKey: problems.oneOf("missingPartitionKey", given.missingPartitionKey, {
      ...{ allowed: missingKeyRules, fallback: "error" },
      aliases: { round_robin: "round-robin", roundrobin: "round-robin" }
    }) ?? "error",
    timestampColumn: problems.text("timestampColumn", given.timestampColumn)
  };
}
function resolveHooks(given, problems) {
  problems.hook("fetch", given.fetch);
  problems.hook("onDataError", given.onDataError);
  const producer = given.producer ?? {};
  const isObject2 = typeof producer === "object" && !Array.isArray(producer);
  if (!isObject2) problems.refuse("producer", producer, "options of the Producer");
  for (const name2 of ownedOptions) {
    if (isObject2 && Object.hasOwn(producer, name2)) problems.add(`producer.${name2}`, "properties of the output say it");
  }
  return {
    fetch: given.fetch,
    onDataError: given.onDataError,
    producer: isObject2 ? producer : {},
    logger: given.logger,
    clock: given.clock ?? systemOutputClock
  };
}
function checkProducer(options, problems) {
  const { logger } = options;
  if (logger !== void 0) problems.probe("logger", () => tryProducer({ brokers: "localhost:9092", logger }));
  const own2 = Object.entries(options.producer).filter(([name2]) => !ownedOptions.includes(name2));
  const others = { ...Object.fromEntries(own2), brokers: "localhost:9092", deliveryTimeoutMs: Infinity };
  problems.probe("producer", () => tryProducer(others));
}
function checkPackages(options) {
  createFormat(options);
  tryProducer(producerSettings(options, null));
}
function tryProducer(options) {
  void new Producer(options).close({ timeoutMs: 0 });
}

// src/output/column-finder.ts
var ColumnFinder = class {
  #folded;
  /** Rows of one source share their list of names. */
  #names = [];
  #at = -1;
  constructor(name2) {
    this.#folded = name2.toLowerCase();
  }
  /** @returns null: the row has no such column, or null in it. */
  find({ names, values }) {
    if (names !== this.#names) {
      this.#names = names;
      this.#at = names.findIndex((name2) => name2.toLowerCase() === this.#folded);
    }
    return values[this.#at] ?? null;
  }
};

// src/output/serialize/message-packer.ts
var NO_HEAD = Object.freeze({ key: null, timestamp: null });
var NONE3 = Object.freeze([]);
var MessagePacker = class {
  #format;
  #limits;
  /** Nothing is ever kept: the common case needs no lists. */
  #isOneByOne;
  #rows = [];
  #head = NO_HEAD;
  /** Of the message if it were closed now, key included. */
  #bytes = 0;
  constructor(format, limits) {
    this.#format = format;
    this.#limits = limits;
    this.#isOneByOne = limits.rowsPerMessage === 1 || !format.canPack;
  }
  get pendingRows() {
    return this.#rows.length;
  }
  /**
   * Adds a row.
   *
   * @returns the messages that are complete now: none, the one before the row, the one that ends with it, or both.
   * @throws {ConversionError} the format cannot hold the row, or it is too large. The message that is open stays as it was.
   */
  push(row, head = NO_HEAD) {
    const encoded = this.#format.encodeRow(row);
    const { messageBytes, betweenBytes } = this.#format.overhead(encoded.shape);
    const keyBytes = head.key === null ? 0 : Buffer.byteLength(head.key);
    const aloneBytes = messageBytes + encoded.bytes.length + keyBytes;
    if (aloneBytes > this.#limits.maxMessageBytes) throw tooLarge(aloneBytes, this.#limits.maxMessageBytes);
    if (this.#isOneByOne) return [this.#assemble([encoded], head)];
    const before = this.#hasRoom(encoded, head, betweenBytes) ? NONE3 : this.flush();
    if (this.#rows.length === 0) this.#head = head;
    this.#bytes += this.#rows.length === 0 ? aloneBytes : betweenBytes + encoded.bytes.length;
    this.#rows.push(encoded);
    return this.#rows.length < this.#limits.rowsPerMessage ? before : [...before, ...this.flush()];
  }
  /** Closes the message that is open, if there is one. */
  flush() {
    if (this.#rows.length === 0) return NONE3;
    const message = this.#assemble(this.#rows, this.#head);
    this.#rows = [];
    this.#bytes = 0;
    return [message];
  }
  #assemble(rows2, { key, timestamp }) {
    return { value: this.#format.assemble(rows2), rowCount: rows2.length, key, timestamp };
  }
  #hasRoom(row, { key }, betweenBytes) {
    const [first] = this.#rows;
    if (first === void 0) return true;
    const allowed = Math.min(this.#limits.bytesPerMessage, this.#limits.maxMessageBytes);
    const isAlike = first.shape === row.shape && this.#head.key === key;
    return isAlike && this.#bytes + betweenBytes + row.bytes.length <= allowed;
  }
};
function tooLarge(bytes2, limit) {
  const reason = `Single output event exceeds the maximum message size limit allowed (${limit} bytes): ${bytes2} bytes`;
  return new ConversionError("RECORD_EXCEEDED_SIZE_LIMIT", { column: null, valueKind: "row", reason });
}

// src/output/record-head.ts
var RecordHead = class {
  #options;
  #key;
  #time;
  constructor(options) {
    this.#options = options;
    this.#key = options.partitionKey === null ? null : new ColumnFinder(options.partitionKey);
    this.#time = options.timestampColumn === null ? null : new ColumnFinder(options.timestampColumn);
  }
  /** @throws {ConversionError} the columns that say it hold no key, or no time. */
  of(row) {
    if (this.#key === null && this.#time === null) return NO_HEAD;
    return { key: this.#keyOf(row), timestamp: this.#timeOf(row) };
  }
  /** The key is the value's UTF-8, as CSV would write it, without quotes (B.9 item 2). */
  #keyOf(row) {
    if (this.#key === null) return null;
    const column = this.#options.partitionKey ?? "";
    const value = this.#key.find(row);
    if (value === null) {
      if (this.#options.missingPartitionKey === "round-robin") return null;
      const reason = "the partition key needs a value; missingPartitionKey can allow rows without one";
      throw refuse2("REQUIRED_COLUMN_MISSING", column, value, reason);
    }
    if (isNested(value)) {
      throw refuse2("TYPE_CONVERSION_ERROR", column, value, "a partition key is a plain value");
    }
    const text3 = plainText2(value);
    if (typeof value === "string" && !isWellFormed(text3)) {
      throw refuse2("TYPE_CONVERSION_ERROR", column, value, NOT_WELL_FORMED);
    }
    return text3;
  }
  #timeOf(row) {
    if (this.#time === null) return null;
    const column = this.#options.timestampColumn ?? "";
    const value = this.#time.find(row);
    if (value === null) return null;
    const moment = typeof value === "string" ? fromIsoText(value) : value;
    if (!(moment instanceof DateTime)) {
      throw refuse2("TYPE_CONVERSION_ERROR", column, value, "the time of a record is a datetime");
    }
    const ms = Date.parse(moment.text);
    if (ms >= 0) return ms;
    throw refuse2("TYPE_CONVERSION_ERROR", column, value, "the time of a record cannot be before 1970");
  }
};
function isNested(value) {
  return typeof value === "object" && !(value instanceof DateTime);
}
function refuse2(code, column, value, reason) {
  return new ConversionError(code, { column, valueKind: typeOf(value) ?? "null", reason });
}

// src/output/row-encoder.ts
var RowEncoder = class {
  #typer;
  #head;
  #packer;
  /** @throws {OptionError} Avro: the package avsc is missing, or `avroSchema` is no schema. */
  constructor(options) {
    this.#typer = new RowTyper(options.columns);
    this.#head = new RecordHead(options);
    this.#packer = new MessagePacker(createFormat(options), options);
  }
  /** Rows of the message that is open. */
  get pendingRows() {
    return this.#packer.pendingRows;
  }
  /**
   * @returns the messages that are complete now, in order.
   * @throws {ConversionError} and nothing else, whatever the row is. What is open stays as it was.
   */
  push(input) {
    const row = this.#typer.type(input);
    return this.#packer.push(row, this.#head.of(row));
  }
  /** Closes the message that is open. */
  flush() {
    return this.#packer.flush();
  }
};

// src/output/row-feed.ts
var TURN_ROWS = 512;
var IDLE_MS = 1e3;
var RowFeed = class {
  #parts;
  constructor(parts) {
    this.#parts = parts;
  }
  /** @throws what the source throws, and the reason of the run's signal. */
  async feed(rows2, run) {
    try {
      await this.#read(rows2, run).finally(() => this.#closeMessage(run));
    } finally {
      this.#parts.encoder.flush();
    }
  }
  async #read(rows2, run) {
    if (Symbol.asyncIterator in rows2) {
      await this.#readAsync(rows2[Symbol.asyncIterator](), run);
      return;
    }
    for (const row of rows2) {
      run.signal.throwIfAborted();
      const wait = this.#take(row, run);
      if (wait !== null) await wait;
    }
  }
  async #readAsync(iterator, run) {
    const waits = new Waits(run.signal);
    let isOpen = true;
    try {
      for (; ; ) {
        const next2 = await this.#next(Promise.resolve(iterator.next()), waits, run);
        isOpen = next2.done !== true;
        if (next2.done === true) return;
        const wait = this.#take(next2.value, run);
        if (wait !== null) await wait;
      }
    } finally {
      if (isOpen) callUnheeded(() => iterator.return?.());
    }
  }
  /** The next row; a message that is open does not wait for it for long. */
  #next(next2, waits, run) {
    const { heldSinceMs } = run;
    return heldSinceMs === null ? waits.for(next2) : this.#nextWhileOpen(next2, waits, run, heldSinceMs + IDLE_MS);
  }
  async #nextWhileOpen(next2, waits, run, closeAtMs) {
    const { clock } = this.#parts;
    let closing = Promise.resolve();
    const close = () => {
      closing = this.#closeMessage(run);
      closing.catch(thrownBelow);
    };
    const leftMs = closeAtMs - clock.now();
    if (leftMs <= 0) close();
    const timer2 = leftMs <= 0 ? null : clock.after(leftMs, close);
    try {
      return await waits.for(next2);
    } finally {
      timer2?.cancel();
      await closing;
    }
  }
  /** Takes a row. @returns what to wait for before the next one; null: nothing. */
  #take(row, run) {
    run.rows++;
    const wait = this.#convert(row, run);
    if (wait !== null || run.rows % TURN_ROWS !== 0) return wait;
    return new Promise((resolve3) => this.#parts.clock.soon(resolve3));
  }
  #convert(row, run) {
    let messages;
    try {
      messages = this.#encode(row, run);
    } catch (error) {
      return this.#onBadRow(row, run, error);
    }
    return this.#send(messages, run);
  }
  /** @throws {ConversionError} */
  #encode(row, run) {
    const { encoder, clock } = this.#parts;
    const before = encoder.pendingRows;
    const packed = encoder.push(row);
    const isOpen = encoder.pendingRows > 0;
    if (!isOpen) run.heldSinceMs = null;
    else if (before === 0 || packed.length > 0) run.heldSinceMs = clock.now();
    return run.track(packed, isOpen);
  }
  #onBadRow(row, run, error) {
    if (!(error instanceof ConversionError)) throw error;
    if (this.#parts.errorPolicy === "Retry") return this.#retry(row, run, error);
    this.#parts.dataErrors.add(error.inRow(run.row), row);
    run.drop(this.#parts.encoder.pendingRows);
    return null;
  }
  /** Until the row can be converted: whoever gave it may mend it. Rows before it do not wait for that. */
  async #retry(row, run, first) {
    const { clock, dataErrors, events } = this.#parts;
    await this.#closeMessage(run);
    run.heldSinceMs = clock.now();
    for (let [attempts, error] = [1, first]; ; attempts++) {
      const inRow = error.inRow(run.row);
      const delayMs2 = growingDelayMs(attempts);
      dataErrors.add(inRow, row);
      events.blocked(run.row, attempts, delayMs2, inRow);
      await sleep(clock, delayMs2, run.signal);
      try {
        const messages = this.#encode(row, run);
        events.unblocked(run.row, attempts);
        await this.#send(messages, run);
        return;
      } catch (again) {
        if (!(again instanceof ConversionError)) throw again;
        error = again;
      }
    }
  }
  async #closeMessage(run) {
    if (run.signal.aborted) return;
    run.heldSinceMs = null;
    await this.#send(run.trackRest(this.#parts.encoder.flush()), run);
  }
  #send(messages, run) {
    for (let i = 0; i < messages.length; i++) {
      const message = messages[i];
      if (!this.#parts.delivery.offer(message)) return this.#sendSlowly(messages.slice(i), run);
    }
    return null;
  }
  async #sendSlowly(messages, run) {
    const { delivery } = this.#parts;
    let sent = 0;
    try {
      for (const message of messages) {
        while (!delivery.offer(message)) await delivery.ready(run.signal);
        sent++;
      }
    } finally {
      for (const message of messages.slice(sent)) run.abandoned(message, false);
    }
  }
};
function thrownBelow() {
  return void 0;
}

// src/output/test-connection.ts
var TIMEOUT_MS2 = 3e4;
async function testConnection(test) {
  const over = new AbortController();
  const timer2 = test.clock.after(TIMEOUT_MS2, () => over.abort(new Error(`no answer within ${TIMEOUT_MS2} ms`)));
  try {
    const secrets = test.vaultTls === null ? [] : [await trySecrets(test, test.vaultTls, over.signal)];
    const isStuck = secrets.some(({ ok }) => ok === false);
    const found = isStuck ? [] : await lookAround(test, over.signal);
    const steps = [...secrets, ...judge2(found, test, isStuck)];
    const failed6 = steps.filter(({ ok }) => ok === false);
    if (failed6.length === 0) return steps;
    const what = failed6.map(({ step, code, message: message2 }) => `${step}: ${code ?? ""}: ${message2}`).join("; ");
    const message = `output ${test.outputAlias}: CONNECTION_TEST_FAILED: ${what}`;
    throw new OutputError("CONNECTION_TEST_FAILED", message, { steps });
  } finally {
    timer2.cancel();
  }
}
async function trySecrets({ clock }, vaultTls, signal) {
  const startMs = clock.now();
  try {
    await orAborted2(vaultTls.options(), signal);
    return { step: "secrets", ok: true, message: "the vault gives the certificates", ms: clock.now() - startMs };
  } catch (error) {
    const code = error instanceof KeyVaultError ? error.code : "VAULT_UNREACHABLE";
    const message = error instanceof Error ? error.message : String(error);
    return { step: "secrets", ok: false, message, code, ms: clock.now() - startMs };
  }
}
async function lookAround({ topic, producerOptions, clock }, signal) {
  const found = [];
  const startMs = clock.now();
  const iterator = diagnose(producerOptions, { topic })[Symbol.asyncIterator]();
  try {
    for (; ; ) {
      const next2 = await orAborted2(iterator.next(), signal);
      if (next2.done === true) return found;
      found.push(next2.value);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    const ms = clock.now() - startMs;
    return [...found, { step: "tcp", ok: false, ms, code: "REQUEST_TIMEOUT", message: error.message }];
  } finally {
    void iterator.return?.().then(void 0, () => "it was left");
  }
}
var ONLY_A_WRITE_TELLS = /the first record will tell/;
var CERTIFICATE_CODES = ["CLIENT_CERTIFICATE_REQUIRED", "CLIENT_CERTIFICATE_REFUSED"];
function topicOf({ step, code }) {
  if (step === "topic") return "topic";
  if (step === "authorization") return "permission";
  return step === "sasl" || CERTIFICATE_CODES.includes(code ?? "") ? "authentication" : "reachability";
}
function judge2(found, test, isStuck) {
  const of = (name2) => found.filter((step) => topicOf(step) === name2);
  const metadataAt = found.findIndex(({ step, ok }) => step === "metadata" && ok);
  const isIn = metadataAt >= 0;
  const isGrave = (step) => !step.ok && (!isIn || found.indexOf(step) > metadataAt);
  const unknown = isStuck ? "not tried: the certificates are missing" : "not known: what comes before it failed";
  const authentication = of("authentication");
  return [
    summary("reachability", of("reachability"), isGrave, unknown),
    authentication.length === 0 && isIn ? withoutLogin(test) : summary("authentication", authentication, isGrave, unknown),
    summary("topic", of("topic"), isGrave, of("permission").length > 0 ? "not shown to whom may not use it" : unknown),
    summary("permission", of("permission"), isGrave, isIn ? "only a write can tell on these brokers" : unknown)
  ];
}
function withoutLogin({ securityProtocol }) {
  const message = securityProtocol === "mTLS" ? "the client certificate is taken" : "the brokers want no login";
  return { step: "authentication", ok: true, message, ms: 0 };
}
function summary(step, found, isGrave, unknown) {
  const ms = found.reduce((sum2, one) => sum2 + one.ms, 0);
  const grave = found.filter(isGrave);
  const told = grave.length > 0 ? grave : [...found.filter(({ code: code2 }) => code2 !== void 0), ...found.slice(-1)];
  const code = told.find((one) => one.code !== void 0)?.code;
  const isOpen = found.length === 0 || found.some(({ message: message2 }) => ONLY_A_WRITE_TELLS.test(message2));
  const ok = grave.length > 0 ? false : isOpen ? null : true;
  const message = found.length === 0 ? unknown : [...new Set(told.map((one) => one.message))].join("; ");
  return { step, ok, message, ms, ...code === void 0 ? {} : { code } };
}

// src/output/write-arguments.ts
function checkWriteArguments(rows2, options) {
  if (!isIterable(rows2)) {
    throw invalid7("write", `rows: got ${showOption(rows2)}, expected an iterable of objects, or an async one`);
  }
  if (typeof options !== "object" || options === null) {
    throw invalid7("write", `options: got ${showOption(options)}, expected an object`);
  }
  const { signal, firstRow, onProgress } = options;
  if (signal !== void 0 && !(signal instanceof AbortSignal)) {
    throw invalid7("write", `signal: got ${showOption(signal)}, expected an AbortSignal`);
  }
  if (firstRow !== void 0 && !(Number.isSafeInteger(firstRow) && Number(firstRow) >= 0)) {
    throw invalid7("write", `firstRow: got ${showOption(firstRow)}, expected an integer from 0`);
  }
  if (onProgress !== void 0 && typeof onProgress !== "function") {
    throw invalid7("write", `onProgress: got ${showOption(onProgress)}, expected a function`);
  }
}
function checkCloseOptions(options) {
  const isObject2 = typeof options === "object" && options !== null;
  const timeoutMs = isObject2 ? options.timeoutMs : options;
  const isFine = timeoutMs === void 0 || Number.isInteger(timeoutMs) && Number(timeoutMs) >= 0;
  if (isObject2 && isFine && Number(timeoutMs ?? 0) < 2 ** 31) return null;
  return invalid7("close", `timeoutMs: got ${showOption(timeoutMs)}, expected whole milliseconds from 0`);
}
function isIterable(rows2) {
  return typeof rows2 === "object" && rows2 !== null && (Symbol.iterator in rows2 || Symbol.asyncIterator in rows2);
}
function invalid7(where, what) {
  return new OutputError("INVALID_ARGUMENT", `${where}: INVALID_ARGUMENT: ${what}`);
}

// src/output/write-failure.ts
function closedError4(where) {
  return new OutputError("CLOSED", `${where}: CLOSED: the output was closed`);
}
function abortedError(reason) {
  return new OutputError("ABORTED", "write: ABORTED: its signal was aborted; what was sent goes on", { cause: reason });
}
function writeFailure(ending, run) {
  const report = run.report();
  const { unsettledRows, refusal: refusal9, mayBeWritten: maybeWritten } = run;
  const far = `${report.delivered} rows delivered, ${report.dropped} dropped, ${report.safeRows} from the first on safe`;
  if (refusal9 !== null) {
    const message2 = `write: WRITE_FAILED: the brokers refuse a row for good (${far}): ${refusal9.message}`;
    return new OutputError("WRITE_FAILED", message2, { ...{ report, unsettledRows, maybeWritten }, cause: refusal9 });
  }
  if (ending === null) {
    if (unsettledRows === 0) return null;
    const message2 = `write: CLOSED: the output was closed before ${unsettledRows} rows had settled (${far})`;
    return new OutputError("CLOSED", message2, { report, unsettledRows, maybeWritten });
  }
  const { error, isStarted } = ending;
  if (!isStarted) return error instanceof Error ? error : new Error(String(error));
  if (error instanceof OutputError && error === run.signal.reason) {
    const details = { ...{ report, unsettledRows, maybeWritten }, cause: error.cause };
    return new OutputError(error.code, `${error.message} (${far})`, details);
  }
  const message = `write: SOURCE_FAILED: the source of the rows threw (${far})`;
  return new OutputError("SOURCE_FAILED", message, { ...{ report, unsettledRows, maybeWritten }, cause: error });
}

// src/output/write-run.ts
var COMPACT_AT = 1024;
var WriteRun = class {
  firstRow;
  /** Taken from the source. */
  rows = 0;
  /** When the message that is open was begun, or the row came that blocks; null: there is neither. */
  heldSinceMs = null;
  /** Of those: in a message, or dropped. */
  #finished = 0;
  #delivered = 0;
  #dropped = 0;
  #refused = 0;
  #messages = 0;
  #retried = 0;
  #possibleDuplicates = 0;
  #safeRows = 0;
  #mayBeWritten = false;
  #refusal = null;
  #context;
  #onProgress;
  #stop = new AbortController();
  /** In order; those before `#head` have settled and are safe. */
  #queue = [];
  #head = 0;
  #unsettled = 0;
  #waiters = [];
  #isTelling = false;
  constructor(context, { firstRow = 1, onProgress }) {
    this.#context = context;
    this.firstRow = firstRow;
    this.#onProgress = onProgress;
  }
  /** Ends the reading. */
  get signal() {
    return this.#stop.signal;
  }
  /** Number of the row that was taken last. */
  get row() {
    return this.firstRow + this.rows - 1;
  }
  get refusal() {
    return this.#refusal;
  }
  /** Rows of which nobody knows, or will know, whether they are written, and those that were not sent. */
  get unsettledRows() {
    return this.rows - this.#delivered - this.#dropped - this.#refused;
  }
  /** Some of what was not acknowledged may be in a log. */
  get mayBeWritten() {
    return this.#mayBeWritten || this.#unsettled > 0;
  }
  /** In messages that have not settled. */
  get rowsOnTheWay() {
    let rows2 = 0;
    for (const { isSettled, rowCount } of this.#queue) if (!isSettled) rows2 += rowCount;
    return rows2;
  }
  /** Since when the oldest row that has not settled is here. */
  get oldestMs() {
    for (let i = this.#head; i < this.#queue.length; i++) {
      const message = this.#queue[i];
      if (message?.isSettled === false) return message.bornMs;
    }
    return this.heldSinceMs;
  }
  stop(reason) {
    if (!this.#stop.signal.aborted) this.#stop.abort(reason);
  }
  /** The row that was taken last is in messages now. @param isOpen it is in the one that is still open. */
  track(packed, isOpen) {
    this.#finished = this.rows;
    return packed.map((each, i) => this.#trackOne(each, isOpen || i < packed.length - 1 ? this.rows - 1 : this.rows));
  }
  /** The message that was open is closed, without another row. */
  trackRest(packed) {
    return packed.map((each) => this.#trackOne(each, this.#finished));
  }
  /** The row that was taken last is dropped. @param openRows before it, of which the message is still open. */
  drop(openRows) {
    this.#dropped++;
    this.#finished = this.rows;
    const last = this.#queue.at(-1);
    if (openRows === 0) {
      if (last === void 0) this.#safeRows = this.rows;
      else last.lastRow = this.rows;
    }
    this.#tellSoon();
  }
  delivered(message) {
    this.#delivered += message.rowCount;
    this.#messages++;
    this.#settle(message, true);
  }
  refused(message, error) {
    if (this.#context.isDroppable(error, message)) {
      this.#dropped += message.rowCount;
      this.#settle(message, true);
      return;
    }
    this.#refused += message.rowCount;
    this.#mayBeWritten ||= error.maybeWritten;
    this.#refusal ??= error;
    this.stop(error);
    this.#settle(message, false);
  }
  abandoned(message, maybeWritten) {
    this.#mayBeWritten ||= maybeWritten;
    this.#settle(message, false);
  }
  retried({ rowCount }, maybeWritten) {
    this.#retried += rowCount;
    if (maybeWritten) this.#possibleDuplicates += rowCount;
  }
  /** Resolves when nothing is on its way. */
  allSettled() {
    if (this.#unsettled === 0) return Promise.resolve();
    return new Promise((resolve3) => this.#waiters.push(resolve3));
  }
  report() {
    return {
      ...{ rows: this.rows, delivered: this.#delivered, dropped: this.#dropped, safeRows: this.#safeRows },
      ...{ messages: this.#messages, retried: this.#retried, possibleDuplicates: this.#possibleDuplicates }
    };
  }
  #trackOne({ value, key, timestamp, rowCount }, lastRow) {
    const message = {
      owner: this,
      order: this.#context.nextOrder(),
      record: { topic: this.#context.topic, value, key, timestamp: timestamp ?? void 0 },
      ...{ rowCount, lastRow, row: this.firstRow + lastRow - 1 },
      ...{ bornMs: this.#context.now(), isSettled: false, isSafe: false }
    };
    this.#queue.push(message);
    this.#unsettled++;
    return message;
  }
  #settle(message, isSafe) {
    message.isSettled = true;
    message.isSafe = isSafe;
    this.#unsettled--;
    this.#advance();
    this.#tellSoon();
    if (this.#unsettled > 0) return;
    for (const resolve3 of this.#waiters.splice(0)) resolve3();
  }
  /** A message that is not safe stays at the head for ever: nothing behind it is safe either. */
  #advance() {
    for (let first = this.#queue[this.#head]; first?.isSafe === true; first = this.#queue[++this.#head]) {
      this.#safeRows = first.lastRow;
    }
    const isWorthIt = this.#head >= COMPACT_AT && this.#head * 2 >= this.#queue.length;
    if (!isWorthIt && this.#head < this.#queue.length) return;
    this.#queue = this.#queue.slice(this.#head);
    this.#head = 0;
  }
  #tellSoon() {
    if (this.#onProgress === void 0 || this.#isTelling) return;
    this.#isTelling = true;
    queueMicrotask(() => {
      this.#isTelling = false;
      callUnheeded(() => this.#onProgress?.(this.report()));
    });
  }
};

// src/output/write-runs.ts
var WriteRuns = class {
  #open = /* @__PURE__ */ new Set();
  #past = { rows: 0, delivered: 0, dropped: 0 };
  /** In messages that have not settled. */
  get rowsOnTheWay() {
    return sum([...this.#open].map((run) => run.rowsOnTheWay));
  }
  add(run) {
    this.#open.add(run);
  }
  /** What is on its way goes on, whoever has stopped waiting for it. */
  async forgetWhenSettled(run) {
    await run.allSettled();
    this.#past = this.#totals([run]);
    this.#open.delete(run);
  }
  stopAll(reason) {
    for (const run of this.#open) run.stop(reason);
  }
  async allSettled() {
    await Promise.all([...this.#open].map((run) => run.allSettled()));
  }
  metrics(nowMs, { count: count3 }, { runtimeErrors }) {
    const open = [...this.#open];
    const { rows: rows2, delivered, dropped } = this.#totals(open);
    const oldestMs = Math.min(...open.map((run) => run.oldestMs ?? Infinity));
    return {
      ...{ "Input Events": rows2, "Output Events": delivered, "Dropped Events": dropped },
      ...{ "Data Conversion Errors": count3, "Runtime Errors": runtimeErrors },
      "Backlogged Input Events": sum(open.map((run) => run.unsettledRows)),
      "Watermark Delay": oldestMs === Infinity ? 0 : Math.max(nowMs - oldestMs, 0) / 1e3
    };
  }
  /** Of those before and of these. */
  #totals(runs) {
    const reports = runs.map((run) => run.report());
    return {
      rows: this.#past.rows + sum(reports.map(({ rows: rows2 }) => rows2)),
      delivered: this.#past.delivered + sum(reports.map(({ delivered }) => delivered)),
      dropped: this.#past.dropped + sum(reports.map(({ dropped }) => dropped))
    };
  }
};
function sum(counts) {
  return counts.reduce((total, count3) => total + count3, 0);
}

// src/output/kafka-output.ts
var CLOSE_TIMEOUT_MS = 3e4;
var TOO_LARGE = ["MESSAGE_TOO_LARGE", "RECORD_TOO_LARGE", "RECORD_LIST_TOO_LARGE"];
var KafkaOutput = class {
  #options;
  #producerOptions;
  #vaultTls;
  #events;
  #dataErrors;
  #delivery;
  #start;
  #feed;
  #order = new CallOrder();
  #runs = new WriteRuns();
  #messages = 0;
  #closing = null;
  /**
   * Connects to nothing.
   *
   * @throws {OptionError} `INVALID_OPTIONS`: everything that is wrong, each with property, value and what is allowed;
   * `CODEC_UNAVAILABLE`: a package that compression or Avro needs is not installed.
   */
  constructor(options) {
    this.#options = resolveOutputOptions(options);
    const { outputAlias, clock } = this.#options;
    this.#events = new OutputEvents(this.#options);
    this.#vaultTls = this.#createVaultTls();
    this.#producerOptions = producerSettings(this.#options, this.#vaultTls);
    this.#dataErrors = new DataErrors(outputAlias, clock, (record3) => this.#events.dataError(record3));
    this.#delivery = new Delivery({
      createProducer: () => new Producer(this.#producerOptions),
      clock,
      onRetry: (rows2, delayMs2, error) => this.#events.retry(rows2, delayMs2, error)
    });
    const parts = { ...this.#options, vaultTls: this.#vaultTls, producerOptions: this.#producerOptions };
    const own2 = { delivery: this.#delivery, events: this.#events, dataErrors: this.#dataErrors };
    this.#start = new OutputStart({ ...parts, ...own2 });
    this.#feed = new RowFeed({ ...parts, ...own2, encoder: new RowEncoder(this.#options) });
    if (this.#options.securityProtocol === "SASL_PLAINTEXT") {
      this.#events.warnOf("SASL_PLAINTEXT: nothing is encrypted; with PLAIN the password travels readable");
    }
  }
  /**
   * Writes rows, in order; several writes at a time in the order of their calls. Takes rows no faster than they are
   * delivered, so sources may be endless.
   *
   * @param rows plain objects, or `Row`s of the NDJSON reader. They belong to the output until they have settled.
   * @returns when every row is acknowledged by the brokers or, under Drop, counted as dropped.
   * @throws {OutputError} with `report`: `WRITE_FAILED`, the brokers refused a row for good (`cause`: not authorized, no such
   * topic, larger than the topic allows) and nothing behind it was read; `SOURCE_FAILED`, `ABORTED`, `CLOSED`.
   * @throws {KeyVaultError | ConnectionError | AuthenticationError | ProtocolError | BrokerError} before the first row is
   * read: secrets or brokers will not do, and waiting does not help.
   */
  async write(rows2, options = {}) {
    checkWriteArguments(rows2, options);
    if (this.#closing !== null) throw closedError4("write");
    const run = this.#newRun(options);
    const { signal } = options;
    const abort = () => run.stop(abortedError(signal?.reason));
    if (signal?.aborted === true) abort();
    signal?.addEventListener("abort", abort, { once: true });
    try {
      return await this.#write(rows2, run, signal);
    } finally {
      signal?.removeEventListener("abort", abort);
      void this.#runs.forgetWhenSettled(run);
    }
  }
  /**
   * Whether the configuration leads to the topic: secrets, reachability, authentication, topic and permission, each on its
   * own and in words. Writes nothing; settles within half a minute.
   *
   * @returns all steps; one that could not be found out has `ok: null`.
   * @throws {OutputError} `CONNECTION_TEST_FAILED` with all `steps`: the message has those that failed.
   */
  async testConnection() {
    if (this.#closing !== null) throw closedError4("testConnection");
    return await testConnection({
      ...this.#options,
      vaultTls: this.#vaultTls,
      producerOptions: this.#producerOptions
    });
  }
  /** What it has done and what it holds, now. */
  metrics() {
    return this.#runs.metrics(this.#options.clock.now(), this.#dataErrors, this.#events);
  }
  /**
   * Takes no more rows, waits for those that are on their way, and lets go of all connections. Writes that are still
   * reading, or blocked by a row, end with `CLOSED`. A second call gives the same promise.
   *
   * @param options `timeoutMs`: how long to wait, default 30 000; 0 does not wait.
   * @throws {OutputError} `CLOSED`: `unsettledRows` rows had not settled; with `maybeWritten` some of them may be written.
   */
  close(options = {}) {
    if (this.#closing !== null) return this.#closing;
    const misuse4 = checkCloseOptions(options);
    if (misuse4 !== null) return Promise.reject(misuse4);
    this.#closing = this.#close(options.timeoutMs ?? CLOSE_TIMEOUT_MS);
    return this.#closing;
  }
  [Symbol.asyncDispose]() {
    return this.close();
  }
  #createVaultTls() {
    const { keyVault, fetch, clock } = this.#options;
    if (keyVault === null) return null;
    const onRefresh = this.#events.secrets.bind(this.#events);
    return new VaultTls(keyVault, createVault(keyVault, { fetch, clock }), { clock, onRefresh });
  }
  #newRun(options) {
    const { topic, clock } = this.#options;
    const run = new WriteRun(
      {
        topic,
        now: () => clock.now(),
        nextOrder: () => this.#messages++,
        isDroppable: (error, message) => this.#isDroppable(error, message)
      },
      options
    );
    this.#runs.add(run);
    return run;
  }
  async #write(rows2, run, signal) {
    const cause = await this.#readAll(rows2, run) ?? await settledOr(run, signal);
    const failure = writeFailure(cause, run);
    this.#dataErrors.flush();
    this.#events.written(run.report(), failure);
    if (failure !== null) throw failure;
    return run.report();
  }
  /** @returns why it ended early; what is on its way has settled then, unless it was called off. */
  async #readAll(rows2, run) {
    let isStarted = false;
    try {
      await this.#order.run(run.signal, async () => {
        await this.#start.ready(run.signal);
        isStarted = true;
        await this.#feed.feed(rows2, run);
      });
      return null;
    } catch (error) {
      const isCalledOff = isAbort(error, run);
      if (!isCalledOff) await run.allSettled();
      return { error, isStarted: isStarted || run.signal.aborted };
    }
  }
  async #close(timeoutMs) {
    const { clock } = this.#options;
    const reason = closedError4("write");
    this.#start.end(reason);
    this.#runs.stopAll(reason);
    await new Promise((resolve3) => clock.soon(resolve3));
    if (timeoutMs > 0) await within3(clock, timeoutMs, this.#runs.allSettled());
    const givenUp = this.#runs.rowsOnTheWay;
    await this.#delivery.end();
    this.#dataErrors.flush();
    if (givenUp === 0) return;
    const what = `${givenUp} rows had not settled after ${timeoutMs} ms; some of them may be written`;
    throw new OutputError("CLOSED", `close: CLOSED: ${what}`, { unsettledRows: givenUp, maybeWritten: true });
  }
  #isDroppable(error, { record: record3, row, rowCount }) {
    if (this.#options.errorPolicy !== "Drop" || !TOO_LARGE.includes(error.code)) return false;
    const valueKind = rowCount === 1 ? "row" : `the last of the ${rowCount} rows of a message`;
    const details = { column: null, row, valueKind, reason: `larger than the brokers allow: ${error.message}` };
    const example = { rows: rowCount, messageBytes: record3.value?.length ?? 0 };
    const tooLarge2 = new ConversionError("RECORD_EXCEEDED_SIZE_LIMIT", { ...details, cause: error });
    this.#dataErrors.add(tooLarge2, example, rowCount);
    return true;
  }
};
function isAbort(error, { signal }) {
  return error === signal.reason && error instanceof OutputError && error.code === "ABORTED";
}
async function settledOr(run, signal) {
  const settled = run.allSettled();
  try {
    await (signal === void 0 ? settled : orAborted2(settled, signal));
    return null;
  } catch {
    return { error: run.signal.reason, isStarted: true };
  }
}
async function within3(clock, timeoutMs, work) {
  const over = new AbortController();
  const late = sleep(clock, timeoutMs, over.signal);
  await Promise.race([work, late]);
  late.catch(() => "called off, it was not needed");
  over.abort();
}

// src/testing/answer-queue.ts
var AT_ONCE2 = { delayMs: 0, closeAfterBytes: null, splitBytes: null, isLate: false };
var AnswerQueue = class {
  #socket;
  #clock;
  #waiting = [];
  #timers = /* @__PURE__ */ new Set();
  #isWriting = false;
  #isHeld = false;
  constructor(socket, clock) {
    this.#socket = socket;
    this.#clock = clock;
  }
  push(answer) {
    const entry = { answer, isDue: answer.delayMs === 0, isLate: answer.isLate };
    this.#waiting.push(entry);
    if (entry.isDue) this.#drain();
    else if (answer.delayMs !== Infinity) this.#wakeFor(entry, answer.delayMs);
  }
  /** Nothing leaves, until it is let go again. */
  hold(isHeld) {
    this.#isHeld = isHeld;
    this.#drain();
  }
  /** The socket is gone. */
  clear() {
    for (const timer2 of this.#timers) timer2.cancel();
    this.#timers.clear();
    this.#waiting = [];
  }
  #wakeFor(entry, delayMs2) {
    const timer2 = this.#clock.after(delayMs2, () => {
      this.#timers.delete(timer2);
      entry.isDue = true;
      this.#drain();
    });
    this.#timers.add(timer2);
  }
  #drain() {
    while (!this.#isWriting && !this.#isHeld && !this.#socket.destroyed) {
      const answer = this.#takeNext();
      if (answer === void 0) return;
      this.#write(answer);
    }
  }
  #takeNext() {
    const [first, second] = this.#waiting;
    const next2 = first?.isLate === true ? second : first;
    if (first === void 0 || next2?.isDue !== true) return void 0;
    first.isLate = false;
    this.#waiting.splice(next2 === first ? 0 : 1, 1);
    return next2.answer;
  }
  #write({ chunks, closeAfterBytes, splitBytes }) {
    const bytes2 = closeAfterBytes === null && splitBytes === null ? null : Buffer.concat(chunks);
    const isClosing = closeAfterBytes !== null;
    if (bytes2 === null) return this.#writeChunks(chunks);
    const sent = isClosing ? bytes2.subarray(0, closeAfterBytes) : bytes2;
    this.#isWriting = true;
    this.#writePieces(sent, splitBytes ?? Math.max(sent.length, 1), () => {
      this.#isWriting = false;
      if (isClosing) this.#destroySoon();
      else this.#drain();
    });
  }
  #writeChunks(chunks) {
    this.#socket.cork();
    for (const chunk of chunks) this.#socket.write(chunk);
    this.#socket.uncork();
  }
  /** What was written goes out first. */
  #destroySoon() {
    this.#socket.end(() => this.#socket.destroy());
  }
  /** One piece per turn of the event loop, so that they are packets of their own. */
  #writePieces(bytes2, pieceBytes, done) {
    if (bytes2.length === 0) return done();
    this.#socket.write(bytes2.subarray(0, pieceBytes), (error) => {
      if (!error) this.#clock.soon(() => this.#writePieces(bytes2.subarray(pieceBytes), pieceBytes, done));
    });
  }
};

// src/testing/fault-options.ts
var WHERE_NAMES = [
  ...["api", "topic", "partition", "broker", "after", "times"],
  ...["errorMessage", "recordErrors", "isWritten"]
];
var EFFECT_NAMES = [
  ...["error", "delayMs", "throttleMs", "closeBefore", "closeAfterBytes", "silent", "splitBytes"],
  ...["duplicateAnswer", "late", "wrongCorrelationId", "answer", "authBytes"]
];
var FAULT_NAMES = [...WHERE_NAMES, ...EFFECT_NAMES];
function checkFault(options) {
  const names = Object.entries(options).flatMap(([name2, value]) => value === void 0 ? [] : [name2]);
  for (const name2 of names) {
    if (FAULT_NAMES.includes(name2)) continue;
    const [nearest] = nearestNames(name2, FAULT_NAMES);
    throw misuse(`fail: ${name2}: unknown option${nearest === void 0 ? "" : `: did you mean ${nearest}?`}`);
  }
  if (!names.some((name2) => EFFECT_NAMES.includes(name2))) {
    throw misuse(`fail: nothing goes wrong; say one of ${EFFECT_NAMES.join(", ")}`);
  }
  if (options.recordErrors !== void 0 && options.error === void 0) {
    throw misuse("fail: recordErrors: say which error, such as error: 'INVALID_RECORD'");
  }
}
function errorCodeOf(error) {
  if (typeof error === "number") return error;
  const row = errorByName(error);
  if (row !== void 0) return row.code;
  throw misuse(`fail: Kafka has no error ${error}`);
}
function misuse(what) {
  return new OptionError("INVALID_ARGUMENT", `TestCluster: INVALID_ARGUMENT: ${what}`);
}

// src/testing/faults.ts
var Rule = class {
  options;
  errorCode;
  hits = 0;
  #passed = 0;
  #isRemoved = false;
  constructor(options) {
    this.options = options;
    this.errorCode = options.error === void 0 ? null : errorCodeOf(options.error);
  }
  get isActive() {
    return !this.#isRemoved && this.hits < (this.options.times ?? 1);
  }
  /** Whether it still lets requests pass. */
  get isWaiting() {
    return this.#passed < (this.options.after ?? 0);
  }
  remove() {
    this.#isRemoved = true;
  }
  /** A request met it. */
  count() {
    if (this.isWaiting) this.#passed++;
    else this.hits++;
  }
  isFor(topic, partition) {
    const { options } = this;
    if (options.topic !== void 0 && options.topic !== topic) return false;
    return options.partition === void 0 || partition === null || options.partition === partition;
  }
};
var Faults = class {
  #byMention;
  constructor(byMention) {
    this.#byMention = byMention;
  }
  /** An effect on the answer as a whole. */
  effect(name2) {
    for (const { options } of this.#byMention.values()) if (options[name2] !== void 0) return options[name2];
    return void 0;
  }
  /** The error for the request as a whole; 0: none. */
  get errorCode() {
    for (const { errorCode, options } of this.#byMention.values()) {
      if (errorCode !== null && options.topic === void 0) return errorCode;
    }
    return 0;
  }
  /** The error for a topic or partition; 0: none. */
  errorCodeFor(topic, partition) {
    return this.#byMention.get(keyOf2({ topic, partition }))?.errorCode ?? 0;
  }
  /** The same for one partition. */
  effectFor(name2, topic, partition) {
    return this.#byMention.get(keyOf2({ topic, partition }))?.options[name2];
  }
  /** Whether records for a partition are appended although something goes wrong. */
  isWritten(topic, partition) {
    const rule = this.#byMention.get(keyOf2({ topic, partition }));
    return rule === void 0 || (rule.options.isWritten ?? rule.errorCode === null);
  }
};
var Refusal2 = class extends Faults {
  #errorCode;
  constructor(errorCode) {
    super(/* @__PURE__ */ new Map());
    this.#errorCode = errorCode;
  }
  get errorCode() {
    return this.#errorCode;
  }
  errorCodeFor() {
    return this.#errorCode;
  }
  isWritten() {
    return false;
  }
};
var FaultList = class {
  #rules = [];
  /** @throws {OptionError} an error that Kafka does not have, or nothing that goes wrong. */
  add(options) {
    checkFault(options);
    const rule = new Rule(options);
    this.#rules.push(rule);
    return rule;
  }
  /** The faults for a request. Each of its mentions is hit by one rule at most, and each rule counts a request once. */
  take(api2, broker, mentions) {
    this.#rules = this.#rules.filter(({ isActive }) => isActive);
    if (this.#rules.length === 0) return NO_FAULTS;
    const byMention = /* @__PURE__ */ new Map();
    const met = /* @__PURE__ */ new Set();
    const rules3 = this.#rules.filter(({ options }) => options.api === api2 && (options.broker ?? broker) === broker);
    for (const mention of mentions.length === 0 ? [NO_MENTION] : mentions) {
      for (const rule of rules3.filter((candidate) => candidate.isFor(mention.topic, mention.partition))) {
        met.add(rule);
        if (rule.isWaiting) continue;
        byMention.set(keyOf2(mention), rule);
        break;
      }
    }
    for (const rule of met) rule.count();
    return new Faults(byMention);
  }
};
var NO_FAULTS = new Faults(/* @__PURE__ */ new Map());
var NO_MENTION = { topic: "", partition: null };
function keyOf2({ topic, partition }) {
  return `${partition ?? ""} ${topic}`;
}

// src/testing/api-handler.ts
function apiHandler(api2, parts) {
  const encode = parts.encode ?? ((response, version3, correlationId) => encodeResponseFrame(api2, version3, correlationId, response).chunks);
  return (request, { state, faults: list3, journal, clock }) => {
    const { nodeId, version: version3, correlationId, body: bytes2, session, refusal: refusal9 } = request;
    const body = decodeBody(api2, "request", version3, new Reader(bytes2, `${api2.name} v${version3} request`));
    const faults = refusal9 ?? list3.take(api2.name, nodeId, parts.mentions(body, { state, version: version3 }));
    if (faults.effect("closeBefore") === true) return { answer: "close", faults };
    const response = parts.handle(body, {
      ...{ state, nodeId, version: version3, faults, session, nowMs: clock.wallNow() },
      violation: (what) => journal.violation(nodeId, `${api2.name} v${version3}: ${what}`)
    });
    if (typeof response === "string") return { answer: response, faults };
    const throttleTimeMs = faults.effect("throttleMs") ?? 0;
    return { answer: encode({ ...response, throttleTimeMs }, version3, correlationId), faults };
  };
}

// src/testing/handle-api-versions.ts
var UNSUPPORTED_VERSION2 = 35;
var FIRST_VERSION_THAT_SAYS_WHICH = 3;
var SOFTWARE = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/;
var handleApiVersions = apiHandler(apiVersions, {
  mentions: () => [],
  handle({ clientSoftwareName, clientSoftwareVersion }, { state, version: version3, faults, session, violation }) {
    const isNamed = SOFTWARE.test(clientSoftwareName) && SOFTWARE.test(clientSoftwareVersion);
    if (version3 >= 3 && !isNamed) {
      violation(`client software ${JSON.stringify(clientSoftwareName)}, ${JSON.stringify(clientSoftwareVersion)}`);
      return { errorCode: INVALID_REQUEST2, apiKeys: [] };
    }
    if (faults.errorCode === 0) session.onVersions();
    return { errorCode: faults.errorCode, apiKeys: apiKeysOf(state) };
  },
  encode(response, version3, correlationId) {
    const isUnsupported = response.errorCode === UNSUPPORTED_VERSION2;
    return encodeResponseFrame(apiVersions, isUnsupported ? 0 : version3, correlationId, response).chunks;
  }
});
function refuseApiVersions(state, correlationId) {
  const [, newest] = state.served.get(apiVersions.key) ?? [0, 0];
  const saysWhich = newest >= FIRST_VERSION_THAT_SAYS_WHICH;
  const apiKeys = apiKeysOf(state).filter(({ apiKey }) => saysWhich && apiKey === apiVersions.key);
  return encodeResponseFrame(apiVersions, 0, correlationId, { errorCode: UNSUPPORTED_VERSION2, apiKeys }).chunks;
}
function apiKeysOf(state) {
  return [...state.served].map(([apiKey, [minVersion, maxVersion]]) => ({
    apiKey,
    minVersion,
    maxVersion
  }));
}

// src/testing/sasl/server-exchange.ts
var Refused = class extends Error {
  /** What the client is told; null: Kafka's words, which say nothing. */
  told;
  /** No client may say such a thing, whoever uses it. */
  isViolation;
  /** @param what for `violations`; holds nothing of what the client said. */
  constructor(what, { told = null, isViolation = false } = {}) {
    super(what);
    this.told = told;
    this.isViolation = isViolation;
  }
};
function refused5(told) {
  return new Refused(told, { told });
}
function malformed(what, told = null) {
  return new Refused(what, { told, isViolation: true });
}
var OTHER_AUTHORIZATION_ID = "Authentication failed: Client requested an authorization id that is different from username";
var NOTHING4 = new Uint8Array(0);

// src/testing/handle-sasl.ts
var handleSaslHandshake = apiHandler(saslHandshake, {
  mentions: () => [],
  handle({ mechanism: mechanism2 }, { session, faults, version: version3 }) {
    if (faults.errorCode === 0) return session.shake(mechanism2, version3);
    session.fail();
    return { errorCode: faults.errorCode, mechanisms: [] };
  }
});
var handleSaslAuthenticate = apiHandler(saslAuthenticate, {
  mentions: () => [],
  handle: ({ authBytes }, { session, faults }) => answerTo2(authBytes, session, faults)
});
function answerRawToken(token, nodeId, session, cluster2) {
  const faults = cluster2.faults.take("SaslAuthenticate", nodeId, []);
  if (faults.effect("closeBefore") === true) return { answer: "close", faults };
  const said = answerTo2(token, session, faults);
  if (said === "close" || said.errorCode !== 0) return { answer: "close", faults };
  const length = Buffer.alloc(4);
  length.writeInt32BE(said.authBytes.length);
  return { answer: [length, said.authBytes], faults };
}
function answerTo2(token, session, faults) {
  if (faults.errorCode !== 0) {
    session.fail();
    const errorMessage = faults.effect("errorMessage") ?? "";
    return { errorCode: faults.errorCode, errorMessage, authBytes: NOTHING4, sessionLifetimeMs: 0n };
  }
  const said = session.take(Buffer.from(token));
  const scripted = faults.effect("authBytes");
  if (scripted === void 0 || said === "close") return said;
  const authBytes = typeof scripted === "function" ? scripted(Buffer.from(said.authBytes)) : scripted;
  return { ...said, authBytes: Buffer.from(authBytes) };
}

// src/testing/handle-init-producer-id.ts
var NOBODY2 = { producerId: -1n, producerEpoch: -1, throttleTimeMs: 0 };
var handleInitProducerId = apiHandler(initProducerId, {
  mentions: () => [],
  handle({ transactionalId, producerId, producerEpoch }, { state, faults }) {
    const isHalfKnown = producerId < 0n !== producerEpoch < 0;
    if (faults.errorCode !== 0) return { errorCode: faults.errorCode, ...NOBODY2 };
    if (transactionalId === "" || isHalfKnown) return { errorCode: INVALID_REQUEST2, ...NOBODY2 };
    if (transactionalId !== null) return { errorCode: TRANSACTIONAL_ID_NOT_FOUND, ...NOBODY2 };
    return { errorCode: 0, producerId: state.newProducerId(), producerEpoch: 0, throttleTimeMs: 0 };
  }
});

// src/testing/options.ts
import { randomBytes as randomBytes5 } from "node:crypto";

// src/testing/served-apis.ts
var apis2 = [
  ...[produce, metadata, saslHandshake, apiVersions, initProducerId, saslAuthenticate]
];
var SASL_2 = { SaslHandshake: [0, 1], SaslAuthenticate: [0, 2] };
var SASL_1 = { SaslHandshake: [0, 1], SaslAuthenticate: [0, 0] };
var SASL_0 = { SaslHandshake: [0, 0], SaslAuthenticate: false };
var PLAYED = {
  "4.3": { Produce: [3, 13], Metadata: [0, 13], ApiVersions: [0, 4], InitProducerId: [0, 5], ...SASL_2 },
  "3.9": { Produce: [0, 11], Metadata: [0, 12], ApiVersions: [0, 4], InitProducerId: [0, 5], ...SASL_2 },
  "2.8": { Produce: [0, 9], Metadata: [0, 11], ApiVersions: [0, 3], InitProducerId: [0, 4], ...SASL_2 },
  "1.1": { Produce: [0, 5], Metadata: [0, 5], ApiVersions: [0, 1], InitProducerId: [0, 0], ...SASL_1 },
  "0.11": { Produce: [0, 3], Metadata: [0, 4], ApiVersions: [0, 1], InitProducerId: [0, 0], ...SASL_0 },
  "0.10.2": { Produce: [0, 2], Metadata: [0, 2], ApiVersions: [0, 0], InitProducerId: false, ...SASL_0 },
  "0.10.0": { Produce: [0, 2], Metadata: [0, 1], ApiVersions: [0, 0], InitProducerId: false, ...SASL_0 }
};
var PLAYED_KAFKAS = Object.keys(PLAYED);
var NEWEST_PLAYED_KAFKA = "4.3";
function checkApiVersions(given) {
  if (given === void 0) return { value: {} };
  if (typeof given !== "object" || given === null) return { expected: "an object of API names to [min, max] or false" };
  for (const [name2, range] of Object.entries(given)) {
    const api2 = apis2.find((candidate) => candidate.name === name2);
    if (api2 === void 0) return { problem: `apiVersions: there is no ${name2}; there are ${namesOf2(apis2)}` };
    if (range !== void 0 && range !== false && !isRange(range, api2)) {
      return {
        problem: `apiVersions: ${name2} must be [min, max] within ${api2.minVersion} to ${api2.maxVersion}, or false`
      };
    }
  }
  return { value: given };
}
function servedVersions(kafkaVersion, wanted) {
  const served = /* @__PURE__ */ new Map();
  for (const { name: name2, key } of apis2) {
    const range = wanted[name2] ?? PLAYED[kafkaVersion][name2];
    if (range !== false) served.set(key, range);
  }
  return served;
}
function isRange(value, { minVersion, maxVersion }) {
  const [min, max] = Array.isArray(value) ? value : [];
  return isVersion(min) && isVersion(max) && minVersion <= min && min <= max && max <= maxVersion;
}
function isVersion(value) {
  return typeof value === "number" && Number.isInteger(value);
}
function namesOf2(list3) {
  return list3.map(({ name: name2 }) => name2).join(", ");
}

// src/testing/sasl/sasl-options.ts
var MECHANISMS = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"];
var MAX_INT64 = 2n ** 63n - 1n;
var MAX_ITERATIONS = 1e6;
var table2 = {
  users: custom({
    ...{ type: "object", doc: "Name to password.", defaultText: "{}" },
    check: checkUsers
  }),
  mechanisms: custom({
    ...{ type: "list", doc: "What clients can choose from.", defaultText: "all" },
    check: checkMechanisms
  }),
  sessionLifetimeMs: custom({
    ...{ type: "integer", doc: "How long a login is good for.", defaultText: "0" },
    check: checkSessionLifetime
  }),
  verifyToken: custom({
    ...{ type: "function", doc: "Judges tokens.", defaultText: "-" },
    check(value) {
      if (value === void 0 || typeof value === "function") return { value };
      return { expected: "a function" };
    }
  }),
  iterations: int({ doc: "Of PBKDF2.", min: 1, max: MAX_ITERATIONS, default: 4096 })
};
function checkSaslOption(value) {
  if (value === void 0) return { value: null };
  try {
    return { value: resolve(value, { where: "sasl", table: table2 }) };
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    return { problem: error.message.replace(/^sasl: [A-Z_]+: /, "") };
  }
}
function userProblem(name2, password2) {
  if (typeof name2 !== "string" || name2 === "" || name2.includes("\0")) {
    return "a user name is a string that is not empty and has no NUL character";
  }
  const isFine = typeof password2 === "string" && password2 !== "" && !password2.includes("\0");
  return isFine ? null : `the password of ${JSON.stringify(name2)} must be a string that is not empty and has no NUL`;
}
function checkSessionLifetime(value) {
  if (value === void 0) return { value: 0n };
  const isWhole = typeof value === "bigint" || typeof value === "number" && Number.isSafeInteger(value);
  const lifetimeMs = isWhole ? BigInt(value) : -1n;
  return lifetimeMs >= 0n && lifetimeMs <= MAX_INT64 ? { value: lifetimeMs } : { expected: "milliseconds, a whole number from 0 to 2^63-1" };
}
function checkUsers(value) {
  if (value === void 0) return { value: /* @__PURE__ */ new Map() };
  if (typeof value !== "object" || value === null) return { problem: "users: expected an object of names to passwords" };
  for (const [name2, password2] of Object.entries(value)) {
    const problem3 = userProblem(name2, password2);
    if (problem3 !== null) return { problem: `users: ${problem3}` };
  }
  return { value: new Map(Object.entries(value)) };
}
function checkMechanisms(value) {
  if (value === void 0) return { value: MECHANISMS };
  const isKnown = (name2) => MECHANISMS.includes(name2);
  const isFine = Array.isArray(value) && value.length > 0 && value.every(isKnown);
  return isFine ? { value } : { expected: `a list of ${MECHANISMS.join(", ")}` };
}

// src/testing/tls-door.ts
import { createServer, TLSSocket } from "node:tls";

// src/testing/sasl/session.ts
var MIN_REAUTHENTICATION_MS = 1e3;
var UNSUPPORTED_SASL_MECHANISM3 = 33;
var ILLEGAL_SASL_STATE2 = 34;
var SASL_AUTHENTICATION_FAILED = 58;
var ANONYMOUS = "User:ANONYMOUS";
var Session = class {
  #parts;
  #state;
  #principal;
  #login = null;
  #last = null;
  #reauthenticatedAtMs = -Infinity;
  constructor(parts) {
    this.#parts = parts;
    this.#state = parts.sasl === null ? "in" : "fresh";
    this.#principal = parts.sasl === null ? parts.transportPrincipal : ANONYMOUS;
  }
  /** `User:alice`. */
  get principal() {
    return this.#principal;
  }
  get isIn() {
    return this.#state === "in";
  }
  /** What is being answered is the last thing that is said. */
  get isOver() {
    return this.#state === "over";
  }
  /** What comes next is a token behind its length, and no request. */
  get takesRawTokens() {
    return this.#state === "shaken" && this.#login?.isRaw === true;
  }
  admit(api2) {
    switch (this.#state) {
      case "fresh":
      case "asked":
        if (api2 === "SaslHandshake" || api2 === "ApiVersions" && this.#state === "fresh") return "handle";
        if (api2 === "ApiVersions" || api2 === "SaslAuthenticate") this.#parts.violation(`${api2} out of turn`);
        return this.#illegal("close");
      case "shaken":
        if (api2 === "SaslAuthenticate") return "handle";
        this.#parts.violation(`${api2} in the middle of a login`);
        return this.#illegal("refuse");
      case "in":
        if (!this.#isExpired || api2 === "SaslHandshake" && this.#canReauthenticate) return "handle";
        this.#parts.note("expired");
        this.end();
        return "close";
      case "over":
        return "close";
    }
  }
  /** ApiVersions was answered, and not with an error. */
  onVersions() {
    if (this.#state === "fresh") this.#state = "asked";
  }
  /** SaslHandshake. */
  shake(mechanism2, version3) {
    const { sasl, clock } = this.#parts;
    const isAgain = this.#state === "in";
    if (sasl === null || isAgain && !this.#canReauthenticate) {
      if (sasl !== null) this.#parts.violation("SaslHandshake within a second of the last, or without need");
      this.#parts.note("illegal");
      return { errorCode: ILLEGAL_SASL_STATE2, mechanisms: [] };
    }
    if (isAgain) this.#reauthenticatedAtMs = clock.now();
    const { mechanisms } = sasl;
    const known = mechanisms.find((name2) => name2 === mechanism2);
    if (known === void 0) {
      this.#parts.note("refused");
      this.end();
      return isAgain ? "close" : { errorCode: UNSUPPORTED_SASL_MECHANISM3, mechanisms };
    }
    this.#login = { mechanism: known, isRaw: version3 === 0, isAgain, exchange: null };
    this.#state = "shaken";
    return { errorCode: 0, mechanisms };
  }
  /** A token, in SaslAuthenticate or raw. */
  take(said) {
    const login2 = this.#login;
    const { sasl } = this.#parts;
    if (this.#state !== "shaken" || login2 === null || sasl === null) return this.#outOfTurn();
    if (login2.isAgain && login2.mechanism !== this.#last?.mechanism) return this.#otherMechanism();
    try {
      const step = login2.exchange === null ? this.#begin(login2, said, sasl) : login2.exchange.next(said);
      if (step.done !== true) return { errorCode: 0, errorMessage: "", authBytes: step.value, sessionLifetimeMs: 0n };
      return this.#enter(login2, step.value, sasl);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return this.#refuse(login2, error);
    }
  }
  /** A test lets the login fail. */
  fail() {
    this.#parts.note("refused");
    this.end();
  }
  /** Nothing more is read. */
  end() {
    this.#state = "over";
  }
  #begin(login2, said, sasl) {
    login2.exchange = sasl.begin(login2.mechanism, said);
    return login2.exchange.next();
  }
  #enter(login2, { name: name2, answer, expiresAtMs }, sasl) {
    const { clock, note } = this.#parts;
    const principal = `User:${name2}`;
    if (login2.isAgain && principal !== this.#principal) {
      const [from, to] = [this.#principal, principal].map((shown) => shown.replace(":", "."));
      throw refused5(`Cannot change principals during re-authentication from ${from}: ${to}`);
    }
    const lifetimeMs = shorter(sasl.sessionLifetimeMs, expiresAtMs === void 0 ? null : expiresAtMs - clock.wallNow());
    this.#last = { mechanism: login2.mechanism, endMs: lifetimeMs === null ? null : clock.now() + Number(lifetimeMs) };
    this.#principal = principal;
    this.#login = null;
    this.#state = "in";
    note(login2.isAgain ? "reauthentications" : "logins");
    return { errorCode: 0, errorMessage: "", authBytes: answer, sessionLifetimeMs: lifetimeMs ?? 0n };
  }
  #refuse({ mechanism: mechanism2, isAgain }, { message, told, isViolation }) {
    const { note, violation } = this.#parts;
    const when = isAgain ? "re-authentication" : "authentication";
    const errorMessage = told ?? `Authentication failed during ${when} due to invalid credentials with SASL mechanism ${mechanism2}`;
    if (isViolation) violation(`${mechanism2}: ${message}`);
    note("refused");
    this.end();
    return { ...FAILED, errorCode: SASL_AUTHENTICATION_FAILED, errorMessage };
  }
  #outOfTurn() {
    const { note, violation, sasl } = this.#parts;
    if (sasl !== null) violation("SaslAuthenticate without SaslHandshake");
    note("illegal");
    const errorMessage = "SaslAuthenticate request received after successful authentication";
    return { ...FAILED, errorCode: ILLEGAL_SASL_STATE2, errorMessage };
  }
  /** Kafka hangs up without a word. */
  #otherMechanism() {
    this.#parts.violation("another mechanism than in the first login");
    this.#parts.note("refused");
    this.end();
    return "close";
  }
  #illegal(admission) {
    this.#parts.note("illegal");
    this.end();
    return admission;
  }
  get #isExpired() {
    const endMs = this.#last?.endMs ?? null;
    return endMs !== null && this.#parts.clock.now() > endMs;
  }
  /** Only where the session has an end, and not twice within a second. */
  get #canReauthenticate() {
    const endMs = this.#last?.endMs ?? null;
    return endMs !== null && this.#parts.clock.now() - this.#reauthenticatedAtMs >= MIN_REAUTHENTICATION_MS;
  }
};
var FAILED = { authBytes: NOTHING4, sessionLifetimeMs: 0n };
function shorter(sessionLifetimeMs, leftMs) {
  const left = leftMs === null || !Number.isFinite(leftMs) ? null : BigInt(Math.max(0, Math.floor(leftMs)));
  if (sessionLifetimeMs === 0n) return left;
  return left === null || sessionLifetimeMs < left ? sessionLifetimeMs : left;
}

// src/testing/self-signed.ts
import { generateKeyPairSync, randomBytes as randomBytes4, sign as sign2 } from "node:crypto";
import { isIP as isIP8, isIPv4 } from "node:net";
var TAG2 = {
  ...{ integer: 2, bitString: 3, octetString: 4, oid: 6, utf8: 12, utcTime: 23 },
  ...{ sequence: 48, set: 49, version: 160, extensions: 163, dnsName: 130, address: 135 }
};
var ECDSA_WITH_SHA256 = Buffer.from("2a8648ce3d040302", "hex");
var COMMON_NAME = Buffer.from("550403", "hex");
var SUBJECT_ALT_NAME = Buffer.from("551d11", "hex");
var EXTENDED_KEY_USAGE = Buffer.from("551d25", "hex");
var SERVER_AUTH = Buffer.from("2b06010505070301", "hex");
var DAY_MS4 = 864e5;
var LIFE_DAYS = 3650;
function selfSigned2(names) {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const algorithm = der(TAG2.sequence, der(TAG2.oid, ECDSA_WITH_SHA256));
  const name2 = der(
    TAG2.sequence,
    der(TAG2.set, der(TAG2.sequence, der(TAG2.oid, COMMON_NAME), der(TAG2.utf8, Buffer.from("headrace TestCluster"))))
  );
  const now = Date.now();
  const signed2 = der(
    TAG2.sequence,
    der(TAG2.version, der(TAG2.integer, Buffer.of(2))),
    der(TAG2.integer, Buffer.concat([Buffer.of(64), randomBytes4(15)])),
    algorithm,
    name2,
    der(TAG2.sequence, utcTime(now - DAY_MS4), utcTime(now + LIFE_DAYS * DAY_MS4)),
    name2,
    publicKey.export({ type: "spki", format: "der" }),
    der(TAG2.extensions, der(TAG2.sequence, alternativeNames(names), keyUsage()))
  );
  const signature = sign2("sha256", signed2, privateKey);
  const certificate = der(TAG2.sequence, signed2, algorithm, der(TAG2.bitString, Buffer.of(0), signature));
  return { cert: pem(certificate), key: privateKey.export({ type: "pkcs8", format: "pem" }).toString() };
}
function alternativeNames(names) {
  const parts = [...new Set(names)].map(
    (name2) => isIP8(name2) === 0 ? der(TAG2.dnsName, Buffer.from(name2)) : der(TAG2.address, addressBytes(name2))
  );
  return extension(SUBJECT_ALT_NAME, der(TAG2.sequence, ...parts));
}
function keyUsage() {
  return extension(EXTENDED_KEY_USAGE, der(TAG2.sequence, der(TAG2.oid, SERVER_AUTH)));
}
function extension(id, value) {
  return der(TAG2.sequence, der(TAG2.oid, id), der(TAG2.octetString, value));
}
function utcTime(ms) {
  const digits = new Date(ms).toISOString().replaceAll(/\D/g, "");
  return der(TAG2.utcTime, Buffer.from(`${digits.slice(2, 14)}Z`));
}
function addressBytes(address) {
  if (isIPv4(address)) return Buffer.from(address.split(".").map(Number));
  const [head = "", tail = ""] = address.split("::");
  const [left, right] = [head, tail].map((part) => part === "" ? [] : part.split(":"));
  const zeros = Array(8 - left.length - right.length).fill("0");
  return Buffer.from([...left, ...zeros, ...right].map((group) => group.padStart(4, "0")).join(""), "hex");
}
function der(tag, ...parts) {
  const contents = Buffer.concat(parts);
  const { length } = contents;
  const digits = [];
  for (let rest = length; rest > 0; rest >>>= 8) digits.unshift(rest & 255);
  const lengthBytes = length < 128 ? [length] : [128 | digits.length, ...digits];
  return Buffer.concat([Buffer.of(tag, ...lengthBytes), contents]);
}
function pem(certificate) {
  const lines = certificate.toString("base64").match(/.{1,64}/g) ?? [];
  return ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join("\n");
}

// src/testing/tls-door.ts
var TlsDoor = class {
  #server;
  constructor(options, onSecure) {
    this.#server = createServer(options, onSecure);
  }
  /** `onSecure` is called when the handshake is done, if it succeeds. Whom it does not let in is told by TLS itself. */
  enter(raw) {
    raw.on("error", ignore2);
    this.#server.emit("connection", raw);
  }
};
function checkTls2(value) {
  if (value === void 0 || value === false) return { value: null };
  if (value === true) return { value: {} };
  if (typeof value !== "object" || value === null) return { expected: "true, or an object as node:tls takes it" };
  const { cert, key } = value;
  if (cert === void 0 !== (key === void 0)) return { problem: "tls: cert and key belong together" };
  try {
    createServer(value);
  } catch (error) {
    return { problem: `tls: ${error instanceof Error ? error.message : String(error)}` };
  }
  return { value };
}
function withCertificate(options, host) {
  if (options.cert !== void 0 || options.pfx !== void 0) return { tls: options, ca: void 0 };
  const own2 = selfSigned2([host, "localhost", "127.0.0.1", "::1"]);
  return { tls: { ...options, ...own2 }, ca: own2.cert };
}
function principalOf2(socket) {
  const certificate = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : void 0;
  if (certificate === void 0) return ANONYMOUS;
  return `User:${certificate.subject.split("\n").reverse().join(",")}`;
}
function ignore2() {
  return void 0;
}

// src/testing/transport.ts
import { once } from "node:events";
import { createServer as createServer2 } from "node:net";
var tcpTransport = {
  async listen(_nodeId, host, port, onConnection) {
    const server = createServer2({ noDelay: true }, onConnection);
    server.listen({ host, port });
    await once(server, "listening");
    return {
      port: server.address().port,
      close: async () => {
        const closed2 = once(server, "close");
        server.close();
        await closed2;
      }
    };
  }
};

// src/testing/options.ts
var MAX_BROKERS = 100;
var MAX_PARTITIONS = 1e5;
var MAX_INT324 = 2 ** 31 - 1;
var TEST_CLUSTER_OPTIONS = Object.freeze({
  brokers: int({ doc: "How many brokers.", min: 1, max: MAX_BROKERS, default: 1 }),
  topics: custom({
    type: "object of topic names to partition counts or topic options",
    doc: "Topics to begin with.",
    defaultText: "{}",
    check: checkTopics
  }),
  autoCreateTopics: bool({ doc: "Makes topics that are asked for.", default: true }),
  defaultPartitions: int({ doc: "Partitions of topics made so.", min: 1, max: MAX_PARTITIONS, default: 1 }),
  host: text({ doc: "Where to listen.", default: "127.0.0.1" }),
  port: int({ doc: "Port of the first broker; 0: any.", min: 0, max: 65535, default: 0 }),
  ports: custom({
    type: "list of ports",
    doc: "A port for each broker.",
    defaultText: "-",
    check(value) {
      if (value === void 0) return { value: [] };
      const isFine = Array.isArray(value) && value.every((port) => isInteger(port, 0, 65535));
      return isFine ? { value } : { expected: "a list of ports" };
    }
  }),
  maxMessageBytes: int({ doc: "Longest record batch.", min: 1, max: MAX_INT324, default: 1048588 }),
  kafkaVersion: custom({
    type: PLAYED_KAFKAS.map((version3) => `'${version3}'`).join(", "),
    doc: "Plays an older Kafka.",
    defaultText: `'${NEWEST_PLAYED_KAFKA}'`,
    check(value = NEWEST_PLAYED_KAFKA) {
      const version3 = PLAYED_KAFKAS.find((candidate) => candidate === value);
      return version3 === void 0 ? { expected: `one of ${PLAYED_KAFKAS.join(", ")}` } : { value: version3 };
    }
  }),
  apiVersions: custom({
    type: "object of API names to [min, max] or false",
    doc: "Versions of single APIs.",
    defaultText: "{}",
    check: checkApiVersions
  }),
  minInsyncReplicas: int({ doc: "Replicas that a write needs.", min: 1, max: MAX_BROKERS, default: 1 }),
  connectionsMaxIdleMs: int({
    ...{ doc: "Closes idle connections.", min: 1, max: MAX_INT324, default: Infinity, allowInfinity: true }
  }),
  clusterId: custom({
    type: "string",
    doc: "What the cluster says it is.",
    defaultText: "random",
    check(value = randomBytes5(16).toString("base64url")) {
      return typeof value === "string" && value !== "" ? { value } : { expected: "a string that is not empty" };
    }
  }),
  keepRecords: bool({ doc: "Keeps the records.", default: true }),
  tls: custom({
    ...{ type: "options of node:tls", doc: "The brokers speak TLS.", defaultText: "-", check: checkTls2 }
  }),
  sasl: custom({
    ...{ type: "object", doc: "Clients have to log in.", defaultText: "-", check: checkSaslOption }
  }),
  clock: custom({
    type: "Clock",
    doc: "Time.",
    defaultText: "-",
    check: (value) => ({ value: value ?? systemClock })
  }),
  transport: custom({
    type: "Transport",
    doc: "The network.",
    defaultText: "-",
    check: (value) => ({ value: value ?? tcpTransport })
  })
});
function resolveTestClusterOptions(input) {
  return resolve(input, {
    where: "TestCluster",
    table: TEST_CLUSTER_OPTIONS,
    rules: [
      [
        ({ ports, brokers }) => ports.length === 0 || ports.length === brokers,
        ({ ports, brokers }) => `ports: ${ports.length} for ${brokers} brokers`
      ],
      [
        ({ port, brokers }) => port === 0 || port + brokers - 1 <= 65535,
        ({ port, brokers }) => `port: ${port} leaves no room for ${brokers} brokers`
      ]
    ]
  });
}
function checkTopic2(name2, given) {
  if (!isTopicName(name2)) return { problem: `topic ${JSON.stringify(name2.slice(0, 60))}: not a legal topic name` };
  const topic = typeof given === "number" ? { partitions: given } : given ?? {};
  const { partitions, replicationFactor = 1, timestampType, maxMessageBytes } = topic;
  if (!isInteger(partitions, 1, MAX_PARTITIONS)) return { problem: `topic ${name2}: partitions must be 1 or more` };
  if (!isInteger(replicationFactor, 1, MAX_BROKERS)) {
    return { problem: `topic ${name2}: replicationFactor must be 1 or more` };
  }
  return { value: { partitions, replicationFactor, timestampType, maxMessageBytes } };
}
function isTopicName(name2) {
  return /^[\w.-]{1,249}$/.test(name2) && name2 !== "." && name2 !== "..";
}
function checkTopics(value) {
  if (value === void 0) return { value: /* @__PURE__ */ new Map() };
  if (typeof value !== "object" || value === null) return { expected: "an object" };
  const topics2 = /* @__PURE__ */ new Map();
  for (const [name2, given] of Object.entries(value)) {
    const checked = checkTopic2(name2, given);
    if (!("value" in checked)) return checked;
    topics2.set(name2, checked.value);
  }
  return { value: topics2 };
}
function isInteger(value, min, max) {
  return typeof value === "number" && Number.isInteger(value) && value >= min && value <= max;
}

// src/testing/handle-metadata.ts
var FIRST_VERSION_WITH_IDS = 12;
var handleMetadata = apiHandler(metadata, {
  mentions: ({ topics: topics2 }, { state, version: version3 }) => {
    const asked = isForAll(topics2, version3) ? state.topics : (topics2 ?? []).map((topic) => nameOf(topic, state));
    return asked.map((topic) => ({ topic: topic.name ?? "", partition: null }));
  },
  handle(request, context) {
    const { state, version: version3, faults, nodeId } = context;
    const isAll = isForAll(request.topics, version3);
    const topics2 = isAll ? state.topics.map((topic) => describe4(topic, context)) : (request.topics ?? []).map((topic) => answerFor(topic, request.allowAutoTopicCreation, context));
    return {
      brokers: state.liveBrokers.map(({ nodeId: id, host, port }) => ({ nodeId: id, host, port })),
      clusterId: state.options.clusterId,
      controllerId: state.liveBrokers[0]?.nodeId ?? nodeId,
      topics: topics2,
      errorCode: faults.errorCode
    };
  }
});
function isForAll(topics2, version3) {
  return topics2 === null || version3 === 0 && topics2.length === 0;
}
function nameOf({ name: name2, topicId }, state) {
  return { name: name2 ?? state.topicById(topicId)?.name ?? null };
}
function answerFor({ name: name2, topicId }, isCreationAllowed, context) {
  const { state, version: version3 } = context;
  if (name2 === null) {
    if (version3 < FIRST_VERSION_WITH_IDS) throw notTheProtocol(`Metadata v${version3} asks for a topic without a name`);
    const topic2 = state.topicById(topicId);
    return topic2 === void 0 ? missing3(null, topicId, UNKNOWN_TOPIC_ID) : describe4(topic2, context);
  }
  if (!isTopicName(name2)) return missing3(name2, ZERO_UUID, INVALID_TOPIC_EXCEPTION);
  const { autoCreateTopics, defaultPartitions } = state.options;
  const isCreated = isCreationAllowed && autoCreateTopics && context.faults.errorCodeFor(name2, null) === 0;
  const topic = state.topic(name2) ?? (isCreated ? state.createTopic(name2, { partitions: defaultPartitions }) : void 0);
  if (topic !== void 0) return describe4(topic, context);
  return missing3(name2, ZERO_UUID, context.faults.errorCodeFor(name2, null) || UNKNOWN_TOPIC_OR_PARTITION);
}
function describe4(topic, { state, faults }) {
  const errorCode = faults.errorCodeFor(topic.name, null);
  if (errorCode !== 0) return missing3(topic.name, topic.id, errorCode);
  const partitions = topic.partitions.map((partition) => describePartition(partition, state));
  return { errorCode: 0, name: topic.name, topicId: topic.id, partitions };
}
function describePartition(partition, state) {
  const { index, leader, leaderEpoch, replicas } = partition;
  const isr = state.inSyncReplicas(partition);
  return {
    errorCode: leader < 0 ? LEADER_NOT_AVAILABLE : 0,
    partitionIndex: index,
    leaderId: leader,
    leaderEpoch,
    replicaNodes: replicas,
    isrNodes: isr,
    offlineReplicas: replicas.filter((id) => !isr.includes(id))
  };
}
function missing3(name2, topicId, errorCode) {
  return { errorCode, name: name2, topicId, partitions: [] };
}
function notTheProtocol(what) {
  return new ProtocolError("INVALID_VALUE", `TestCluster: INVALID_VALUE: ${what}`);
}

// src/compression/decompress.ts
function decompress(id, bytes2, maxOutputBytes, options = {}) {
  switch (id) {
    case 1:
      return decompressGzip(bytes2, maxOutputBytes);
    case 2:
      return decompressSnappy(bytes2, maxOutputBytes);
    case 3:
      return decompressLz4(bytes2, maxOutputBytes, options);
    case 4:
      return decompressZstd(bytes2, maxOutputBytes);
  }
}

// src/testing/decompress.ts
var MAX_OUTPUT_BYTES = 256 * 1024 * 1024;
function decompress2(codec, records2, magic = 2) {
  return codec === 0 ? records2 : decompress(codec, records2, MAX_OUTPUT_BYTES, { allowKip57Checksum: magic === 0 });
}

// src/testing/walk-records.ts
var next = 0;
function walkRecords(bytes2, start, count3) {
  let at = start;
  let maxTimestampDelta = -Infinity;
  for (let index = 0; index < count3; index++) {
    const length = varint(bytes2, at);
    if (!(length >= MIN_RECORD_BYTES - 1 && length <= bytes2.length - next)) {
      return { problem: `length ${length}`, index, maxTimestampDelta };
    }
    const end = next + length;
    const timestampDelta = varlong(bytes2, next + 1);
    if (timestampDelta > maxTimestampDelta) maxTimestampDelta = timestampDelta;
    const offsetDelta = varint(bytes2, next);
    if (offsetDelta !== index) return { problem: `offset delta ${offsetDelta}`, index, maxTimestampDelta };
    const keyEnd = fieldEnd(bytes2, next);
    const valueEnd = fieldEnd(bytes2, keyEnd);
    at = headersEnd(bytes2, valueEnd, end);
    if (at !== end) return { problem: `fields that do not fill its ${length} bytes`, index, maxTimestampDelta };
  }
  const restBytes = bytes2.length - at;
  const problem3 = restBytes === 0 ? null : `${restBytes} bytes after the last record`;
  return { problem: problem3, index: count3, maxTimestampDelta };
}
function fieldEnd(bytes2, at) {
  const length = varint(bytes2, at);
  return length >= -1 ? next + Math.max(length, 0) : NaN;
}
function headersEnd(bytes2, start, end) {
  const count3 = varint(bytes2, start);
  let at = next;
  if (!(count3 >= 0 && count3 <= (end - at) / 2)) return NaN;
  for (let i = 0; i < count3; i++) {
    const nameLength = varint(bytes2, at);
    if (!(nameLength >= 0)) return NaN;
    at = fieldEnd(bytes2, next + nameLength);
  }
  return at;
}
function varint(bytes2, start) {
  const first = bytes2[start] ?? NaN;
  if (first < 128) {
    next = start + 1;
    return first >>> 1 ^ -(first & 1);
  }
  const value = varlong(bytes2, start);
  return value >= -(2 ** 31) && value < 2 ** 31 ? value : NaN;
}
function varlong(bytes2, start) {
  let raw = 0;
  let weight = 1;
  for (let at = start; at < start + 10; at++) {
    const byte3 = bytes2[at] ?? NaN;
    raw += (byte3 & 127) * weight;
    if (byte3 < 128) {
      next = at + 1;
      return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2;
    }
    weight *= 128;
  }
  next = NaN;
  return NaN;
}

// src/testing/check-batch.ts
var ZSTD2 = 4;
var FIRST_VERSION_WITH_ZSTD = 7;
var HEADER_BYTES3 = 61;
var LENGTH_END2 = 12;
var CRC_START3 = 21;
function checkBatch(bytes2, version3, maxMessageBytes) {
  const framing = checkFraming(bytes2 ?? Buffer.alloc(0), maxMessageBytes);
  if (framing !== null) return { refusal: framing };
  const batch = bytes2 ?? Buffer.alloc(0);
  const header = decodeRecordBatchHeader(batch);
  const meaning = checkHeader2(batch, header, version3);
  if (meaning !== null) return { refusal: meaning };
  const walk2 = walkOf(batch, header);
  if (walk2.problem !== null)
    return { refusal: refuse3(INVALID_RECORD, `record ${walk2.index}: ${walk2.problem}`, walk2.index) };
  const isKnown = Number.isFinite(walk2.maxTimestampDelta);
  return { header, maxTimestamp: isKnown ? header.baseTimestamp + BigInt(walk2.maxTimestampDelta) : header.maxTimestamp };
}
function checkFraming(batch, maxMessageBytes) {
  if (batch.length <= 16) return refuse3(INVALID_RECORD, `no record batch in ${batch.length} bytes`);
  const batchLength = batch.readInt32BE(8);
  if (batchLength < HEADER_BYTES3 - LENGTH_END2) return refuse3(CORRUPT_MESSAGE, `batchLength ${batchLength}`);
  const sizeBytes = LENGTH_END2 + batchLength;
  if (sizeBytes > batch.length) {
    return refuse3(INVALID_RECORD, `${batch.length} bytes of a record batch of ${sizeBytes} bytes`);
  }
  const magic = batch.readInt8(16);
  if (magic !== 2) return refuse3(INVALID_RECORD, `magic ${magic}, only 2 can be produced`);
  if (sizeBytes < batch.length) {
    return refuse3(INVALID_RECORD, `${batch.length - sizeBytes} bytes after the one record batch that is allowed`);
  }
  if (sizeBytes > maxMessageBytes) {
    const message = `a record batch of ${sizeBytes} bytes is over max.message.bytes (${maxMessageBytes})`;
    return { errorCode: MESSAGE_TOO_LARGE, message, isViolation: false };
  }
  const crc = crc32c(batch, CRC_START3);
  return crc === batch.readUInt32BE(17) ? null : refuse3(CORRUPT_MESSAGE, "the CRC-32C does not fit the bytes");
}
function checkHeader2(batch, header, version3) {
  const { baseOffset, codec, isControl, lastOffsetDelta, producerId, producerEpoch, baseSequence, recordCount } = header;
  if (baseOffset !== 0n) return refuse3(INVALID_RECORD, `baseOffset ${baseOffset}, must be 0`);
  if (recordCount < 1) return refuse3(INVALID_RECORD, `recordCount ${recordCount}`);
  if (lastOffsetDelta !== recordCount - 1) {
    return refuse3(INVALID_RECORD, `lastOffsetDelta ${lastOffsetDelta} of ${recordCount} records`);
  }
  if (isControl) return refuse3(INVALID_RECORD, "a control batch, which no client may write");
  if (producerId >= 0n && (producerEpoch < 0 || baseSequence < 0)) {
    return refuse3(INVALID_RECORD, `epoch ${producerEpoch}, sequence ${baseSequence} of producer id ${producerId}`);
  }
  if (codec > ZSTD2 || codec === ZSTD2 && version3 < FIRST_VERSION_WITH_ZSTD) {
    return refuse3(UNSUPPORTED_COMPRESSION_TYPE, `codec ${codec} in Produce v${version3}`);
  }
  return batch.length > HEADER_BYTES3 ? null : refuse3(INVALID_RECORD, `no bytes for ${recordCount} records`);
}
function walkOf(batch, { codec, recordCount }) {
  if (codec === 0) return walkRecords(batch, HEADER_BYTES3, recordCount);
  try {
    return walkRecords(decompress2(codec, batch.subarray(HEADER_BYTES3)), 0, recordCount);
  } catch (error) {
    return { problem: `cannot be decompressed: ${String(error)}`, index: 0, maxTimestampDelta: NaN };
  }
}
function refuse3(errorCode, what, batchIndex) {
  const message = `${errorByCode(errorCode).name}: ${what}`;
  return { errorCode, message, isViolation: true, ...batchIndex === void 0 ? {} : { batchIndex } };
}

// src/testing/check-message-set.ts
var FIRST_VERSION_WITH_MAGIC_1 = 2;
var SIZE_END2 = 12;
function checkMessageSet(bytes2, version3, maxMessageBytes) {
  if (bytes2 === null || bytes2.length === 0) return refuse4(CORRUPT_MESSAGE, "no messages");
  const messages = decode(bytes2);
  if (!Array.isArray(messages)) return refuse4(CORRUPT_MESSAGE, messages);
  const maxMagic = version3 >= FIRST_VERSION_WITH_MAGIC_1 ? 1 : 0;
  const tooNew = messages.find(({ magic }) => magic > maxMagic);
  if (tooNew !== void 0) return refuse4(CORRUPT_MESSAGE, `magic ${tooNew.magic} in Produce v${version3}`);
  const wrong = messages.findIndex(({ offset }, i) => offset !== BigInt(i));
  if (wrong >= 0) return refuse4(CORRUPT_MESSAGE, `offset ${messages[wrong]?.offset ?? -1n} of message ${wrong}`);
  const largest = largestOf(bytes2);
  if (largest <= maxMessageBytes) return { messages };
  const message = `a message of ${largest} bytes is over max.message.bytes (${maxMessageBytes})`;
  return { refusal: { errorCode: MESSAGE_TOO_LARGE, message, isViolation: false } };
}
function decode(bytes2) {
  try {
    return decodeMessageSet(bytes2, { decompress: decompress2 });
  } catch (error) {
    return String(error);
  }
}
function largestOf(bytes2) {
  let largest = 0;
  for (let at = 0; at < bytes2.length; ) {
    const size = SIZE_END2 + bytes2.readInt32BE(at + 8);
    largest = Math.max(largest, size);
    at += size;
  }
  return largest;
}
function refuse4(errorCode, what) {
  return { refusal: { errorCode, message: `${errorByCode(errorCode).name}: ${what}`, isViolation: true } };
}

// src/testing/leader-hints.ts
var LeaderHints = class {
  #state;
  #brokers = /* @__PURE__ */ new Map();
  constructor(state) {
    this.#state = state;
  }
  get endpoints() {
    return [...this.#brokers.values()].map(({ nodeId, host, port }) => ({ nodeId, host, port }));
  }
  add({ leader, leaderEpoch }) {
    const broker = this.#state.liveBroker(leader);
    if (broker !== void 0) this.#brokers.set(leader, broker);
    return { leaderId: leader, leaderEpoch };
  }
};

// src/testing/handle-produce.ts
var FIRST_VERSION_WITH_RECORD_BATCHES = 3;
var FIRST_VERSION_WITH_LEADER_HINTS = 10;
var FIRST_VERSION_WITH_IDS2 = 13;
var NO_BYTES3 = Buffer.alloc(0);
var handleProduce = apiHandler(produce, {
  mentions: ({ topicData }, { state, version: version3 }) => topicData.flatMap((topic) => {
    const name2 = find(topic, state, version3)?.name ?? topic.name;
    return topic.partitionData.map(({ index }) => ({ topic: name2, partition: index }));
  }),
  handle(request, context) {
    const { version: version3 } = context;
    checkRequest(request, version3);
    const hints = new LeaderHints(context.state);
    const responses = request.topicData.map((data) => {
      const topic = find(data, context.state, version3);
      const write = new TopicWrite(data.name, topic, request.acks, context, hints);
      return {
        ...version3 >= FIRST_VERSION_WITH_IDS2 ? { topicId: data.topicId } : { name: data.name },
        partitionResponses: data.partitionData.map((partition) => write.partition(partition))
      };
    });
    if (request.acks === 0) {
      return responses.every((topic) => topic.partitionResponses.every(({ errorCode }) => errorCode === 0)) ? "none" : "close";
    }
    return { responses, ...version3 >= FIRST_VERSION_WITH_LEADER_HINTS ? { nodeEndpoints: hints.endpoints } : {} };
  }
});
function checkRequest({ topicData }, version3) {
  const seen = /* @__PURE__ */ new Set();
  for (const { name: name2, topicId, partitionData } of topicData) {
    for (const { index } of partitionData) seen.add(`${version3 >= FIRST_VERSION_WITH_IDS2 ? topicId : name2} ${index}`);
  }
  const count3 = topicData.reduce((sum2, { partitionData }) => sum2 + partitionData.length, 0);
  if (seen.size === count3) return;
  throw new ProtocolError("INVALID_VALUE", `TestCluster: INVALID_VALUE: Produce v${version3} names a partition twice`);
}
function find(data, state, version3) {
  return version3 >= FIRST_VERSION_WITH_IDS2 ? state.topicById(data.topicId) : state.topic(data.name);
}
var TopicWrite = class {
  #name;
  #topic;
  #acks;
  #context;
  #hints;
  constructor(name2, topic, acks, context, hints) {
    this.#name = topic?.name ?? name2;
    this.#topic = topic;
    this.#acks = acks;
    this.#context = context;
    this.#hints = hints;
  }
  partition({ index, records: records2 }) {
    const { faults, nodeId, version: version3, violation, state } = this.#context;
    const injected2 = faults.errorCodeFor(this.#name, index);
    if (injected2 !== 0 && !faults.isWritten(this.#name, index)) return this.#refusal(index, injected2);
    if (![-1, 0, 1].includes(this.#acks)) {
      violation(`acks ${this.#acks}`);
      return this.#refusal(index, INVALID_REQUIRED_ACKS);
    }
    const partition = this.#topic?.partitions[index];
    if (this.#topic === void 0 || partition === void 0) {
      const isUnknownId = this.#topic === void 0 && version3 >= FIRST_VERSION_WITH_IDS2;
      return this.#refusal(index, isUnknownId ? UNKNOWN_TOPIC_ID : UNKNOWN_TOPIC_OR_PARTITION);
    }
    if (partition.leader !== nodeId) return this.#refusal(index, NOT_LEADER_OR_FOLLOWER);
    if (this.#acks === -1 && state.inSyncReplicas(partition).length < state.options.minInsyncReplicas) {
      return this.#refusal(index, NOT_ENOUGH_REPLICAS);
    }
    if (!faults.isWritten(this.#name, index))
      return { index, errorCode: 0, baseOffset: BigInt(partition.log.endOffset) };
    const answer = this.#append(this.#topic, partition, records2);
    return injected2 === 0 ? answer : this.#refusal(index, injected2);
  }
  #append(topic, partition, records2) {
    const { nowMs, version: version3 } = this.#context;
    const bytes2 = records2 === null ? null : Buffer.from(records2.buffer, records2.byteOffset, records2.byteLength);
    const timeMs = topic.hasLogAppendTime ? nowMs : null;
    const written = version3 < FIRST_VERSION_WITH_RECORD_BATCHES ? this.#appendMessageSet(topic, partition, bytes2, timeMs) : this.#appendBatch(topic, partition, bytes2, timeMs);
    if ("errorCode" in written) return this.#refused(partition.index, written);
    const { baseOffset, logAppendTimeMs } = written;
    const time = logAppendTimeMs === null ? {} : { logAppendTimeMs };
    const { index, log } = partition;
    return { index, errorCode: 0, baseOffset, logStartOffset: BigInt(log.startOffset), ...time };
  }
  #appendBatch(topic, partition, batch, timeMs) {
    const { version: version3, violation } = this.#context;
    const checked = checkBatch(batch, version3, topic.maxMessageBytes);
    if ("refusal" in checked) return checked.refusal;
    const { header, maxTimestamp } = checked;
    if (maxTimestamp !== header.maxTimestamp) {
      const what = `maxTimestamp ${header.maxTimestamp}, the records have ${maxTimestamp}`;
      violation(`${topic.name}-${partition.index}: ${what}`);
    }
    const verdict = partition.log.judge(header);
    if (verdict.kind === "refuse") return { ...verdict, isViolation: false };
    if (verdict.kind === "duplicate") {
      const { baseOffset: baseOffset2, maxTimestamp: logAppendTimeMs } = verdict.batch;
      return { baseOffset: BigInt(baseOffset2), logAppendTimeMs };
    }
    const baseOffset = partition.log.append(batch ?? NO_BYTES3, header, partition.leaderEpoch, timeMs);
    return { baseOffset, logAppendTimeMs: timeMs === null ? null : BigInt(timeMs) };
  }
  #appendMessageSet(topic, { log }, bytes2, timeMs) {
    const checked = checkMessageSet(bytes2, this.#context.version, topic.maxMessageBytes);
    if ("refusal" in checked) return checked.refusal;
    const baseOffset = log.appendMessageSet(bytes2 ?? NO_BYTES3, checked.messages.length, timeMs);
    return { baseOffset, logAppendTimeMs: timeMs === null ? null : BigInt(timeMs) };
  }
  #refused(index, { errorCode, message, batchIndex, isViolation }) {
    if (isViolation) this.#context.violation(`${this.#name}-${index}: ${message}`);
    const recordErrors2 = batchIndex === void 0 ? [] : [{ batchIndex, batchIndexErrorMessage: message }];
    return { ...this.#refusal(index, errorCode), recordErrors: recordErrors2, errorMessage: message };
  }
  #refusal(index, errorCode) {
    const { faults, version: version3 } = this.#context;
    const errorMessage = faults.effectFor("errorMessage", this.#name, index) ?? errorByCode(errorCode).text;
    const recordErrors2 = (faults.effectFor("recordErrors", this.#name, index) ?? []).map(({ batchIndex, message }) => ({
      ...{ batchIndex, batchIndexErrorMessage: message ?? null }
    }));
    const partition = this.#topic?.partitions[index];
    const hasHint = errorCode === NOT_LEADER_OR_FOLLOWER && partition !== void 0 && version3 >= FIRST_VERSION_WITH_LEADER_HINTS;
    const hint = hasHint ? { currentLeader: this.#hints.add(partition) } : {};
    return { index, errorCode, baseOffset: -1n, errorMessage, recordErrors: recordErrors2, ...hint };
  }
};

// src/testing/handlers.ts
var handlers = {
  ApiVersions: handleApiVersions,
  InitProducerId: handleInitProducerId,
  Metadata: handleMetadata,
  Produce: handleProduce,
  SaslAuthenticate: handleSaslAuthenticate,
  SaslHandshake: handleSaslHandshake
};

// src/testing/inbox.ts
var MAX_REQUEST_BYTES = 104857600;
var MAX_LOGIN_BYTES = 524288;
var LENGTH_BYTES2 = 4;
var Inbox = class {
  #frames = new FrameReader(MAX_REQUEST_BYTES);
  /** Null: the client is in. */
  #unread = Buffer.alloc(0);
  push(chunk) {
    if (this.#unread === null) this.#frames.push(chunk);
    else this.#unread = Buffer.concat([this.#unread, chunk]);
  }
  /** From now on frames may be long, and none has less than a correlation id. */
  open() {
    if (this.#unread === null) return;
    this.#frames.push(this.#unread);
    this.#unread = null;
  }
  /**
   * The next one that is complete, without its length; null: it is not all there.
   *
   * @throws {ProtocolError} `INVALID_FRAME`: a length that cannot be.
   */
  next() {
    const unread = this.#unread;
    if (unread === null) return this.#frames.next();
    if (unread.length < LENGTH_BYTES2) return null;
    const length = unread.readInt32BE(0);
    if (length < 0 || length > MAX_LOGIN_BYTES) {
      throw new ProtocolError(
        "INVALID_FRAME",
        `TestCluster: INVALID_FRAME: a length of ${length} before the login, the limit is ${MAX_LOGIN_BYTES}`
      );
    }
    const end = LENGTH_BYTES2 + length;
    if (unread.length < end) return null;
    this.#unread = unread.subarray(end);
    return unread.subarray(LENGTH_BYTES2, end);
  }
};

// src/testing/broker-connection.ts
var FIRST_PRODUCE_THAT_ANSWERS_FIRST = 6;
var ILLEGAL_SASL_STATE3 = 34;
var BrokerConnection = class {
  #socket;
  #nodeId;
  #cluster;
  #inbox = new Inbox();
  #session;
  #answers;
  #blackHole = "none";
  #throttleTimer = null;
  #idleTimer = null;
  #lastUsedMs;
  /** @param transportPrincipal who is there, by the client's certificate. */
  constructor(socket, nodeId, transportPrincipal, cluster2) {
    const { sasl, clock, journal, logins } = cluster2;
    this.#socket = socket;
    this.#nodeId = nodeId;
    this.#cluster = cluster2;
    this.#session = new Session({
      ...{ sasl, clock, transportPrincipal },
      note: (event) => logins.note(nodeId, event),
      violation: (what) => journal.violation(nodeId, what)
    });
    this.#answers = new AnswerQueue(socket, cluster2.clock);
    this.#lastUsedMs = cluster2.clock.now();
    this.#watchIdle();
    socket.on("data", (chunk) => this.#onData(chunk));
    socket.on("error", clientWentAway);
    socket.on("close", () => this.#onClose());
  }
  setBlackHole(what) {
    this.#blackHole = what;
    this.#answers.hold(what !== "none");
    this.#readOrNot();
  }
  #onData(chunk) {
    if (this.#session.isOver) return;
    this.#lastUsedMs = this.#cluster.clock.now();
    this.#inbox.push(chunk);
    this.#work();
  }
  #onClose() {
    this.#answers.clear();
    this.#throttleTimer?.cancel();
    this.#idleTimer?.cancel();
  }
  get #isReading() {
    return this.#blackHole !== "all" && this.#throttleTimer === null && !this.#session.isOver;
  }
  /** What was read before, but not looked at, comes first. */
  #readOrNot() {
    if (this.#isReading) this.#work();
    if (this.#isReading) this.#socket.resume();
    else this.#socket.pause();
  }
  #work() {
    try {
      while (this.#isReading && !this.#socket.destroyed) {
        if (this.#session.isIn) this.#inbox.open();
        const frame = this.#inbox.next();
        if (frame === null) return;
        if (this.#session.takesRawTokens) this.#takeToken(frame);
        else this.#take(frame);
      }
    } catch (error) {
      this.#cluster.journal.violation(this.#nodeId, error instanceof Error ? error.message : String(error));
      this.#socket.destroy();
    }
  }
  #take(frame) {
    const header = decodeRequestHeader(frame);
    const { api: api2, apiVersion, correlationId, clientId } = header;
    const { state, journal } = this.#cluster;
    const session = this.#session;
    const request = { api: api2.name, version: apiVersion, clientId, broker: this.#nodeId, correlationId };
    journal.request({ ...request, principal: session.principal });
    const admission = session.admit(api2.name);
    if (admission === "close") {
      this.#socket.destroy();
      return;
    }
    const range = state.served.get(api2.key);
    if (range === void 0) return this.#refuseApi(api2.name);
    const [min, max] = range;
    if (apiVersion < min || apiVersion > max) return this.#refuseVersion(header);
    const { body } = header;
    const handler = handlers[api2.name];
    const refusal9 = admission === "refuse" ? new Refusal2(ILLEGAL_SASL_STATE3) : void 0;
    const incoming = { nodeId: this.#nodeId, version: apiVersion, correlationId, body, session, refusal: refusal9 };
    this.#reply(handler(incoming, this.#cluster), correlationId);
  }
  #takeToken(token) {
    const { principal } = this.#session;
    const unknown = { version: -1, clientId: null, correlationId: -1 };
    this.#cluster.journal.request({ api: "SaslAuthenticate", ...unknown, broker: this.#nodeId, principal });
    this.#reply(answerRawToken(token, this.#nodeId, this.#session, this.#cluster), null);
  }
  /** Whoever asks for what was not listed is to blame; ApiVersions is how one learns that. */
  #refuseApi(name2) {
    if (name2 !== "ApiVersions") {
      throw new ProtocolError(
        "UNSUPPORTED_VERSION",
        `TestCluster: UNSUPPORTED_VERSION: ${name2}, which this broker lacks`
      );
    }
    this.#socket.destroy();
  }
  /** Kafka answers an unknown version of ApiVersions, and hangs up on that of anything else. */
  #refuseVersion({ api: api2, apiVersion, correlationId }) {
    if (api2.name !== "ApiVersions") {
      const what = `${api2.name} v${apiVersion}, which this broker does not speak`;
      throw new ProtocolError("UNSUPPORTED_VERSION", `TestCluster: UNSUPPORTED_VERSION: ${what}`);
    }
    const chunks = refuseApiVersions(this.#cluster.state, correlationId);
    this.#answers.push({ chunks, ...AT_ONCE2 });
  }
  /** @param correlationId null: a raw token, which has none. */
  #reply({ answer, faults }, correlationId) {
    const closeAfterBytes = faults.effect("closeAfterBytes") ?? (this.#session.isOver ? Infinity : null);
    const throttleMs = faults.effect("throttleMs") ?? 0;
    if (answer === "close" || answer === "none" && closeAfterBytes !== null) {
      this.#socket.destroy();
      return;
    }
    if (answer !== "none") {
      const scripted = faults.effect("answer")?.(correlationId ?? -1);
      let chunks = scripted === void 0 ? answer : [scripted];
      const isWrong = correlationId !== null && faults.effect("wrongCorrelationId") === true;
      if (isWrong) chunks = [withCorrelationId(chunks, correlationId ^ 23130)];
      this.#answers.push({
        ...{ chunks, closeAfterBytes, splitBytes: faults.effect("splitBytes") ?? null },
        delayMs: this.#delayMs(faults, throttleMs),
        isLate: faults.effect("late") === true
      });
      if (faults.effect("duplicateAnswer") === true) this.#answers.push({ chunks, ...AT_ONCE2 });
    }
    if (throttleMs > 0) this.#throttle(throttleMs);
  }
  #delayMs(faults, throttleMs) {
    if (faults.effect("silent") === true) return Infinity;
    const [, newest] = this.#cluster.state.served.get(produce.key) ?? [0, 0];
    return (faults.effect("delayMs") ?? 0) + (newest < FIRST_PRODUCE_THAT_ANSWERS_FIRST ? throttleMs : 0);
  }
  /** Reads nothing for so long. */
  #throttle(throttleMs) {
    this.#throttleTimer = this.#cluster.clock.after(throttleMs, () => {
      this.#throttleTimer = null;
      this.#readOrNot();
    });
    this.#readOrNot();
  }
  #watchIdle() {
    const { clock, state } = this.#cluster;
    const { connectionsMaxIdleMs } = state.options;
    if (connectionsMaxIdleMs === Infinity) return;
    const leftMs = this.#lastUsedMs + connectionsMaxIdleMs - clock.now();
    if (leftMs <= 0) this.#socket.destroy();
    else this.#idleTimer = clock.after(leftMs, () => this.#watchIdle());
  }
};
function withCorrelationId(chunks, correlationId) {
  const frame = Buffer.concat(chunks);
  frame.writeInt32BE(correlationId, 4);
  return frame;
}
function clientWentAway() {
  return void 0;
}

// src/testing/broker.ts
var Broker = class {
  nodeId;
  #host;
  #cluster;
  /** Whatever is open, also what is still in the handshake of TLS. */
  #sockets = /* @__PURE__ */ new Set();
  #connections = /* @__PURE__ */ new Set();
  #door;
  /** Who came while nothing got through, and has not been greeted. */
  #atTheDoor = [];
  #port;
  #listener = null;
  #isUp = false;
  #blackHole = "none";
  /** @param port 0: any free one; it stays the same from then on. */
  constructor(nodeId, host, port, cluster2) {
    this.nodeId = nodeId;
    this.#host = host;
    this.#port = port;
    this.#cluster = cluster2;
    const { tls } = cluster2;
    this.#door = tls === null ? null : new TlsDoor(tls, (socket) => this.#serve(socket));
  }
  get port() {
    return this.#port;
  }
  get isUp() {
    return this.#isUp;
  }
  async start() {
    if (this.#isUp) return;
    this.#isUp = true;
    const { transport } = this.#cluster.state.options;
    try {
      this.#listener = await transport.listen(this.nodeId, this.#host, this.#port, (socket) => this.#onSocket(socket));
    } catch (error) {
      this.#isUp = false;
      throw error;
    }
    this.#port = this.#listener.port;
  }
  /** Ends all connections at once, like a process that is killed. */
  async stop() {
    const listener = this.#listener;
    if (listener === null) return;
    this.#listener = null;
    this.#isUp = false;
    const closed2 = listener.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed2;
  }
  /** For the connections that it has, and those to come. */
  setBlackHole(what) {
    this.#blackHole = what;
    for (const connection of this.#connections) connection.setBlackHole(what);
    if (what === "none") for (const raw of this.#atTheDoor.splice(0)) this.#door?.enter(raw);
  }
  #onSocket(socket) {
    if (!this.#isUp) {
      socket.destroy();
      return;
    }
    this.#watch(socket);
    if (this.#door === null) this.#serve(socket);
    else if (this.#blackHole === "none") this.#door.enter(socket);
    else this.#atTheDoor.push(socket);
  }
  #serve(socket) {
    this.#watch(socket);
    const connection = new BrokerConnection(socket, this.nodeId, principalOf2(socket), this.#cluster);
    this.#connections.add(connection);
    socket.on("close", () => this.#connections.delete(connection));
    connection.setBlackHole(this.#blackHole);
  }
  #watch(socket) {
    if (this.#sockets.has(socket)) return;
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
  }
};

// src/testing/cluster-state.ts
import { randomBytes as randomBytes6 } from "node:crypto";

// src/testing/producer-state.ts
var MAX_SEQUENCE = 2 ** 31 - 1;
var APPEND = { kind: "append" };
var ProducerState = class {
  #entries = /* @__PURE__ */ new Map();
  #rules;
  constructor(rules3) {
    this.#rules = rules3;
  }
  judge(header) {
    if (header.producerId < 0n) return APPEND;
    const { producerEpoch: epoch, baseSequence: first } = header;
    const entry = this.#entries.get(header.producerId);
    if (entry === void 0) {
      const { unknownProducer } = this.#rules;
      return unknownProducer === 0 || first === 0 ? APPEND : refuse5(unknownProducer, header, "nobody knows it");
    }
    if (epoch < entry.epoch) return refuse5(INVALID_PRODUCER_EPOCH, header, `the epoch is ${entry.epoch}`);
    if (epoch > entry.epoch) {
      return first === 0 ? APPEND : refuse5(OUT_OF_ORDER_SEQUENCE_NUMBER, header, "a new epoch begins with 0");
    }
    const last = lastSequenceOf(header);
    const batch = entry.batches.find((known) => known.firstSequence === first && known.lastSequence === last);
    if (batch !== void 0) return { kind: "duplicate", batch };
    const next2 = sequenceAfter(entry.batches.at(-1)?.lastSequence ?? -1);
    return first === next2 ? APPEND : refuse5(OUT_OF_ORDER_SEQUENCE_NUMBER, header, `the next one is ${next2}`);
  }
  /** A batch went into the log. */
  remember(header, baseOffset, maxTimestamp) {
    const { producerId, producerEpoch: epoch, baseSequence: firstSequence } = header;
    if (producerId < 0n) return;
    const known = this.#entries.get(producerId);
    const lastOffset = baseOffset + header.recordCount - 1;
    const batch = { firstSequence, lastSequence: lastSequenceOf(header), baseOffset, lastOffset, maxTimestamp };
    if (known === void 0 || known.epoch !== epoch) {
      this.#entries.set(producerId, { epoch, batches: [batch] });
      return;
    }
    known.batches.push(batch);
    if (known.batches.length > this.#rules.batchesToRetain) known.batches.shift();
  }
  /** Records before an offset are gone: so are producers that have no other, in Kafka versions that forget them. */
  forgetBefore(offset) {
    if (!this.#rules.forgetsWithRecords) return;
    for (const [producerId, entry] of this.#entries) {
      const { lastOffset } = entry.batches.at(-1) ?? { lastOffset: -1 };
      if (lastOffset < offset) this.#entries.delete(producerId);
    }
  }
  clear() {
    this.#entries.clear();
  }
};
function lastSequenceOf({ baseSequence, recordCount }) {
  return (baseSequence + recordCount - 1) % (MAX_SEQUENCE + 1);
}
function sequenceAfter(sequence) {
  return sequence === MAX_SEQUENCE ? 0 : sequence + 1;
}
function refuse5(errorCode, { producerId, producerEpoch, baseSequence }, why) {
  const message = `${errorByCode(errorCode).name}: sequence ${baseSequence} of producer ${producerId}, epoch ${producerEpoch}: ${why}`;
  return { kind: "refuse", errorCode, message };
}

// src/testing/partition-log.ts
var LOG_APPEND_TIME3 = 8;
var SEQUENCE_LIMIT = 2 ** 31;
var PartitionLog = class {
  #keepRecords;
  #producers;
  #stored = [];
  #startOffset = 0;
  #endOffset = 0;
  /** Producers of what lies before it are forgotten for good. */
  #expiredOffset = 0;
  constructor(keepRecords, rules3) {
    this.#keepRecords = keepRecords;
    this.#producers = new ProducerState(rules3);
  }
  /** Of the first record that is still there. */
  get startOffset() {
    return this.#startOffset;
  }
  /** Where the next record goes. */
  get endOffset() {
    return this.#endOffset;
  }
  /** Whether the batch is the next of its producer. */
  judge(header) {
    return this.#producers.judge(header);
  }
  /**
   * Appends a batch that was found to be right. Takes the bytes over, and writes into them what a broker writes.
   *
   * @param logAppendTimeMs replaces the producer's timestamps; null: they stay.
   * @returns the offset of its first record.
   */
  append(batch, header, leaderEpoch, logAppendTimeMs) {
    const baseOffset = this.#endOffset;
    const maxTimestamp = logAppendTimeMs === null ? header.maxTimestamp : BigInt(logAppendTimeMs);
    this.#endOffset += header.recordCount;
    this.#producers.remember(header, baseOffset, maxTimestamp);
    if (!this.#keepRecords) return BigInt(baseOffset);
    batch.writeBigInt64BE(BigInt(baseOffset), 0);
    batch.writeInt32BE(leaderEpoch, 12);
    if (logAppendTimeMs !== null) {
      batch.writeInt16BE(header.attributes | LOG_APPEND_TIME3, 21);
      batch.writeBigInt64BE(maxTimestamp, 35);
      batch.writeUInt32BE(crc32c(batch, 21), 17);
    }
    this.#stored.push({ bytes: batch, baseOffset, endOffset: this.#endOffset, messageSet: null });
    return BigInt(baseOffset);
  }
  /** The same for a message set, of so many records. */
  appendMessageSet(bytes2, recordCount, logAppendTimeMs) {
    const baseOffset = this.#endOffset;
    this.#endOffset += recordCount;
    if (this.#keepRecords) {
      this.#stored.push({ bytes: bytes2, baseOffset, endOffset: this.#endOffset, messageSet: { logAppendTimeMs } });
    }
    return BigInt(baseOffset);
  }
  /** Every record, by offset. */
  records(partition) {
    const first = BigInt(this.#startOffset);
    return this.#stored.filter(({ endOffset }) => endOffset > this.#startOffset).flatMap((stored) => stored.messageSet === null ? recordsOf(stored, partition) : messagesOf(stored, partition)).filter(({ offset }) => offset >= first);
  }
  /** Records before an offset go. */
  deleteBefore(offset) {
    this.#startOffset = Math.max(this.#startOffset, Math.min(offset, this.#endOffset));
    this.#producers.forgetBefore(this.#startOffset);
  }
  /** Forgets all producers, as Kafka does after `producer.id.expiration.ms`. */
  expireProducers() {
    this.#producers.clear();
    this.#expiredOffset = this.#endOffset;
  }
  /** Loses everything from an offset on: every batch with such a record, and what it said about its producer. */
  truncate(offset) {
    const kept = this.#stored.filter(({ endOffset }) => endOffset <= offset);
    if (kept.length === this.#stored.length) return;
    this.#stored = kept;
    this.#endOffset = kept.at(-1)?.endOffset ?? 0;
    this.#startOffset = Math.min(this.#startOffset, this.#endOffset);
    this.#expiredOffset = Math.min(this.#expiredOffset, this.#endOffset);
    this.#producers.clear();
    for (const { bytes: bytes2, baseOffset, messageSet } of kept) {
      if (messageSet !== null || baseOffset < this.#expiredOffset) continue;
      const header = decodeRecordBatchHeader(bytes2);
      this.#producers.remember(header, baseOffset, header.maxTimestamp);
    }
    this.#producers.forgetBefore(this.#startOffset);
  }
};
function recordsOf({ bytes: bytes2 }, partition) {
  const { records: records2, producerId, producerEpoch, baseSequence, compression } = decodeRecordBatch(bytes2, { decompress: decompress2 });
  const codec = compression === "unknown" ? "none" : compression;
  return records2.map(({ offset, key, value, headers, timestamp }, i) => ({
    ...{ partition, offset, key, value, headers, timestamp, producerId, epoch: producerEpoch },
    sequence: baseSequence < 0 ? -1 : (baseSequence + i) % SEQUENCE_LIMIT,
    compression: codec
  }));
}
function messagesOf({ bytes: bytes2, baseOffset, messageSet }, partition) {
  return decodeMessageSet(bytes2, { decompress: decompress2 }).map(({ key, value, headers, timestamp, compression }, i) => ({
    ...{ partition, key, value, headers, compression, producerId: -1n, epoch: -1, sequence: -1 },
    offset: BigInt(baseOffset + i),
    timestamp: messageSet?.logAppendTimeMs ?? timestamp
  }));
}

// src/testing/producer-rules.ts
var NOW = { batchesToRetain: 5, unknownProducer: 0, forgetsWithRecords: false };
var BEFORE_KIP_360 = {
  ...{ batchesToRetain: 5, unknownProducer: UNKNOWN_PRODUCER_ID, forgetsWithRecords: true }
};
var FIRST = {
  ...{ batchesToRetain: 1, unknownProducer: OUT_OF_ORDER_SEQUENCE_NUMBER, forgetsWithRecords: true }
};
var PRODUCER_RULES = {
  "4.3": NOW,
  "3.9": NOW,
  "2.8": NOW,
  "1.1": BEFORE_KIP_360,
  "0.11": FIRST,
  "0.10.2": FIRST,
  "0.10.0": FIRST
};

// src/testing/cluster-state.ts
var ClusterState = class {
  options;
  served;
  #brokers = /* @__PURE__ */ new Map();
  #topics = /* @__PURE__ */ new Map();
  #topicsById = /* @__PURE__ */ new Map();
  #nextProducerId = 0n;
  constructor(options) {
    this.options = options;
    this.served = servedVersions(options.kafkaVersion, options.apiVersions);
  }
  get topics() {
    return [...this.#topics.values()];
  }
  /** Those that are up. */
  get liveBrokers() {
    return [...this.#brokers.values()].filter(({ isUp }) => isUp);
  }
  addBroker(broker) {
    this.#brokers.set(broker.nodeId, broker);
  }
  /** A broker that is up; undefined for one that is not, or does not exist. */
  liveBroker(nodeId) {
    const broker = this.#brokers.get(nodeId);
    return broker?.isUp === true ? broker : void 0;
  }
  topic(name2) {
    return this.#topics.get(name2);
  }
  topicById(id) {
    return this.#topicsById.get(id);
  }
  /** One that no producer of this cluster ever had. */
  newProducerId() {
    return this.#nextProducerId++;
  }
  createTopic(name2, topicOptions) {
    if (this.#topics.has(name2)) throw misuse2(`createTopic: topic ${JSON.stringify(name2)} exists already`);
    const { partitions, replicationFactor = 1, timestampType, maxMessageBytes } = topicOptions;
    const { options } = this;
    const topic = {
      name: name2,
      id: randomBytes6(16).toString("base64url"),
      partitions: Array.from({ length: partitions }, (_, index) => this.#newPartition(index, replicationFactor)),
      replicationFactor,
      maxMessageBytes: maxMessageBytes ?? options.maxMessageBytes,
      hasLogAppendTime: timestampType === "LogAppendTime"
    };
    this.#topics.set(name2, topic);
    this.#topicsById.set(topic.id, topic);
    return topic;
  }
  deleteTopic(name2) {
    const topic = this.#topics.get(name2);
    if (topic === void 0) throw misuse2(`deleteTopic: there is no topic ${JSON.stringify(name2)}`);
    this.#topics.delete(name2);
    this.#topicsById.delete(topic.id);
  }
  /** @param count of all partitions, afterwards. */
  addPartitions(name2, count3) {
    const topic = this.#topics.get(name2);
    if (topic === void 0) throw misuse2(`addPartitions: there is no topic ${JSON.stringify(name2)}`);
    const { partitions, replicationFactor } = topic;
    if (!(count3 > partitions.length)) throw misuse2(`addPartitions: ${name2} has ${partitions.length} partitions already`);
    while (partitions.length < count3) partitions.push(this.#newPartition(partitions.length, replicationFactor));
  }
  /** @param nodeId -1: nobody leads, until the next call. */
  moveLeader(topicName, index, nodeId) {
    const partition = this.partition("moveLeader", topicName, index);
    const isHeldLeaderless = nodeId === -1;
    if (!isHeldLeaderless) {
      if (this.liveBroker(nodeId) === void 0) throw misuse2(`moveLeader: broker ${nodeId} is not up`);
      if (!partition.replicas.includes(nodeId)) partition.replicas.push(nodeId);
    }
    partition.isHeldLeaderless = isHeldLeaderless;
    lead(partition, nodeId);
  }
  /** An election that loses what the new leader did not have. */
  truncate(topicName, index, endOffset) {
    const partition = this.partition("truncate", topicName, index);
    if (!this.options.keepRecords) throw misuse2("truncate: needs keepRecords");
    partition.log.truncate(endOffset);
    partition.leaderEpoch++;
  }
  /** @throws {OptionError} there is no such partition. */
  partition(who, topicName, index) {
    const partition = this.#topics.get(topicName)?.partitions[index];
    if (partition === void 0) throw misuse2(`${who}: there is no partition ${index} of ${topicName}`);
    return partition;
  }
  /** Replicas of a partition that are up. */
  inSyncReplicas({ replicas }) {
    return replicas.filter((nodeId) => this.liveBroker(nodeId) !== void 0);
  }
  /** A broker goes or comes; partitions that are left without a leader, or had none, get the first replica that is up. */
  setUp(nodeId, isUp) {
    const broker = this.#brokers.get(nodeId);
    if (broker === void 0) throw misuse2(`there is no broker ${nodeId}`);
    broker.isUp = isUp;
    for (const { partitions } of this.#topics.values()) {
      for (const partition of partitions) {
        if (partition.isHeldLeaderless || this.liveBroker(partition.leader) !== void 0) continue;
        lead(partition, this.inSyncReplicas(partition)[0] ?? -1);
      }
    }
  }
  #newPartition(index, replicationFactor) {
    const ids = [...this.#brokers.keys()];
    const count3 = Math.min(replicationFactor, ids.length);
    const replicas = Array.from({ length: count3 }, (_, i) => ids[(index + i) % ids.length] ?? -1);
    const log = new PartitionLog(this.options.keepRecords, PRODUCER_RULES[this.options.kafkaVersion]);
    const leader = replicas.find((nodeId) => this.liveBroker(nodeId) !== void 0) ?? -1;
    return { index, log, replicas, leader, leaderEpoch: 0, isHeldLeaderless: false };
  }
};
function lead(partition, nodeId) {
  if (partition.leader === nodeId) return;
  partition.leader = nodeId;
  partition.leaderEpoch++;
}
function misuse2(what) {
  return new OptionError("INVALID_ARGUMENT", `TestCluster: INVALID_ARGUMENT: ${what}`);
}

// src/testing/journal.ts
var MAX_REQUESTS = 1e5;
var MAX_VIOLATIONS = 1e3;
var Journal = class {
  #requests = [];
  #violations = [];
  /** The latest ones, 50 000 at least, oldest first. */
  get requests() {
    return this.#requests;
  }
  get violations() {
    return this.#violations;
  }
  request(request) {
    if (this.#requests.length >= MAX_REQUESTS) this.#requests = this.#requests.slice(MAX_REQUESTS / 2);
    this.#requests.push(request);
  }
  violation(broker, what) {
    if (this.#violations.length < MAX_VIOLATIONS) this.#violations.push(`broker ${broker}: ${what}`);
  }
};

// src/testing/sasl/login-stats.ts
var LoginBook = class {
  #byBroker = /* @__PURE__ */ new Map();
  note(broker, event) {
    const stats = this.#byBroker.get(broker) ?? none();
    stats[event]++;
    this.#byBroker.set(broker, stats);
  }
  /** @param broker node id; undefined: all together. */
  stats(broker) {
    const sum2 = none();
    for (const [nodeId, stats] of this.#byBroker) {
      if (nodeId !== (broker ?? nodeId)) continue;
      for (const event of Object.keys(sum2)) sum2[event] += stats[event];
    }
    return sum2;
  }
};
function none() {
  return { logins: 0, reauthentications: 0, refused: 0, illegal: 0, expired: 0 };
}

// src/testing/sasl/oauth-bearer-server.ts
var NAME = "(?:[\\x01-\\x2b\\x2d-\\x3c\\x3e-\\x7f]|=2C|=3D)+";
var PAIRS = "(?:[A-Za-z]+=[\\x21-\\x7e \\t\\r\\n]+\\x01)*";
var INITIAL_RESPONSE = new RegExp(`^n,(?:a=(?<authorizationId>${NAME}))?,\\x01(?<pairs>${PAIRS})\\x01$`);
var BEARER = /^bearer +(?<token>[-_~+/.a-zA-Z0-9]+=*)$/i;
var ACKNOWLEDGED2 = "";
function* oauthBearerServer(verify, first) {
  for (let said = first; ; ) {
    const { token, authorizationId: authorizationId2, extensions } = readInitialResponse(said);
    const verdict = judge3(verify, token, extensions);
    if ("principal" in verdict) {
      const { principal, expiresAtMs } = verdict;
      checkAuthorizationId(authorizationId2, principal);
      return { name: principal, answer: NOTHING4, expiresAtMs };
    }
    const { status, scope } = verdict;
    const document = JSON.stringify(scope === void 0 ? { status } : { status, scope });
    said = yield Buffer.from(document);
    if (said.toString() === ACKNOWLEDGED2) throw refused5(document);
  }
}
function judge3(verify, token, extensions) {
  let verdict;
  try {
    verdict = verify(token, extensions);
  } catch {
    return { status: "invalid_token" };
  }
  if (typeof verdict === "string") return { principal: verdict };
  const isVerdict = typeof verdict === "object" && verdict !== null && ("principal" in verdict || "status" in verdict);
  if (isVerdict) return verdict;
  const what = "sasl.verifyToken must give a principal or a status, at once";
  throw new OptionError("INVALID_ARGUMENT", `TestCluster: INVALID_ARGUMENT: ${what}`);
}
function readInitialResponse(said) {
  const { authorizationId: authorizationId2 = "", pairs } = INITIAL_RESPONSE.exec(said.toString())?.groups ?? {};
  if (pairs === void 0) throw malformed("the OAUTHBEARER message is malformed");
  const entries = pairs.split("").filter((pair) => pair !== "").map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]);
  const { auth, ...extensions } = Object.fromEntries(entries);
  const token = BEARER.exec(auth ?? "")?.groups?.["token"];
  if (token === void 0) throw malformed("the OAUTHBEARER message holds no bearer token");
  return { token, authorizationId: authorizationId2, extensions };
}
function checkAuthorizationId(authorizationId2, principal) {
  const id = authorizationId2.replaceAll("=2C", ",").replaceAll("=3D", "=");
  if (id === "" || id === principal) return;
  throw refused5(
    `Authentication failed: Client requested an authorization id (${id}) that is different from the token's principal name (${principal})`
  );
}
function unsecuredTokens(wallNow) {
  return (token) => {
    const [header = "", body = "", signature] = token.split(".");
    const { alg } = claimsOf(header);
    const { sub, exp } = claimsOf(body);
    if (alg !== "none" || signature !== "" || typeof sub !== "string" || sub === "" || typeof exp !== "number") {
      return { status: "invalid_token" };
    }
    const expiresAtMs = exp * 1e3;
    return expiresAtMs > wallNow() ? { principal: sub, expiresAtMs } : { status: "invalid_token" };
  };
}
function claimsOf(part) {
  const claims = JSON.parse(Buffer.from(part, "base64url").toString());
  if (typeof claims !== "object" || claims === null) throw new Refused("a token whose parts are no objects");
  return claims;
}

// src/testing/sasl/plain-server.ts
var MAX_PARTS = 4;
function* plainServer(users, said) {
  const parts = said.toString().split("\0", MAX_PARTS);
  const [authorizationId2 = "", name2 = "", password2 = ""] = parts;
  if (parts.length !== 3) {
    const what = `Invalid SASL/PLAIN response: expected 3 tokens, got ${parts.length}`;
    throw malformed(what, what);
  }
  if (name2 === "") throw refused5("Authentication failed: username not specified");
  if (password2 === "") throw refused5("Authentication failed: password not specified");
  if (!users.isPassword(name2, password2)) throw refused5("Authentication failed: Invalid username or password");
  if (authorizationId2 !== "" && authorizationId2 !== name2) throw refused5(OTHER_AUTHORIZATION_ID);
  return { name: name2, answer: NOTHING4 };
}

// src/testing/sasl/scram-server.ts
import { createHash as createHash4, randomBytes as randomBytes8, timingSafeEqual as timingSafeEqual3 } from "node:crypto";

// src/testing/sasl/users.ts
import { createHash as createHash3, createHmac as createHmac4, pbkdf2Sync, randomBytes as randomBytes7, timingSafeEqual as timingSafeEqual2 } from "node:crypto";
var HASH_BYTES2 = { sha256: 32, sha512: 64 };
var SALT_BYTES = 16;
var Users = class {
  #iterations;
  #users = /* @__PURE__ */ new Map();
  /** @param iterations of SCRAM's PBKDF2. */
  constructor(iterations) {
    this.#iterations = iterations;
  }
  /** A new user, or a new password. */
  set(name2, password2) {
    this.#users.set(name2, { password: new Secret(password2), scram: /* @__PURE__ */ new Map() });
  }
  /** @returns whether there was one. */
  remove(name2) {
    return this.#users.delete(name2);
  }
  isPassword(name2, password2) {
    const user = this.#users.get(name2);
    const isRight = isEqual(password2, user?.password.reveal() ?? randomBytes7(16).toString("hex"));
    return user !== void 0 && isRight;
  }
  scram(name2, hash) {
    const user = this.#users.get(name2);
    if (user === void 0) return void 0;
    const credential = user.scram.get(hash) ?? credentialOf(hash, user.password.reveal(), this.#iterations);
    user.scram.set(hash, credential);
    return credential;
  }
};
function hmac3(hash, key, data) {
  return createHmac4(hash, key).update(data).digest();
}
function credentialOf(hash, password2, iterations) {
  const salt = randomBytes7(SALT_BYTES);
  const salted = pbkdf2Sync(Buffer.from(password2), salt, iterations, HASH_BYTES2[hash], hash);
  const storedKey = createHash3(hash).update(hmac3(hash, salted, "Client Key")).digest();
  return { salt, iterations, storedKey, serverKey: hmac3(hash, salted, "Server Key") };
}
function isEqual(a, b) {
  const [hashOfA, hashOfB] = [a, b].map((text3) => createHash3("sha256").update(text3).digest());
  return timingSafeEqual2(hashOfA, hashOfB);
}

// src/testing/sasl/scram-server.ts
var NAME2 = "(?:[\\x01-\\x2b\\x2d-\\x3c\\x3e-\\x7f]|=2C|=3D)+";
var PRINTABLE = "[\\x21-\\x2b\\x2d-\\x7e]+";
var EXTENSIONS = "(?:,[A-Za-z]+=[\\x01-\\x2b\\x2d-\\x7f]+)*";
var BASE64 = "(?:[a-zA-Z0-9/+]{4})*(?:[a-zA-Z0-9/+]{3}=|[a-zA-Z0-9/+]{2}==)?";
var CLIENT_FIRST = new RegExp(
  `^(?<gs2Header>n,(?:a=(?<authorizationId>${NAME2}))?,)(?<bare>n=(?<name>${NAME2}),r=(?<nonce>${PRINTABLE})${EXTENSIONS})$`,
  "s"
);
var CLIENT_FINAL = new RegExp(
  `^(?<withoutProof>c=(?<channel>${BASE64}),r=(?<nonce>${PRINTABLE})${EXTENSIONS}),p=(?<proof>${BASE64})$`,
  "s"
);
function* scramServer(hash, users, said) {
  const {
    gs2Header = "",
    authorizationId: authorizationId2,
    bare = "",
    name: escaped = "",
    nonce = ""
  } = read2(CLIENT_FIRST, said, "first");
  const name2 = unescape(escaped);
  const credential = users.scram(name2, hash);
  if (credential === void 0) throw new Refused("unknown user");
  if (authorizationId2 !== void 0 && unescape(authorizationId2) !== name2) throw refused5(OTHER_AUTHORIZATION_ID);
  const { salt, iterations, storedKey, serverKey } = credential;
  const fullNonce = nonce + randomBytes8(24).toString("base64url");
  const serverFirst = `r=${fullNonce},s=${salt.toString("base64")},i=${iterations}`;
  const final2 = read2(CLIENT_FINAL, yield Buffer.from(serverFirst), "last");
  const { nonce: finalNonce, channel: channel3, withoutProof = "", proof: proofText = "" } = final2;
  if (finalNonce !== fullNonce) throw malformed("the last SCRAM message has another nonce");
  if (channel3 !== Buffer.from(gs2Header).toString("base64")) {
    throw malformed("the last SCRAM message has another header than the first");
  }
  const message = `${bare},${serverFirst},${withoutProof}`;
  const proof = Buffer.from(proofText, "base64");
  const signature = hmac3(hash, storedKey, message);
  if (proof.length !== signature.length) throw malformed(`a SCRAM proof of ${proof.length} bytes`);
  const clientKey = proof.map((byte3, i) => byte3 ^ (signature[i] ?? 0));
  if (!timingSafeEqual3(createHash4(hash).update(clientKey).digest(), storedKey)) throw new Refused("wrong password");
  return { name: name2, answer: Buffer.from(`v=${hmac3(hash, serverKey, message).toString("base64")}`) };
}
function read2(pattern, said, which2) {
  const groups = pattern.exec(said.toString())?.groups;
  if (groups === void 0) throw malformed(`the ${which2} SCRAM message is malformed`);
  return groups;
}
function unescape(name2) {
  return name2.replaceAll("=2C", ",").replaceAll("=3D", "=");
}

// src/testing/sasl/sasl-listener.ts
var SaslListener = class {
  mechanisms;
  users;
  /** 0: for ever. */
  sessionLifetimeMs;
  #verifyToken;
  constructor({ users, mechanisms, sessionLifetimeMs, verifyToken, iterations }, clock) {
    this.mechanisms = mechanisms;
    this.sessionLifetimeMs = sessionLifetimeMs;
    this.#verifyToken = verifyToken ?? unsecuredTokens(() => clock.wallNow());
    this.users = new Users(iterations);
    for (const [name2, password2] of users) this.users.set(name2, password2);
  }
  /** @param said what the client says first. */
  begin(mechanism2, said) {
    switch (mechanism2) {
      case "PLAIN":
        return plainServer(this.users, said);
      case "SCRAM-SHA-256":
        return scramServer("sha256", this.users, said);
      case "SCRAM-SHA-512":
        return scramServer("sha512", this.users, said);
      case "OAUTHBEARER":
        return oauthBearerServer(this.#verifyToken, said);
    }
  }
};

// src/testing/test-cluster.ts
var TestCluster = class _TestCluster {
  #cluster;
  #brokers;
  #ca;
  #closing = null;
  constructor(cluster2, brokers, ca) {
    this.#cluster = cluster2;
    this.#brokers = brokers;
    this.#ca = ca;
  }
  /**
   * Starts the brokers; every one listens when this resolves.
   *
   * @throws {OptionError} every problem of the options at once.
   * @throws the system's error, if a port is taken.
   */
  static async start(options = {}) {
    const resolved = resolveTestClusterOptions(options);
    const { host, clock, brokers: count3 } = resolved;
    const state = new ClusterState(resolved);
    const sasl = resolved.sasl === null ? null : new SaslListener(resolved.sasl, clock);
    const shared = { faults: new FaultList(), journal: new Journal(), logins: new LoginBook() };
    const { tls, ca } = resolved.tls === null ? { tls: null, ca: void 0 } : withCertificate(resolved.tls, host);
    const context = { state, clock, sasl, tls, ...shared };
    const brokers = Array.from({ length: count3 }, (_, i) => {
      const port = resolved.ports[i] ?? (resolved.port === 0 ? 0 : resolved.port + i);
      return new Broker(i + 1, host, port, context);
    });
    const cluster2 = new _TestCluster(context, new Map(brokers.map((broker) => [broker.nodeId, broker])), ca);
    const outcomes = await Promise.allSettled(brokers.map((broker) => broker.start()));
    const failed6 = outcomes.find((outcome) => outcome.status === "rejected");
    if (failed6 !== void 0) {
      await cluster2.close();
      throw failed6.reason;
    }
    for (const { nodeId, port } of brokers) state.addBroker({ nodeId, host, port, isUp: true });
    for (const [name2, topic] of resolved.topics) state.createTopic(name2, topic);
    return cluster2;
  }
  /** `host:port,host:port`: what goes into `brokers` of a Producer. Every broker is in it, also one that is stopped. */
  get bootstrap() {
    const { host } = this.#cluster.state.options;
    const shown = host.includes(":") ? `[${host}]` : host;
    return [...this.#brokers.values()].map(({ port }) => `${shown}:${port}`).join(",");
  }
  /** The certificate that the brokers made themselves, PEM: what goes into `tls.ca` of a client. Undefined: they made none. */
  get ca() {
    return this.#ca;
  }
  /** Ports of the brokers, in the order of their node ids. */
  get ports() {
    return [...this.#brokers.values()].map(({ port }) => port);
  }
  /** Names of all topics. */
  get topics() {
    return this.#cluster.state.topics.map(({ name: name2 }) => name2);
  }
  /** The requests that arrived, oldest first; of many, the latest 50 000 at least. */
  get requests() {
    return this.#cluster.journal.requests;
  }
  /** What clients did that no client may do, in words. Empty, if all is well. */
  get violations() {
    return this.#cluster.journal.violations;
  }
  /**
   * Everything that was written to a topic, decoded now: by partition, then by offset. Empty for a topic that is not
   * there.
   */
  records(topic) {
    const partitions = this.#cluster.state.topic(topic)?.partitions ?? [];
    return partitions.flatMap(({ log, index }) => log.records(index));
  }
  /** How many records a topic has, without a look at them. */
  recordCount(topic) {
    const partitions = this.#cluster.state.topic(topic)?.partitions ?? [];
    return partitions.reduce((sum2, { log }) => sum2 + log.endOffset - log.startOffset, 0);
  }
  /**
   * Lets requests go wrong, from now on: the next one that fits, or `times` of them.
   *
   * @throws {OptionError} an error that Kafka does not have.
   */
  fail(fault) {
    return this.#cluster.faults.add(fault);
  }
  /**
   * A new user, or a new password. Who is in stays in; the next login counts.
   *
   * @throws {OptionError} the cluster has no `sasl`, or this cannot be a user.
   */
  setUser(name2, password2) {
    const problem3 = userProblem(name2, password2);
    if (problem3 !== null) throw misuse3(`setUser: ${problem3}`);
    this.#sasl("setUser").users.set(name2, password2);
  }
  /** Who is in stays in, and cannot log in again. @throws {OptionError} there is no such user, or no `sasl`. */
  removeUser(name2) {
    if (!this.#sasl("removeUser").users.remove(name2)) {
      throw misuse3(`removeUser: there is no user ${JSON.stringify(name2)}`);
    }
  }
  /** How long the next logins are good for; 0: for ever. @throws {OptionError} the cluster has no `sasl`. */
  setSessionLifetime(lifetimeMs) {
    const checked = checkSessionLifetime(lifetimeMs);
    if (!("value" in checked)) throw misuse3(`setSessionLifetime: expected milliseconds, 0 to 2^63-1`);
    this.#sasl("setSessionLifetime").sessionLifetimeMs = checked.value;
  }
  /**
   * What came of the logins so far.
   *
   * @param broker node id. Default: all brokers together.
   */
  loginStats(broker) {
    if (broker !== void 0) this.#broker(broker);
    return this.#cluster.logins.stats(broker);
  }
  /** @throws {OptionError} the topic exists, or cannot be. */
  createTopic(name2, topic = 1) {
    const checked = checkTopic2(name2, topic);
    if (!("value" in checked)) throw misuse3("problem" in checked ? checked.problem : checked.expected);
    this.#cluster.state.createTopic(name2, checked.value);
  }
  /** With all that is in it. A topic that is created by the same name is another one. */
  deleteTopic(name2) {
    this.#cluster.state.deleteTopic(name2);
  }
  /**
   * Makes a topic larger, as Kafka's administrators do. Nothing moves.
   *
   * @param partitions how many there are afterwards.
   */
  addPartitions(topic, partitions) {
    this.#cluster.state.addPartitions(topic, partitions);
  }
  /** Removes the records of a partition before an offset, as Kafka's DeleteRecords does. */
  deleteRecords(topic, partition, beforeOffset) {
    this.#cluster.state.partition("deleteRecords", topic, partition).log.deleteBefore(beforeOffset);
  }
  /**
   * Loses the end of a partition, as an unclean leader election does: batches with records from `endOffset` on, and what
   * they said about their producers. The leader epoch grows.
   */
  truncate(topic, partition, endOffset) {
    this.#cluster.state.truncate(topic, partition, endOffset);
  }
  /**
   * Forgets the sequences of all producers, as Kafka does with those that were silent for `producer.id.expiration.ms`.
   *
   * @param topic only for this topic.
   */
  expireProducers(topic) {
    for (const { name: name2, partitions } of this.#cluster.state.topics) {
      if (name2 === (topic ?? name2)) for (const { log } of partitions) log.expireProducers();
    }
  }
  /** Node id of a partition's leader; -1: it has none. */
  leader(topic, partition) {
    return this.#cluster.state.topic(topic)?.partitions[partition]?.leader ?? -1;
  }
  /**
   * From now on the old leader refuses the partition's records, and names the new one. Sequences of producers move with
   * the log; the leader epoch grows.
   *
   * @param broker node id; -1: the partition has no leader, until it is given one by this call.
   */
  moveLeader(topic, partition, broker) {
    this.#cluster.state.moveLeader(topic, partition, broker);
  }
  /** Like a process that is killed: connections end at once, other replicas take over, if there are any. */
  async stopBroker(broker) {
    const stopped = this.#broker(broker);
    this.#cluster.state.setUp(broker, false);
    await stopped.stop();
  }
  /** At the port that it had. Logs survive. */
  async startBroker(broker) {
    await this.#broker(broker).start();
    this.#cluster.state.setUp(broker, true);
  }
  /**
   * A broken network: connections to the broker open and stay open, and are silent.
   *
   * @param what `'all'`: nothing arrives; `'answers'`: requests arrive and are done, answers do not; `'none'`: all is
   * well again, and what was stuck gets through.
   */
  blackHole(broker, what = "all") {
    this.#broker(broker).setBlackHole(what);
  }
  /** Ends everything at once: connections, ports, timers. A second call gives the same promise. */
  close() {
    this.#closing ??= Promise.all([...this.#brokers.values()].map((broker) => broker.stop())).then(() => void 0);
    return this.#closing;
  }
  [Symbol.asyncDispose]() {
    return this.close();
  }
  #sasl(who) {
    const { sasl } = this.#cluster;
    if (sasl === null) throw misuse3(`${who}: the cluster was started without sasl`);
    return sasl;
  }
  #broker(nodeId) {
    const broker = this.#brokers.get(nodeId);
    if (broker === void 0) throw misuse3(`there is no broker ${nodeId}`);
    return broker;
  }
};
function misuse3(what) {
  return new OptionError("INVALID_ARGUMENT", `TestCluster: INVALID_ARGUMENT: ${what}`);
}

// ../../tmp/h/rev/mem.mts
var cluster = await TestCluster.start({ topics: { t: 1 } });
var [, , o = "{}", count2 = "300000", mode = "async"] = process.argv;
cluster.fail({ api: "Produce", times: Infinity, ...mode.includes("slow") ? { delayMs: 20 } : { splitBytes: 1e5 } });
var output = new KafkaOutput({ outputAlias: "m", bootstrapServers: cluster.bootstrap, topic: "t", securityProtocol: "None", serialization: "Json", ...JSON.parse(o) });
var n = Number(count2);
var bad = mode.includes("bad");
async function* rows() {
  for (let i = 0; i < n; i++) yield bad ? { i, s: NaN } : { i, s: "some text", b: true };
}
function* sync() {
  for (let i = 0; i < n; i++) yield bad ? { i, s: NaN } : { i, s: "some text", b: true };
}
var heaps = [];
var timer = setInterval(() => {
  globalThis.gc?.();
  const m = process.memoryUsage();
  heaps.push(`${(m.heapUsed / 1e6).toFixed(0)}/${(m.rss / 1e6).toFixed(0)}`);
  cluster.deleteRecords("t", 0, cluster.recordCount("t") + 0);
}, 1e3);
var c0 = process.cpuUsage();
var t0 = performance.now();
var r = await output.write(mode.includes("sync") ? sync() : rows());
var c = process.cpuUsage(c0);
clearInterval(timer);
console.log(o, mode, JSON.stringify(r), "heap/rss MB:", heaps.slice(-8).join(" "), ((c.user + c.system) / n).toFixed(2), "us CPU/row incl broker", (performance.now() - t0).toFixed(0), "ms");
var t1 = performance.now();
await output.close();
await cluster.close();
process.on("exit", () => console.log("exit after close", (performance.now() - t1).toFixed(0), "ms"));
