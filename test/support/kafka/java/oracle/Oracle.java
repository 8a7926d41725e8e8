import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedOutputStream;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/**
 * Kafka's own encoders and decoders behind the line protocol of KafkaHelper: {"id":1,"op":"messages",...} is answered by
 * {"id":1,"result":...} or {"id":1,"error":"..."}, in order. One request carries many messages, for speed.
 *
 * A program of its own, because it also runs on versions whose other classes KafkaHelper cannot be compiled with. The
 * arguments name the classes whose operations it has.
 */
public final class Oracle {
    // Kafka's definitions have comments.
    static final ObjectMapper JSON = new ObjectMapper().configure(JsonParser.Feature.ALLOW_COMMENTS, true);

    interface Operation {
        void run(JsonNode request, JsonGenerator result) throws Exception;
    }

    private Oracle() {
    }

    @SuppressWarnings("unchecked")
    public static void main(String[] classes) throws Exception {
        OutputStream out = new BufferedOutputStream(new FileOutputStream(FileDescriptor.out), 1 << 16);
        System.setOut(System.err);
        Map<String, Operation> operations = new HashMap<>();
        for (String name : classes) {
            operations.putAll((Map<String, Operation>) Class.forName(name).getDeclaredField("OPERATIONS").get(null));
        }
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8), 1 << 16);
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            out.write(answer(JSON.readTree(line), operations));
            out.write('\n');
            out.flush();
        }
        Runtime.getRuntime().halt(0);
    }

    private static byte[] answer(JsonNode request, Map<String, Operation> operations) throws Exception {
        try {
            Operation operation = operations.get(request.get("op").asText());
            if (operation == null) throw new IllegalArgumentException("no operation " + request.get("op"));
            return line(request, "result", json -> operation.run(request, json));
        } catch (Exception | LinkageError error) {
            return line(request, "error", json -> json.writeString(describe(error)));
        }
    }

    private interface Body {
        void write(JsonGenerator json) throws Exception;
    }

    private static byte[] line(JsonNode request, String field, Body body) throws Exception {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(1 << 12);
        try (JsonGenerator json = JSON.getFactory().createGenerator(bytes)) {
            // An error in the middle must not be hidden by one about unclosed brackets.
            json.disable(JsonGenerator.Feature.AUTO_CLOSE_JSON_CONTENT);
            json.writeStartObject();
            json.writeNumberField("id", request.get("id").asLong());
            json.writeFieldName(field);
            body.write(json);
            json.writeEndObject();
        }
        return bytes.toByteArray();
    }

    static String describe(Throwable error) {
        return error.getClass().getSimpleName() + ": " + error.getMessage();
    }
}
