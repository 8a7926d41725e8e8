package org.apache.kafka.clients.producer.internals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.Field;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.apache.kafka.common.Cluster;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.utils.LogContext;

/**
 * Kafka's own BuiltInPartitioner behind the line protocol of KafkaHelper. It lives in Kafka's package because what it
 * calls is not public.
 */
public final class PartitionerOracle {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String TOPIC = "t";

    private PartitionerOracle() {
    }

    public static void main(String[] args) throws Exception {
        PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), false, StandardCharsets.UTF_8);
        System.setOut(System.err);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            JsonNode request = JSON.readTree(line);
            ObjectNode answer = JSON.createObjectNode().put("id", request.get("id").asLong());
            try {
                answer.set("result", request.get("op").asText().equals("keys") ? keys(request) : sticky(request));
            } catch (Exception | LinkageError error) {
                answer.put("error", error.toString());
            }
            out.println(answer);
            out.flush();
        }
        Runtime.getRuntime().halt(0);
    }

    /** The partition of each key for each number of partitions. */
    private static ArrayNode keys(JsonNode request) throws Exception {
        ArrayNode result = JSON.createArrayNode();
        for (JsonNode key : request.get("keys")) {
            ArrayNode row = result.addArray();
            for (JsonNode count : request.get("counts")) row.add(BuiltInPartitioner.partitionForKey(key.binaryValue(), count.asInt()));
        }
        return result;
    }

    /** The partition of each step of each scenario. */
    private static ArrayNode sticky(JsonNode request) throws Exception {
        ArrayNode result = JSON.createArrayNode();
        for (JsonNode scenario : request.get("scenarios")) result.add(new Scenario(scenario).run());
        return result;
    }

    private static final class Scenario {
        private final JsonNode scenario;
        private final Cluster cluster;
        private final FixedRandom partitioner;

        Scenario(JsonNode scenario) throws Exception {
            this.scenario = scenario;
            cluster = clusterOf(scenario.get("partitionCount").asInt(), ints(scenario.get("available")));
            partitioner = new FixedRandom(scenario.get("stickyBytes").asInt(), scenario.get("randoms"), ints(scenario.get("available")).length);
        }

        /** As RecordAccumulator.append does it: partitionChanged, append, updatePartitionInfo. */
        ArrayNode run() {
            ArrayNode chosen = JSON.createArrayNode();
            load(scenario.get("queued"));
            for (JsonNode step : scenario.get("steps")) {
                BuiltInPartitioner.StickyPartitionInfo info = partitioner.peekCurrentPartitionInfo(cluster);
                if (!step.get("isOpenBefore").asBoolean()) {
                    partitioner.updatePartitionInfo(info, 0, cluster, true);
                    if (partitioner.isPartitionChanged(info)) info = partitioner.peekCurrentPartitionInfo(cluster);
                }
                chosen.add(info.partition());
                load(step.get("queued"));
                partitioner.updatePartitionInfo(info, step.get("bytes").asInt(), cluster, !step.get("isOpenAfter").asBoolean());
            }
            return chosen;
        }

        /** As RecordAccumulator.partitionReady does it: arrays for all partitions, filled for those with a leader. */
        private void load(JsonNode queued) {
            int[] available = ints(scenario.get("available"));
            int partitionCount = scenario.get("partitionCount").asInt();
            int[] queueSizes = new int[partitionCount];
            int[] partitionIds = new int[partitionCount];
            for (int i = 0; i < available.length; i++) {
                queueSizes[i] = queued.get(i).asInt();
                partitionIds[i] = available[i];
            }
            partitioner.updatePartitionLoadStats(queueSizes, partitionIds, available.length);
        }
    }

    /** Takes its randomness, numbers in [0, 1), from a list. */
    private static final class FixedRandom extends BuiltInPartitioner {
        private final JsonNode randoms;
        private final int availableCount;
        private final Field stats;
        private int next = 0;

        FixedRandom(int stickyBytes, JsonNode randoms, int availableCount) throws Exception {
            super(new LogContext(), TOPIC, stickyBytes);
            this.randoms = randoms;
            this.availableCount = availableCount;
            stats = BuiltInPartitioner.class.getDeclaredField("partitionLoadStats");
            stats.setAccessible(true);
        }

        @Override
        int randomPartition() {
            try {
                int range = stats.get(this) == null ? availableCount : loadStatsRangeEnd();
                return (int) (randoms.get(next++).asDouble() * range);
            } catch (IllegalAccessException error) {
                throw new IllegalStateException(error);
            }
        }
    }

    private static Cluster clusterOf(int partitionCount, int[] available) {
        Node node = new Node(1, "127.0.0.1", 1);
        List<PartitionInfo> partitions = new ArrayList<>();
        for (int i = 0; i < partitionCount; i++) {
            Node leader = java.util.Arrays.binarySearch(available, i) >= 0 ? node : null;
            partitions.add(new PartitionInfo(TOPIC, i, leader, new Node[] {node}, new Node[] {node}));
        }
        return new Cluster("c", List.of(node), partitions, Set.of(), Set.of());
    }

    private static int[] ints(JsonNode array) {
        int[] values = new int[array.size()];
        for (int i = 0; i < values.length; i++) values[i] = array.get(i).asInt();
        return values;
    }
}
