import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Future;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.utils.Utils;

/** What Kafka's consumer, producer and partitioner do with records. Bytes are base64 in JSON. */
final class RecordOperations {
    private static final Map<String, String> CONSUMER_DEFAULTS = Map.of(
        "enable.auto.commit", "false",
        "allow.auto.create.topics", "false",
        "auto.offset.reset", "earliest",
        "max.poll.records", "10000",
        "max.partition.fetch.bytes", "8388608");

    private RecordOperations() {
    }

    /** Everything from the beginning to the end offsets of now, or the first `count` records whenever they come. */
    static void read(JsonNode request, KafkaHelper.Reply reply) throws Exception {
        String topic = request.get("topic").asText();
        long wanted = request.hasNonNull("count") ? request.get("count").asLong() : Long.MAX_VALUE;
        long deadline = System.currentTimeMillis() + request.get("timeoutMs").asLong();
        Properties properties = KafkaHelper.clientProperties(request, CONSUMER_DEFAULTS);
        properties.putIfAbsent("default.api.timeout.ms", request.get("timeoutMs").asText());
        properties.putIfAbsent("request.timeout.ms", request.get("timeoutMs").asText());
        long seen = 0;
        try (Consumer<byte[], byte[]> consumer = consumer(properties)) {
            List<TopicPartition> partitions = partitions(consumer, topic);
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            while (seen < wanted && (wanted != Long.MAX_VALUE || !isRead(consumer, ends))) {
                if (System.currentTimeMillis() > deadline) throw new TimeoutException(progress(topic, seen, wanted, ends));
                ConsumerRecords<byte[], byte[]> polled = consumer.poll(java.time.Duration.ofMillis(100));
                seen += writeUpTo(polled, wanted - seen, ends, wanted == Long.MAX_VALUE, reply);
            }
        }
        long total = seen;
        reply.result(json -> json.writeNumber(total));
    }

    /** By a consumer and not by AdminClient, which cannot ask a broker before 0.10.1. */
    static void endOffsets(JsonNode request, KafkaHelper.Reply reply) throws Exception {
        Map<TopicPartition, Long> ends;
        try (Consumer<byte[], byte[]> consumer = consumer(KafkaHelper.clientProperties(request, CONSUMER_DEFAULTS))) {
            ends = consumer.endOffsets(partitions(consumer, request.get("topic").asText()));
        }
        long[] offsets = new long[ends.size()];
        ends.forEach((partition, end) -> offsets[partition.partition()] = end);
        reply.result(json -> {
            json.writeStartArray();
            for (long offset : offsets) json.writeString(Long.toString(offset));
            json.writeEndArray();
        });
    }

    private static Consumer<byte[], byte[]> consumer(Properties properties) {
        return new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    private static List<TopicPartition> partitions(Consumer<byte[], byte[]> consumer, String topic) {
        List<TopicPartition> partitions = consumer.partitionsFor(topic).stream()
            .map(info -> new TopicPartition(topic, info.partition())).collect(Collectors.toList());
        // Nothing to read and nothing to read from are not the same to a test.
        if (partitions.isEmpty()) throw new UnknownTopicOrPartitionException(topic);
        return partitions;
    }

    private static boolean isRead(Consumer<byte[], byte[]> consumer, Map<TopicPartition, Long> ends) {
        for (Map.Entry<TopicPartition, Long> end : ends.entrySet()) {
            if (consumer.position(end.getKey()) < end.getValue()) return false;
        }
        return true;
    }

    private static String progress(String topic, long seen, long wanted, Map<TopicPartition, Long> ends) {
        String target = wanted == Long.MAX_VALUE ? "the end offsets" : wanted + " records";
        return "read " + seen + " records of " + topic + " and not " + target + "; end offsets at the start were " + ends;
    }

    private static long writeUpTo(
            ConsumerRecords<byte[], byte[]> polled, long most, Map<TopicPartition, Long> ends, boolean stopAtEnds, KafkaHelper.Reply reply)
            throws Exception {
        List<ConsumerRecord<byte[], byte[]>> taken = new ArrayList<>();
        for (ConsumerRecord<byte[], byte[]> record : polled) {
            boolean isLater = stopAtEnds && record.offset() >= ends.get(new TopicPartition(record.topic(), record.partition()));
            if (!isLater && taken.size() < most) taken.add(record);
        }
        if (!taken.isEmpty()) {
            reply.part(json -> {
                json.writeStartArray();
                for (ConsumerRecord<byte[], byte[]> record : taken) write(json, record);
                json.writeEndArray();
            });
        }
        return taken.size();
    }

    /** As an array: names would be half of the bytes of a small record. */
    private static void write(JsonGenerator json, ConsumerRecord<byte[], byte[]> record) throws Exception {
        json.writeStartArray();
        json.writeNumber(record.partition());
        json.writeString(Long.toString(record.offset()));
        json.writeNumber(record.timestamp());
        json.writeString(record.timestampType().toString());
        writeBytes(json, record.key());
        writeBytes(json, record.value());
        json.writeStartArray();
        for (Header header : record.headers()) {
            json.writeString(header.key());
            writeBytes(json, header.value());
        }
        json.writeEndArray();
        json.writeEndArray();
    }

    private static void writeBytes(JsonGenerator json, byte[] bytes) throws Exception {
        if (bytes == null) json.writeNull();
        else json.writeBinary(bytes);
    }

    static void produce(JsonNode request, KafkaHelper.Reply reply) throws Exception {
        Properties properties = KafkaHelper.clientProperties(request, Map.of("delivery.timeout.ms", "30000", "request.timeout.ms", "15000"));
        List<RecordMetadata> written = new ArrayList<>();
        try (Producer<byte[], byte[]> producer = new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer())) {
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            for (JsonNode node : request.get("records")) sent.add(producer.send(record(request.get("topic").asText(), node)));
            producer.flush();
            for (Future<RecordMetadata> one : sent) written.add(one.get());
        }
        reply.result(json -> {
            json.writeStartArray();
            for (RecordMetadata metadata : written) {
                json.writeStartArray();
                json.writeNumber(metadata.partition());
                json.writeString(Long.toString(metadata.offset()));
                json.writeEndArray();
            }
            json.writeEndArray();
        });
    }

    private static ProducerRecord<byte[], byte[]> record(String topic, JsonNode node) throws Exception {
        Integer partition = node.hasNonNull("partition") ? node.get("partition").asInt() : null;
        Long timestamp = node.hasNonNull("timestamp") ? node.get("timestamp").asLong() : null;
        ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(topic, partition, timestamp, bytes(node.get("key")), bytes(node.get("value")));
        for (JsonNode header : node.path("headers")) record.headers().add(header.get(0).asText(), bytes(header.get(1)));
        return record;
    }

    private static byte[] bytes(JsonNode node) throws Exception {
        return node == null || node.isNull() ? null : node.binaryValue();
    }

    /** For each key: its hash, then the partition that Java's producer takes for each of the partition counts. */
    static void murmur2(JsonNode request, KafkaHelper.Reply reply) throws Exception {
        reply.result(json -> {
            json.writeStartArray();
            for (JsonNode node : request.get("keys")) {
                byte[] key = node.binaryValue();
                json.writeStartArray();
                json.writeNumber(Utils.murmur2(key));
                for (JsonNode count : request.get("partitionCounts")) json.writeNumber(BuiltInPartitioner.partitionForKey(key, count.asInt()));
                json.writeEndArray();
            }
            json.writeEndArray();
        });
    }
}
