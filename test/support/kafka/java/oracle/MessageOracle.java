import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.InputStream;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.ObjectSerializationCache;

/** Messages by Kafka's generated classes: `<name>Data` and `<name>DataJsonConverter`, of any Kafka since 2.8. */
final class MessageOracle {
    static final Map<String, Oracle.Operation> OPERATIONS = Map.of(
        "definition", MessageOracle::definition,
        "messages", MessageOracle::messages);

    private static final Map<String, MessageOracle> BY_NAME = new HashMap<>();

    private final Constructor<?> constructor;
    private final Method fromJson;

    private MessageOracle(String name) throws ReflectiveOperationException {
        String data = "org.apache.kafka.common.message." + name + "Data";
        constructor = Class.forName(data).getConstructor();
        fromJson = Class.forName(data + "JsonConverter").getMethod("read", JsonNode.class, short.class);
    }

    private static MessageOracle of(String name) throws ReflectiveOperationException {
        MessageOracle known = BY_NAME.get(name);
        if (known == null) BY_NAME.put(name, known = new MessageOracle(name));
        return known;
    }

    /** The definition that the classes of `name` are generated from; null: this Kafka has none. */
    static void definition(JsonNode request, JsonGenerator result) throws Exception {
        String file = "/common/message/" + request.get("name").asText() + ".json";
        try (InputStream in = Message.class.getResourceAsStream(file)) {
            if (in == null) result.writeNull();
            else Oracle.JSON.writeTree(result, Oracle.JSON.readTree(in));
        }
    }

    /**
     * For each of `values`, which are texts of Kafka's JSON for `jsonVersion`: [its bytes in `version`, what reading the bytes at
     * the same place of `ours` gave]. Bytes are base64, or what went wrong as {"error":...}; null for `ours`: read, and
     * equal to the value.
     */
    static void messages(JsonNode request, JsonGenerator result) throws Exception {
        MessageOracle type = of(request.get("name").asText());
        short jsonVersion = (short) request.get("jsonVersion").asInt();
        short version = (short) request.get("version").asInt();
        JsonNode ours = request.get("ours");
        result.writeStartArray();
        int i = 0;
        for (JsonNode value : request.get("values")) {
            Message data = type.read(withBinaryRecords(Oracle.JSON.readTree(value.asText())), jsonVersion);
            result.writeStartArray();
            try {
                result.writeBinary(bytesOf(data, version));
            } catch (RuntimeException refused) {
                writeError(result, Oracle.describe(refused));
            }
            JsonNode bytes = ours.path(i++);
            String difference = bytes.isTextual() ? type.differenceOf(data, bytes.binaryValue(), version) : null;
            if (difference == null) result.writeNull();
            else writeError(result, difference);
            result.writeEndArray();
        }
        result.writeEndArray();
    }

    /** 2.8 takes records from a node that is binary already, which none read from text is. */
    private static JsonNode withBinaryRecords(JsonNode node) throws Exception {
        for (JsonNode child : node) withBinaryRecords(child);
        if (node.path("records").isTextual()) ((ObjectNode) node).put("records", node.get("records").binaryValue());
        return node;
    }

    private static void writeError(JsonGenerator result, String what) throws Exception {
        result.writeStartObject();
        result.writeStringField("error", what);
        result.writeEndObject();
    }

    private Message read(JsonNode json, short version) throws Exception {
        try {
            return (Message) fromJson.invoke(null, json, version);
        } catch (InvocationTargetException error) {
            throw new IllegalArgumentException(Oracle.describe(error.getCause()) + " in " + json, error);
        }
    }

    private static byte[] bytesOf(Message data, short version) {
        ObjectSerializationCache cache = new ObjectSerializationCache();
        ByteBuffer buffer = ByteBuffer.allocate(data.size(cache, version));
        data.write(new ByteBufferAccessor(buffer), cache, version);
        if (buffer.hasRemaining()) throw new IllegalStateException(buffer.remaining() + " bytes fewer than announced");
        return buffer.array();
    }

    private String differenceOf(Message expected, byte[] bytes, short version) throws Exception {
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        Message read = (Message) constructor.newInstance();
        try {
            read.read(new ByteBufferAccessor(buffer), version);
        } catch (RuntimeException refused) {
            return Oracle.describe(refused);
        }
        if (buffer.hasRemaining()) return buffer.remaining() + " bytes left over";
        return read.equals(expected) ? null : "reads as " + read;
    }
}
