import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedOutputStream;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Kafka's own clients behind a line protocol: one JSON request a line on stdin, JSON answers on stdout.
 *
 * {"id":1,"op":"murmur2",...} is answered by any number of {"id":1,"part":...} and one {"id":1,"result":...} or
 * {"id":1,"error":"..."}. Requests run side by side. The end of stdin ends the process, whatever it is doing.
 */
public final class KafkaHelper {
    static final ObjectMapper JSON = new ObjectMapper();
    private static final int BUFFER_BYTES = 1 << 16;
    // Kafka prints to System.out here and there; the protocol must be the only one on the real stdout.
    private static final OutputStream OUT = new BufferedOutputStream(new FileOutputStream(FileDescriptor.out), BUFFER_BYTES);

    interface Operation {
        void run(JsonNode request, Reply reply) throws Exception;
    }

    interface Body {
        void write(JsonGenerator json) throws Exception;
    }

    static final class Reply {
        private final long id;

        Reply(long id) {
            this.id = id;
        }

        void part(Body body) throws Exception {
            line("part", body);
        }

        void result(Body body) throws Exception {
            line("result", body);
        }

        private void line(String field, Body body) throws Exception {
            java.io.ByteArrayOutputStream bytes = new java.io.ByteArrayOutputStream(BUFFER_BYTES);
            try (JsonGenerator json = JSON.getFactory().createGenerator(bytes)) {
                json.writeStartObject();
                json.writeNumberField("id", id);
                json.writeFieldName(field);
                body.write(json);
                json.writeEndObject();
            }
            bytes.write('\n');
            synchronized (OUT) {
                bytes.writeTo(OUT);
                OUT.flush();
            }
        }
    }

    private static final Map<String, Operation> OPERATIONS = new HashMap<>();

    static {
        OPERATIONS.put("createTopic", TopicOperations::create);
        OPERATIONS.put("deleteTopic", TopicOperations::delete);
        OPERATIONS.put("describeTopic", TopicOperations::describe);
        OPERATIONS.put("electLeaders", TopicOperations::electLeaders);
        OPERATIONS.put("endOffsets", RecordOperations::endOffsets);
        OPERATIONS.put("createPartitions", TopicOperations::createPartitions);
        OPERATIONS.put("read", RecordOperations::read);
        OPERATIONS.put("produce", RecordOperations::produce);
        OPERATIONS.put("murmur2", RecordOperations::murmur2);
        OPERATIONS.put("login", SecurityOperations::login);
        OPERATIONS.put("alterUsers", SecurityOperations::alterUsers);
        OPERATIONS.put("allow", SecurityOperations::allow);
        OPERATIONS.put("alterBroker", SecurityOperations::alterBroker);
        OPERATIONS.put("produceThrough", SecurityOperations::produceThrough);
    }

    public static void main(String[] args) throws Exception {
        System.setOut(System.err);
        ExecutorService workers = Executors.newCachedThreadPool();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            JsonNode request = JSON.readTree(line);
            workers.execute(() -> answer(request));
        }
        Runtime.getRuntime().halt(0);
    }

    private static void answer(JsonNode request) {
        Reply reply = new Reply(request.get("id").asLong());
        try {
            String name = request.get("op").asText();
            Operation operation = OPERATIONS.get(name);
            if (operation == null) throw new IllegalArgumentException("no operation " + name);
            operation.run(request, reply);
        } catch (Throwable error) {
            fail(reply, error instanceof ExecutionException && error.getCause() != null ? error.getCause() : error);
        }
    }

    private static void fail(Reply reply, Throwable error) {
        try {
            reply.line("error", json -> json.writeString(error.getClass().getSimpleName() + ": " + error.getMessage()));
        } catch (Exception broken) {
            // Nobody can be told any more.
            Runtime.getRuntime().halt(1);
        }
    }

    /** Client settings of a request: its bootstrap addresses, and its `properties`, which win over `defaults`. */
    static Properties clientProperties(JsonNode request, Map<String, String> defaults) {
        Properties properties = new Properties();
        properties.putAll(defaults);
        properties.put("bootstrap.servers", request.get("bootstrap").asText());
        request.path("properties").fields().forEachRemaining(entry -> properties.put(entry.getKey(), entry.getValue().asText()));
        return properties;
    }
}
