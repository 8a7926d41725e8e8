import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.management.OperatingSystemMXBean;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.utils.AppInfoParser;

/**
 * Kafka's own producer as a contender: reads a job (see compare/job.ts), warms up, measures, answers in JSON. Its load
 * is that of Kafka's ProducerPerformance: send() with a callback for every record, from one thread.
 */
public final class ProducerContender {
    private static final int KEY_COUNT = 10_000;
    private static final int UNBOUNDED = 10_000;
    private static final int BUFFER_BYTES = 64 * 1024 * 1024;
    private static final int SUB_BITS = 6;
    private static final int SUB_COUNT = 1 << SUB_BITS;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final String topic;
    private final byte[][] values;
    private final byte[][] keys;
    private final KafkaProducer<byte[], byte[]> producer;
    /** One permit for each record that may be under way. */
    private final Semaphore room;
    private final AtomicLong acked = new AtomicLong();
    private final int[] latencies = new int[(32 - SUB_BITS) * SUB_COUNT + SUB_COUNT];
    private long latencyCount;
    private long latencyMaxUs;
    private long sent;
    private volatile Exception failure;

    private ProducerContender(JsonNode job, Properties properties) throws Exception {
        topic = job.get("topic").asText();
        int valueBytes = job.get("valueBytes").asInt();
        byte[] all = Files.readAllBytes(Path.of(job.get("values").asText()));
        values = new byte[job.get("valueCount").asInt()][];
        for (int i = 0; i < values.length; i++) values[i] = Arrays.copyOfRange(all, i * valueBytes, (i + 1) * valueBytes);
        keys = new byte[job.get("keyed").asBoolean() ? KEY_COUNT : 0][];
        for (int i = 0; i < keys.length; i++) keys[i] = String.format("key-%08d", i).getBytes(StandardCharsets.UTF_8);
        int concurrency = job.get("concurrency").asInt();
        room = new Semaphore(concurrency >= UNBOUNDED ? Integer.MAX_VALUE : concurrency);
        producer = new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer());
    }

    public static void main(String[] args) throws Exception {
        JsonNode job = JSON.readTree(new BufferedReader(new InputStreamReader(System.in)).readLine());
        Properties properties = new Properties();
        String linger = job.get("concurrency").asInt() == 1 ? "0" : "5";
        // A batch for each partition must fit into the buffer twice, or send() waits for memory more than for the broker.
        int partitions = job.get("keyed").asBoolean() ? job.get("partitions").asInt() : 1;
        String batchSize = String.valueOf(Math.min(1_000_000, BUFFER_BYTES / (2 * partitions)));
        properties.putAll(Map.of(
            ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, job.get("brokers").asText(),
            ProducerConfig.ACKS_CONFIG, "all",
            ProducerConfig.BATCH_SIZE_CONFIG, batchSize,
            ProducerConfig.LINGER_MS_CONFIG, linger,
            ProducerConfig.BUFFER_MEMORY_CONFIG, String.valueOf(BUFFER_BYTES),
            ProducerConfig.COMPRESSION_TYPE_CONFIG, job.get("compression").asText()));
        String settings = "acks=all batch.size=" + batchSize + " buffer.memory=" + BUFFER_BYTES + " linger.ms=" + linger + " compression.type="
            + job.get("compression").asText() + " enable.idempotence=true (default)";
        ProducerContender contender = new ProducerContender(job, properties);
        ObjectNode measures = contender.measure(job);
        contender.producer.close();
        System.out.println(measures.put("version", AppInfoParser.getVersion()).put("settings", settings));
    }

    private interface Phase {
        void run() throws Exception;
    }

    private ObjectNode measure(JsonNode job) throws Exception {
        String load = job.get("load").asText();
        int warmMs = job.get("warmMs").asInt();
        int measureMs = job.get("measureMs").asInt();
        if (load.equals("serial")) serial(warmMs);
        else flood(warmMs);
        double rate = load.equals("half") ? flood(warmMs) / 2 : job.get("ratePerSecond").asDouble();
        boolean isPaced = load.equals("half") || load.equals("rate");
        if (isPaced) atRate(rate, warmMs / 2);
        Phase phase = isPaced ? () -> atRate(rate, measureMs) : load.equals("serial") ? () -> serial(measureMs) : () -> flood(measureMs);
        ObjectNode measures = watch(phase);
        measures.put("offeredPerSecond", isPaced ? rate : 0);
        if (load.equals("closed")) measures.putNull("latencyUs");
        else measures.putObject("latencyUs").put("p50", quantile(0.5)).put("p99", quantile(0.99)).put("p999", quantile(0.999)).put("max", latencyMaxUs);
        return measures;
    }

    private ObjectNode watch(Phase phase) throws Exception {
        OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        long ackedBefore = acked.get();
        long gcBefore = gcMs();
        long cpuBefore = system.getProcessCpuTime();
        long start = System.nanoTime();
        phase.run();
        double seconds = (System.nanoTime() - start) / 1e9;
        return JSON.createObjectNode()
            .put("records", acked.get() - ackedBefore)
            .put("seconds", seconds)
            .put("cpuUs", (system.getProcessCpuTime() - cpuBefore) / 1e3)
            .put("gcShare", (gcMs() - gcBefore) / 1e3 / seconds)
            .put("rssBytes", rssPeakBytes())
            .put("acked", acked.get())
            .putNull("loopDelayP99Us");
    }

    private void send(Callback callback) throws Exception {
        room.acquire();
        byte[] key = keys.length == 0 ? null : keys[(int) (sent % keys.length)];
        producer.send(new ProducerRecord<>(topic, key, values[(int) (sent % values.length)]), callback);
        sent++;
    }

    private void onAck(Exception error) {
        if (error != null) failure = error;
        room.release();
        acked.incrementAndGet();
    }

    private void settle() throws Exception {
        producer.flush();
        while (acked.get() < sent) LockSupport.parkNanos(50_000);
        if (failure != null) throw failure;
    }

    /** @return records a second. */
    private double flood(int ms) throws Exception {
        long start = System.nanoTime();
        long before = acked.get();
        for (long i = 0; (i & 63) != 0 || System.nanoTime() - start < ms * 1_000_000L; i++) send((metadata, error) -> onAck(error));
        settle();
        return (acked.get() - before) / ((System.nanoTime() - start) / 1e9);
    }

    private void serial(int ms) throws Exception {
        forgetLatencies();
        long end = System.nanoTime() + ms * 1_000_000L;
        for (long start = System.nanoTime(); start < end; start = System.nanoTime()) {
            producer.send(new ProducerRecord<>(topic, values[(int) (sent++ % values.length)])).get();
            recordLatency((System.nanoTime() - start) / 1000);
            acked.incrementAndGet();
        }
    }

    private void atRate(double rate, int ms) throws Exception {
        forgetLatencies();
        double nsPerRecord = 1e9 / rate;
        long start = System.nanoTime();
        long issued = 0;
        for (long now = start; now - start < ms * 1_000_000L; now = System.nanoTime()) {
            long due = (long) ((now - start) / nsPerRecord) + 1;
            for (; issued < due; issued++) {
                long dueNs = start + (long) (issued * nsPerRecord);
                send((metadata, error) -> {
                    recordLatency((System.nanoTime() - dueNs) / 1000);
                    onAck(error);
                });
            }
            LockSupport.parkNanos(1_000_000);
        }
        settle();
    }

    private void forgetLatencies() {
        Arrays.fill(latencies, 0);
        latencyCount = 0;
        latencyMaxUs = 0;
    }

    /** From the producer's thread only, or from ours while that has nothing to do. */
    private void recordLatency(long us) {
        int value = (int) Math.max(0, Math.min(us, Integer.MAX_VALUE));
        int shift = value < 2 * SUB_COUNT ? 0 : 31 - Integer.numberOfLeadingZeros(value) - SUB_BITS;
        latencies[shift * SUB_COUNT + (value >> shift)]++;
        latencyCount++;
        latencyMaxUs = Math.max(latencyMaxUs, value);
    }

    private double quantile(double share) {
        long rank = Math.max(1, (long) Math.ceil(share * latencyCount));
        long seen = 0;
        for (int bucket = 0; bucket < latencies.length; bucket++) {
            seen += latencies[bucket];
            if (seen < rank) continue;
            if (bucket < 2 * SUB_COUNT) return bucket;
            return Math.min(latencyMaxUs, (SUB_COUNT + (bucket & (SUB_COUNT - 1)) + 0.5) * (1L << ((bucket >> SUB_BITS) - 1)));
        }
        return latencyMaxUs;
    }

    private static long gcMs() {
        return ManagementFactory.getGarbageCollectorMXBeans().stream().mapToLong(GarbageCollectorMXBean::getCollectionTime).sum();
    }

    /** 0 where the system does not say. */
    private static long rssPeakBytes() throws Exception {
        Path status = Path.of("/proc/self/status");
        if (!Files.exists(status)) return 0;
        return Files.readAllLines(status).stream().filter(line -> line.startsWith("VmHWM:"))
            .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024).findFirst().orElse(0);
    }
}
