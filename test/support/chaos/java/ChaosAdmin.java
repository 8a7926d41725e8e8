import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewPartitionReassignment;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;

/**
 * What chaos asks of Kafka's AdminClient: one client that lives as long as the run, because brokers come and go.
 *
 * One JSON request a line on stdin, answered in order by {"id":1,"result":...} or {"id":1,"error":"..."}. The first
 * argument is the list of bootstrap addresses. The end of stdin ends the process.
 */
public final class ChaosAdmin {
    private static final ObjectMapper JSON = new ObjectMapper();
    // Kafka prints to System.out here and there; the protocol must be the only one on the real stdout.
    private static final OutputStream OUT = new FileOutputStream(FileDescriptor.out);

    interface Body {
        void write(JsonGenerator json) throws Exception;
    }

    private ChaosAdmin() {
    }

    public static void main(String[] args) throws Exception {
        System.setOut(System.err);
        Map<String, Object> settings = Map.of(
            "bootstrap.servers", args[0],
            "request.timeout.ms", "4000",
            "default.api.timeout.ms", "15000",
            "reconnect.backoff.max.ms", "250",
            "socket.connection.setup.timeout.ms", "2000");
        try (Admin admin = Admin.create(settings)) {
            BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
            for (String line = in.readLine(); line != null; line = in.readLine()) answer(admin, JSON.readTree(line));
            Runtime.getRuntime().halt(0);
        }
    }

    private static void answer(Admin admin, JsonNode request) throws Exception {
        long id = request.get("id").asLong();
        try {
            reply(id, "result", perform(admin, request));
        } catch (Exception error) {
            Throwable cause = error instanceof ExecutionException && error.getCause() != null ? error.getCause() : error;
            reply(id, "error", json -> json.writeString(cause.getClass().getSimpleName() + ": " + cause.getMessage()));
        }
    }

    private static Body perform(Admin admin, JsonNode request) throws Exception {
        switch (request.get("op").asText()) {
            case "create": return create(admin, request);
            case "delete": return delete(admin, request);
            case "state": return state(admin, request);
            case "place": return place(admin, request);
            case "moving": return moving(admin);
            case "elect": return elect(admin, request);
            default: throw new IllegalArgumentException("no operation " + request.get("op"));
        }
    }

    private static Body create(Admin admin, JsonNode request) throws Exception {
        short replicas = (short) request.get("replicas").asInt();
        NewTopic topic = new NewTopic(request.get("topic").asText(), request.get("partitions").asInt(), replicas);
        admin.createTopics(List.of(topic)).all().get();
        return JsonGenerator::writeNull;
    }

    private static Body delete(Admin admin, JsonNode request) throws Exception {
        admin.deleteTopics(List.of(request.get("topic").asText())).all().get();
        return JsonGenerator::writeNull;
    }

    /** The active controller, and leader, replicas and in-sync replicas of each partition of the topics. */
    private static Body state(Admin admin, JsonNode request) throws Exception {
        int controller = admin.describeMetadataQuorum().quorumInfo().get().leaderId();
        Map<String, TopicDescription> topics = admin.describeTopics(names(request)).allTopicNames().get();
        return json -> {
            json.writeStartObject();
            json.writeNumberField("controller", controller);
            json.writeArrayFieldStart("partitions");
            for (TopicDescription topic : topics.values()) {
                for (TopicPartitionInfo partition : topic.partitions()) write(json, topic.name(), partition);
            }
            json.writeEndArray();
            json.writeEndObject();
        };
    }

    private static void write(JsonGenerator json, String topic, TopicPartitionInfo info) throws Exception {
        json.writeStartObject();
        json.writeStringField("topic", topic);
        json.writeNumberField("partition", info.partition());
        json.writeNumberField("leader", info.leader() == null ? -1 : info.leader().id());
        json.writeFieldName("replicas");
        json.writeArray(ids(info.replicas()), 0, info.replicas().size());
        json.writeFieldName("isr");
        json.writeArray(ids(info.isr()), 0, info.isr().size());
        json.writeEndObject();
    }

    /** Gives partitions these replicas, the preferred leader first; data are copied afterwards: see `moving`. */
    private static Body place(Admin admin, JsonNode request) throws Exception {
        Map<TopicPartition, Optional<NewPartitionReassignment>> wanted = new HashMap<>();
        for (JsonNode row : request.get("partitions")) {
            List<Integer> replicas = new ArrayList<>();
            for (JsonNode id : row.get("replicas")) replicas.add(id.asInt());
            TopicPartition partition = new TopicPartition(row.get("topic").asText(), row.get("partition").asInt());
            wanted.put(partition, Optional.of(new NewPartitionReassignment(replicas)));
        }
        admin.alterPartitionReassignments(wanted).all().get();
        return JsonGenerator::writeNull;
    }

    private static Body moving(Admin admin) throws Exception {
        int count = admin.listPartitionReassignments().reassignments().get().size();
        return json -> json.writeNumber(count);
    }

    /** Makes the preferred leaders leaders; answers how many partitions got one. */
    private static Body elect(Admin admin, JsonNode request) throws Exception {
        Set<TopicPartition> partitions = new HashSet<>();
        for (TopicDescription topic : admin.describeTopics(names(request)).allTopicNames().get().values()) {
            for (TopicPartitionInfo info : topic.partitions()) partitions.add(new TopicPartition(topic.name(), info.partition()));
        }
        // Those that lead already, or are not in sync, are errors of their own partition only.
        long elected = admin.electLeaders(ElectionType.PREFERRED, partitions).partitions().get().values().stream()
            .filter(Optional::isEmpty).count();
        return json -> json.writeNumber(elected);
    }

    private static List<String> names(JsonNode request) {
        List<String> names = new ArrayList<>();
        for (JsonNode name : request.get("topics")) names.add(name.asText());
        return names;
    }

    private static int[] ids(List<Node> nodes) {
        return nodes.stream().mapToInt(Node::id).toArray();
    }

    private static void reply(long id, String field, Body body) throws Exception {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (JsonGenerator json = JSON.getFactory().createGenerator(bytes)) {
            json.writeStartObject();
            json.writeNumberField("id", id);
            json.writeFieldName(field);
            body.write(json);
            json.writeEndObject();
        }
        bytes.write('\n');
        bytes.writeTo(OUT);
        OUT.flush();
    }
}
