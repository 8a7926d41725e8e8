import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ScramCredentialInfo;
import org.apache.kafka.clients.admin.ScramMechanism;
import org.apache.kafka.clients.admin.UserScramCredentialAlteration;
import org.apache.kafka.clients.admin.UserScramCredentialDeletion;
import org.apache.kafka.clients.admin.UserScramCredentialUpsertion;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** What Kafka's clients do about users, rights, certificates and sessions. */
final class SecurityOperations {
    private static final Map<String, String> DEFAULTS = Map.of("default.api.timeout.ms", "30000", "request.timeout.ms", "15000");
    private static final ScramMechanism[] MECHANISMS = {ScramMechanism.SCRAM_SHA_256, ScramMechanism.SCRAM_SHA_512};
    private static final int ITERATIONS = 4096;
    private static final String REAUTHENTICATIONS = "successful-reauthentication-total";

    private SecurityOperations() {
    }

    /** Resolves to nothing where the broker lets the client in. */
    static void login(JsonNode request, KafkaHelper.Reply reply) throws Exception {
        try (Admin admin = admin(request)) {
            admin.describeCluster().nodes().get();
        }
        reply.result(json -> json.writeNull());
    }

    /** `users` is pairs of names and new passwords, for both kinds of SCRAM; null: the user has none any more. */
    static void alterUsers(JsonNode request, KafkaHelper.Reply reply) throws Exception {
        try (Admin admin = admin(request)) {
            // One request may name a user only once.
            for (ScramMechanism mechanism : MECHANISMS) {
                List<UserScramCredentialAlteration> alterations = new ArrayList<>();
                for (JsonNode user : request.get("users")) alterations.add(alteration(user, mechanism));
                admin.alterUserScramCredentials(alterations).all().get();
            }
        }
        reply.result(json -> json.writeNull());
    }

    private static UserScramCredentialAlteration alteration(JsonNode user, ScramMechanism mechanism) {
        String name = user.get(0).asText();
        if (user.get(1).isNull()) return new UserScramCredentialDeletion(name, mechanism);
        ScramCredentialInfo info = new ScramCredentialInfo(mechanism, ITERATIONS);
        return new UserScramCredentialUpsertion(name, info, user.get(1).asText().getBytes(StandardCharsets.UTF_8));
    }

    static void allow(JsonNode request, KafkaHelper.Reply reply) throws Exception {
        ResourcePattern topic = new ResourcePattern(ResourceType.TOPIC, request.get("topic").asText(), PatternType.LITERAL);
        List<AclBinding> bindings = new ArrayList<>();
        for (JsonNode operation : request.get("operations")) {
            AclOperation what = AclOperation.fromString(operation.asText());
            bindings.add(new AclBinding(topic, new AccessControlEntry(request.get("principal").asText(), "*", what, AclPermissionType.ALLOW)));
        }
        try (Admin admin = admin(request)) {
            admin.createAcls(bindings).all().get();
        }
        reply.result(json -> json.writeNull());
    }

    static void alterBroker(JsonNode request, KafkaHelper.Reply reply) throws Exception {
        Collection<AlterConfigOp> changes = new ArrayList<>();
        request.get("configs").fields().forEachRemaining(config -> changes.add(
            new AlterConfigOp(new ConfigEntry(config.getKey(), config.getValue().asText()), AlterConfigOp.OpType.SET)));
        ConfigResource broker = new ConfigResource(ConfigResource.Type.BROKER, request.get("node").asText());
        try (Admin admin = admin(request)) {
            admin.incrementalAlterConfigs(Map.of(broker, changes)).all().get();
        }
        reply.result(json -> json.writeNull());
    }

    /** One record after the other, until the producer has logged in again `times` times; answers how many were written. */
    static void produceThrough(JsonNode request, KafkaHelper.Reply reply) throws Exception {
        long deadline = System.currentTimeMillis() + request.get("timeoutMs").asLong();
        Properties properties = KafkaHelper.clientProperties(request, Map.of());
        long written = 0;
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer())) {
            while (reauthentications(producer) < request.get("times").asDouble()) {
                if (System.currentTimeMillis() > deadline) {
                    throw new TimeoutException("logged in again " + reauthentications(producer) + " times, wrote " + written);
                }
                send(producer, request.get("topic").asText());
                written++;
            }
        }
        long total = written;
        reply.result(json -> json.writeNumber(total));
    }

    private static void send(KafkaProducer<byte[], byte[]> producer, String topic) throws Exception {
        try {
            producer.send(new ProducerRecord<>(topic, new byte[0])).get();
        } catch (ExecutionException error) {
            throw error.getCause() instanceof Exception ? (Exception) error.getCause() : error;
        }
    }

    private static double reauthentications(KafkaProducer<byte[], byte[]> producer) {
        return producer.metrics().values().stream().filter(metric -> metric.metricName().name().equals(REAUTHENTICATIONS))
            .mapToDouble(metric -> (Double) metric.metricValue()).sum();
    }

    private static Admin admin(JsonNode request) {
        return Admin.create(KafkaHelper.clientProperties(request, DEFAULTS));
    }
}
