import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import javax.security.auth.callback.Callback;
import javax.security.auth.callback.NameCallback;
import org.apache.kafka.common.security.oauthbearer.internals.OAuthBearerClientInitialResponse;
import org.apache.kafka.common.security.plain.PlainAuthenticateCallback;
import org.apache.kafka.common.security.plain.internals.PlainSaslServer;
import org.apache.kafka.common.security.scram.ScramCredential;
import org.apache.kafka.common.security.scram.ScramCredentialCallback;
import org.apache.kafka.common.security.scram.internals.ScramFormatter;
import org.apache.kafka.common.security.scram.internals.ScramMechanism;
import org.apache.kafka.common.security.scram.internals.ScramSaslServer;

/** The server side of Kafka's SASL mechanisms behind the line protocol of KafkaHelper. */
public final class SaslOracle {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final List<ScramSaslServer> SERVERS = new ArrayList<>();

    private SaslOracle() {
    }

    public static void main(String[] args) throws Exception {
        PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), false, StandardCharsets.UTF_8);
        System.setOut(System.err);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            JsonNode request = JSON.readTree(line);
            ObjectNode answer = JSON.createObjectNode().put("id", request.get("id").asLong());
            try {
                answer.set("result", run(request));
            } catch (Exception | LinkageError error) {
                answer.put("error", error.toString());
            }
            out.println(answer);
            out.flush();
        }
        Runtime.getRuntime().halt(0);
    }

    private static JsonNode run(JsonNode request) throws Exception {
        byte[] message = request.get("message").binaryValue();
        return switch (request.get("op").asText()) {
            case "scramFirst" -> scramFirst(request, message);
            case "scramFinal" -> scramFinal(SERVERS.get(request.get("server").asInt()), message);
            case "plain" -> plain(request, message);
            default -> oauthBearer(message);
        };
    }

    /** A new server that knows one user, and its answer to the first message. */
    private static JsonNode scramFirst(JsonNode request, byte[] message) throws Exception {
        ScramMechanism mechanism = ScramMechanism.forMechanismName(request.get("mechanism").asText());
        ScramCredential credential =
            new ScramFormatter(mechanism).generateCredential(request.get("password").asText(), request.get("iterations").asInt());
        ScramSaslServer server = new ScramSaslServer(mechanism, Map.of(), callbacks -> {
            String user = null;
            for (Callback callback : callbacks) {
                if (callback instanceof NameCallback name) user = name.getDefaultName();
                else if (callback instanceof ScramCredentialCallback found && request.get("user").asText().equals(user)) {
                    found.scramCredential(credential);
                }
            }
        });
        SERVERS.add(server);
        ObjectNode result = JSON.createObjectNode().put("server", SERVERS.size() - 1);
        return result.put("answer", server.evaluateResponse(message));
    }

    private static JsonNode scramFinal(ScramSaslServer server, byte[] message) throws Exception {
        ObjectNode result = JSON.createObjectNode().put("answer", server.evaluateResponse(message));
        return result.put("isIn", server.isComplete()).put("user", server.isComplete() ? server.getAuthorizationID() : null);
    }

    private static JsonNode plain(JsonNode request, byte[] message) throws Exception {
        PlainSaslServer server = new PlainSaslServer(callbacks -> {
            String user = null;
            for (Callback callback : callbacks) {
                if (callback instanceof NameCallback name) user = name.getDefaultName();
                else if (callback instanceof PlainAuthenticateCallback plain) {
                    plain.authenticated(request.get("user").asText().equals(user)
                        && request.get("password").asText().equals(new String(plain.password())));
                }
            }
        });
        server.evaluateResponse(message);
        return JSON.createObjectNode().put("isIn", server.isComplete()).put("user", server.getAuthorizationID());
    }

    private static JsonNode oauthBearer(byte[] message) throws Exception {
        OAuthBearerClientInitialResponse response = new OAuthBearerClientInitialResponse(message);
        ObjectNode result = JSON.createObjectNode().put("token", response.tokenValue());
        result.put("authorizationId", response.authorizationId());
        return result.set("extensions", JSON.valueToTree(response.extensions().map()));
    }
}
