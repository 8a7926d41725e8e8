import java.io.BufferedOutputStream;
import java.io.DataOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Kafka's own consumer writes whole topics to stdout, from the first offset to the end of the moment it starts.
 *
 * Arguments: bootstrap addresses, the most seconds it may take, topics. A row: byte number of the topic, int32 partition,
 * int64 offset, int64 timestamp, int32 length of the value (-1: null), value; big endian. After the last row: byte -1 and
 * the int64 number of rows, so that a stream that was cut short is not taken for the whole.
 */
public final class LogReader {
    private static final int BUFFER_BYTES = 1 << 18;

    private LogReader() {
    }

    public static void main(String[] args) throws Exception {
        DataOutputStream out = new DataOutputStream(new BufferedOutputStream(new FileOutputStream(FileDescriptor.out), BUFFER_BYTES));
        System.setOut(System.err);
        long deadline = System.currentTimeMillis() + Long.parseLong(args[1]) * 1000;
        List<String> topics = List.of(args).subList(2, args.length);
        long rows = 0;
        try (Consumer<byte[], byte[]> consumer = new KafkaConsumer<>(settings(args[0]), new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            Map<TopicPartition, Long> unread = assign(consumer, topics);
            while (!unread.isEmpty()) {
                if (System.currentTimeMillis() > deadline) throw new TimeoutException("not read to the end: " + unread);
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(200))) {
                    if (record.offset() >= unread.getOrDefault(new TopicPartition(record.topic(), record.partition()), 0L)) continue;
                    write(out, topics.indexOf(record.topic()), record);
                    rows++;
                }
                forgetWhatIsRead(consumer, unread);
            }
        }
        out.writeByte(-1);
        out.writeLong(rows);
        out.flush();
    }

    private static Map<String, Object> settings(String bootstrap) {
        return Map.of(
            "bootstrap.servers", bootstrap,
            "isolation.level", "read_uncommitted",
            "auto.offset.reset", "earliest",
            "enable.auto.commit", "false",
            "allow.auto.create.topics", "false",
            "max.poll.records", "20000",
            "max.partition.fetch.bytes", "4194304",
            "check.crcs", "true");
    }

    /** Every partition with its end offset, where there is something to read. */
    private static Map<TopicPartition, Long> assign(Consumer<byte[], byte[]> consumer, List<String> topics) {
        List<TopicPartition> partitions = new ArrayList<>();
        for (String topic : topics) {
            List<PartitionInfo> infos = consumer.partitionsFor(topic);
            // Nothing to read and nothing to read from are not the same to a judge.
            if (infos == null || infos.isEmpty()) throw new IllegalStateException("no such topic: " + topic);
            for (PartitionInfo info : infos) partitions.add(new TopicPartition(topic, info.partition()));
        }
        consumer.assign(partitions);
        consumer.seekToBeginning(partitions);
        Map<TopicPartition, Long> unread = new HashMap<>(consumer.endOffsets(partitions));
        forgetWhatIsRead(consumer, unread);
        return unread;
    }

    private static void forgetWhatIsRead(Consumer<byte[], byte[]> consumer, Map<TopicPartition, Long> unread) {
        for (TopicPartition partition : Set.copyOf(unread.keySet())) {
            if (consumer.position(partition) < unread.get(partition)) continue;
            unread.remove(partition);
            consumer.pause(List.of(partition));
        }
    }

    private static void write(DataOutputStream out, int topic, ConsumerRecord<byte[], byte[]> record) throws Exception {
        byte[] value = record.value();
        out.writeByte(topic);
        out.writeInt(record.partition());
        out.writeLong(record.offset());
        out.writeLong(record.timestamp());
        out.writeInt(value == null ? -1 : value.length);
        if (value != null) out.write(value);
    }
}
