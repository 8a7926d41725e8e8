import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonNode;
import java.nio.ByteBuffer;
import java.util.Iterator;
import java.util.Map;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecordsBuilder;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.common.utils.ByteBufferOutputStream;
import org.apache.kafka.common.utils.Utils;

/** Record batches and hashes by Kafka's own classes, of the newest version only. int64 is text in JSON, bytes base64. */
final class RecordOracle {
    static final Map<String, Oracle.Operation> OPERATIONS = Map.of(
        "writeBatches", RecordOracle::writeBatches,
        "readBatches", RecordOracle::readBatches,
        "murmur2", RecordOracle::murmur2);

    private RecordOracle() {
    }

    static void murmur2(JsonNode request, JsonGenerator result) throws Exception {
        result.writeStartArray();
        for (JsonNode key : request.get("keys")) result.writeNumber(Utils.murmur2(key.binaryValue()));
        result.writeEndArray();
    }

    static void writeBatches(JsonNode request, JsonGenerator result) throws Exception {
        result.writeStartArray();
        for (JsonNode batch : request.get("batches")) {
            ByteBuffer bytes = build(batch).buffer();
            result.writeBinary(bytes.array(), bytes.arrayOffset() + bytes.position(), bytes.remaining());
        }
        result.writeEndArray();
    }

    private static MemoryRecords build(JsonNode batch) throws Exception {
        boolean isLogAppendTime = batch.hasNonNull("logAppendTimeMs");
        boolean isControl = batch.get("isControl").asBoolean();
        long baseOffset = batch.get("baseOffset").asLong();
        MemoryRecordsBuilder builder = new MemoryRecordsBuilder(
            new ByteBufferOutputStream(512),
            RecordBatch.MAGIC_VALUE_V2,
            Compression.NONE,
            isLogAppendTime ? TimestampType.LOG_APPEND_TIME : TimestampType.CREATE_TIME,
            baseOffset,
            isLogAppendTime ? batch.get("logAppendTimeMs").asLong() : RecordBatch.NO_TIMESTAMP,
            batch.get("producerId").asLong(),
            (short) batch.get("producerEpoch").asInt(),
            batch.get("baseSequence").asInt(),
            batch.get("isTransactional").asBoolean(),
            isControl,
            batch.get("partitionLeaderEpoch").asInt(),
            Integer.MAX_VALUE);
        long offset = baseOffset;
        for (JsonNode record : batch.get("records")) {
            SimpleRecord simple = new SimpleRecord(
                record.get("timestamp").asLong(), bytes(record.get("key")), bytes(record.get("value")), headers(record.get("headers")));
            if (isControl) builder.appendControlRecordWithOffset(offset++, simple);
            else builder.appendWithOffset(offset++, simple);
        }
        return builder.build();
    }

    private static Header[] headers(JsonNode pairs) throws Exception {
        Header[] headers = new Header[pairs.size()];
        for (int i = 0; i < headers.length; i++) headers[i] = new RecordHeader(pairs.get(i).get(0).asText(), bytes(pairs.get(i).get(1)));
        return headers;
    }

    private static byte[] bytes(JsonNode node) throws Exception {
        return node.isNull() ? null : node.binaryValue();
    }

    /** What Kafka sees in batches that somebody else wrote: header and records, in the form that `writeBatches` takes. */
    static void readBatches(JsonNode request, JsonGenerator result) throws Exception {
        result.writeStartArray();
        for (JsonNode node : request.get("batches")) {
            Iterator<MutableRecordBatch> batches = MemoryRecords.readableRecords(ByteBuffer.wrap(node.binaryValue())).batches().iterator();
            MutableRecordBatch batch = batches.next();
            if (batches.hasNext()) throw new IllegalArgumentException("more than one batch");
            write(result, batch);
        }
        result.writeEndArray();
    }

    private static void write(JsonGenerator json, MutableRecordBatch batch) throws Exception {
        json.writeStartObject();
        json.writeBooleanField("isValid", batch.isValid());
        batch.ensureValid();
        json.writeNumberField("magic", batch.magic());
        json.writeStringField("compression", batch.compressionType().name);
        json.writeStringField("baseOffset", Long.toString(batch.baseOffset()));
        json.writeStringField("lastOffset", Long.toString(batch.lastOffset()));
        json.writeNumberField("partitionLeaderEpoch", batch.partitionLeaderEpoch());
        json.writeStringField("timestampType", batch.timestampType().toString());
        json.writeStringField("maxTimestamp", Long.toString(batch.maxTimestamp()));
        json.writeStringField("producerId", Long.toString(batch.producerId()));
        json.writeNumberField("producerEpoch", batch.producerEpoch());
        json.writeNumberField("baseSequence", batch.baseSequence());
        json.writeBooleanField("isTransactional", batch.isTransactional());
        json.writeBooleanField("isControl", batch.isControlBatch());
        json.writeArrayFieldStart("records");
        for (Record record : batch) write(json, record);
        json.writeEndArray();
        json.writeEndObject();
    }

    private static void write(JsonGenerator json, Record record) throws Exception {
        record.ensureValid();
        json.writeStartObject();
        json.writeStringField("offset", Long.toString(record.offset()));
        json.writeNumberField("timestamp", record.timestamp());
        json.writeFieldName("key");
        writeBytes(json, Utils.toNullableArray(record.key()));
        json.writeFieldName("value");
        writeBytes(json, Utils.toNullableArray(record.value()));
        json.writeArrayFieldStart("headers");
        for (Header header : record.headers()) {
            json.writeStartArray();
            json.writeString(header.key());
            writeBytes(json, header.value());
            json.writeEndArray();
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    private static void writeBytes(JsonGenerator json, byte[] bytes) throws Exception {
        if (bytes == null) json.writeNull();
        else json.writeBinary(bytes);
    }
}
