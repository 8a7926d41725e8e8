import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.msk.auth.iam.internals.AWS4SignedPayloadGenerator;
import software.amazon.msk.auth.iam.internals.AuthenticationRequestParams;

/** What AWS's own plug-in says to a broker, behind the line protocol of KafkaHelper. */
public final class AwsOracle {
    private static final ObjectMapper JSON = new ObjectMapper();

    private AwsOracle() {
    }

    public static void main(String[] args) throws Exception {
        PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), false, StandardCharsets.UTF_8);
        System.setOut(System.err);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            JsonNode request = JSON.readTree(line);
            ObjectNode answer = JSON.createObjectNode().put("id", request.get("id").asLong());
            try {
                ArrayNode payloads = answer.putArray("result");
                for (JsonNode login : request.get("logins")) payloads.add(payload(login));
            } catch (Exception | LinkageError error) {
                answer.put("error", error.toString());
            }
            out.println(answer);
            out.flush();
        }
        Runtime.getRuntime().halt(0);
    }

    private static JsonNode payload(JsonNode login) throws Exception {
        String key = login.get("accessKeyId").asText();
        String secret = login.get("secretAccessKey").asText();
        AwsCredentials credentials = login.hasNonNull("sessionToken")
            ? AwsSessionCredentials.create(key, secret, login.get("sessionToken").asText())
            : AwsBasicCredentials.create(key, secret);
        AuthenticationRequestParams params =
            AuthenticationRequestParams.create(login.get("host").asText(), credentials, login.get("userAgent").asText());
        return JSON.readTree(new AWS4SignedPayloadGenerator().signedPayload(params));
    }
}
