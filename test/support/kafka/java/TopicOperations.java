import com.fasterxml.jackson.databind.JsonNode;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.errors.ElectionNotNeededException;

/** What Kafka's AdminClient does with topics. */
final class TopicOperations {
    private static final Map<String, String> DEFAULTS = Map.of("default.api.timeout.ms", "30000", "request.timeout.ms", "15000");

    private TopicOperations() {
    }

    static void create(JsonNode request, KafkaHelper.Reply reply) throws Exception {
        Map<String, String> configs = new HashMap<>();
        request.path("configs").fields().forEachRemaining(entry -> configs.put(entry.getKey(), entry.getValue().asText()));
        NewTopic topic = new NewTopic(topicOf(request), request.get("partitions").asInt(), (short) request.get("replicationFactor").asInt());
        try (Admin admin = admin(request)) {
            admin.createTopics(List.of(topic.configs(configs))).all().get();
        }
        reply.result(json -> json.writeNull());
    }

    static void delete(JsonNode request, KafkaHelper.Reply reply) throws Exception {
        try (Admin admin = admin(request)) {
            admin.deleteTopics(List.of(topicOf(request))).all().get();
        }
        reply.result(json -> json.writeNull());
    }

    static void createPartitions(JsonNode request, KafkaHelper.Reply reply) throws Exception {
        try (Admin admin = admin(request)) {
            NewPartitions total = NewPartitions.increaseTo(request.get("partitions").asInt());
            admin.createPartitions(Map.of(topicOf(request), total)).all().get();
        }
        reply.result(json -> json.writeNull());
    }

    static void describe(JsonNode request, KafkaHelper.Reply reply) throws Exception {
        try (Admin admin = admin(request)) {
            TopicDescription topic = describe(admin, topicOf(request));
            reply.result(json -> {
                json.writeStartArray();
                for (TopicPartitionInfo partition : topic.partitions()) {
                    json.writeStartObject();
                    json.writeNumberField("partition", partition.partition());
                    json.writeNumberField("leader", partition.leader() == null ? -1 : partition.leader().id());
                    json.writeFieldName("replicas");
                    json.writeArray(ids(partition.replicas()), 0, partition.replicas().size());
                    json.writeFieldName("isr");
                    json.writeArray(ids(partition.isr()), 0, partition.isr().size());
                    json.writeEndObject();
                }
                json.writeEndArray();
            });
        }
    }

    static void electLeaders(JsonNode request, KafkaHelper.Reply reply) throws Exception {
        try (Admin admin = admin(request)) {
            Set<TopicPartition> partitions = partitions(admin, topicOf(request));
            Map<TopicPartition, Optional<Throwable>> outcome = admin.electLeaders(ElectionType.PREFERRED, partitions).partitions().get();
            for (Optional<Throwable> error : outcome.values()) {
                if (error.isPresent() && !(error.get() instanceof ElectionNotNeededException)) throw new Exception(error.get());
            }
        }
        reply.result(json -> json.writeNull());
    }

    private static Admin admin(JsonNode request) {
        return Admin.create(KafkaHelper.clientProperties(request, DEFAULTS));
    }

    private static String topicOf(JsonNode request) {
        return request.get("topic").asText();
    }

    private static TopicDescription describe(Admin admin, String topic) throws Exception {
        return admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic);
    }

    private static Set<TopicPartition> partitions(Admin admin, String topic) throws Exception {
        Set<TopicPartition> partitions = new HashSet<>();
        for (TopicPartitionInfo info : describe(admin, topic).partitions()) partitions.add(new TopicPartition(topic, info.partition()));
        return partitions;
    }

    private static int[] ids(List<Node> nodes) {
        return nodes.stream().mapToInt(Node::id).toArray();
    }
}
