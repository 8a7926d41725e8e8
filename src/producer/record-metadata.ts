/** Where a record went. */
export class RecordMetadata {
  readonly topic: string
  readonly partition: number
  /** `-1n`: nobody told us (`acks: 0`, or a duplicate whose place the broker has forgotten). */
  readonly offset: bigint
  /** Milliseconds since the Unix epoch: the record's own, or the broker's where the topic says `LogAppendTime`. */
  readonly timestamp: number

  constructor(topic: string, partition: number, offset: bigint, timestamp: number) {
    this.topic = topic
    this.partition = partition
    this.offset = offset
    this.timestamp = timestamp
  }

  /** JSON has no 64-bit integers: the offset is a decimal string. */
  toJSON(): { topic: string; partition: number; offset: string; timestamp: number } {
    return { topic: this.topic, partition: this.partition, offset: String(this.offset), timestamp: this.timestamp }
  }
}
