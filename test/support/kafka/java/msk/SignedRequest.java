import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.time.ZoneOffset;
import java.util.HexFormat;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.apache.kafka.common.errors.SaslAuthenticationException;

/** What a client says: a presigned request to connect. Its signature is recomputed with the JDK alone. */
final class SignedRequest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final DateTimeFormatter DATE = DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'").withZone(ZoneOffset.UTC);
    private static final String SERVICE = "kafka-cluster";
    private static final String EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    private static final Set<String> NAMES = Set.of(
        "version", "host", "user-agent", "action", "x-amz-algorithm", "x-amz-credential", "x-amz-date",
        "x-amz-signedheaders", "x-amz-expires", "x-amz-signature");
    private static final String TOKEN = "x-amz-security-token";

    private final Map<String, String> fields = new TreeMap<>();
    private final String[] scope;

    /** @throws SaslAuthenticationException it is not what AWS's own client would say, whoever signed it. */
    SignedRequest(byte[] said) {
        read(said);
        Set<String> names = new TreeSet<>(fields.keySet());
        names.remove(TOKEN);
        if (!names.equals(NAMES)) throw refusal("the fields are " + names);
        require("version", "2020_10_22");
        require("action", "kafka-cluster:Connect");
        require("x-amz-algorithm", "AWS4-HMAC-SHA256");
        require("x-amz-signedheaders", "host");
        if (!get("user-agent").matches("[ -~]+")) throw refusal("the user agent is not plain text");
        scope = get("x-amz-credential").split("/");
        if (scope.length < 5 || !scope[scope.length - 2].equals(SERVICE) || !scope[scope.length - 1].equals("aws4_request")) {
            throw refusal("the credential's scope is malformed");
        }
    }

    private void read(byte[] said) {
        try {
            JsonNode tree = JSON.readTree(said);
            tree.fields().forEachRemaining(field -> {
                if (!field.getValue().isTextual()) throw refusal(field.getKey() + " is not a string");
                fields.put(field.getKey(), field.getValue().asText());
            });
        } catch (java.io.IOException error) {
            throw refusal("that is not JSON");
        }
    }

    String host() {
        return get("host");
    }

    /** It may hold slashes itself; the scope behind it has four parts. */
    String key() {
        String credential = get("x-amz-credential");
        for (int i = 0; i < 4; i++) credential = credential.substring(0, credential.lastIndexOf('/'));
        return credential;
    }

    String region() {
        return scope[scope.length - 3];
    }

    /** Null: none. */
    String token() {
        return fields.get(TOKEN);
    }

    Instant signedAt() {
        try {
            Instant instant = Instant.from(DATE.parse(get("x-amz-date")));
            if (!scope[scope.length - 4].equals(get("x-amz-date").substring(0, 8))) throw refusal("two dates");
            return instant;
        } catch (java.time.DateTimeException error) {
            throw refusal("the date is malformed");
        }
    }

    Instant expiresAt() {
        String seconds = get("x-amz-expires");
        if (!seconds.matches("[1-9][0-9]{0,2}") || Integer.parseInt(seconds) > 900) throw refusal("it expires after " + seconds);
        return signedAt().plusSeconds(Long.parseLong(seconds));
    }

    boolean isSignedBy(String secret) {
        try {
            byte[] told = get("x-amz-signature").getBytes(StandardCharsets.UTF_8);
            return MessageDigest.isEqual(signature(secret).getBytes(StandardCharsets.UTF_8), told);
        } catch (GeneralSecurityException error) {
            throw new IllegalStateException(error);
        }
    }

    private String signature(String secret) throws GeneralSecurityException {
        String date = get("x-amz-date").substring(0, 8);
        String scopeText = String.join("/", date, region(), SERVICE, "aws4_request");
        String canonical = String.join("\n", "GET", "/", query(), "host:" + host(), "", "host", EMPTY_SHA256);
        String hash = hex(MessageDigest.getInstance("SHA-256").digest(canonical.getBytes(StandardCharsets.UTF_8)));
        String toSign = String.join("\n", "AWS4-HMAC-SHA256", get("x-amz-date"), scopeText, hash);
        byte[] key = ("AWS4" + secret).getBytes(StandardCharsets.UTF_8);
        for (String part : new String[] {date, region(), SERVICE, "aws4_request", toSign}) key = hmac(key, part);
        return hex(key);
    }

    private String query() {
        Map<String, String> query = new TreeMap<>();
        query.put("Action", get("action"));
        query.put("X-Amz-Algorithm", get("x-amz-algorithm"));
        query.put("X-Amz-Credential", get("x-amz-credential"));
        query.put("X-Amz-Date", get("x-amz-date"));
        query.put("X-Amz-Expires", get("x-amz-expires"));
        if (token() != null) query.put("X-Amz-Security-Token", token());
        query.put("X-Amz-SignedHeaders", get("x-amz-signedheaders"));
        StringBuilder text = new StringBuilder();
        query.forEach((name, value) -> text.append(text.length() == 0 ? "" : "&").append(name).append('=').append(encode(value)));
        return text.toString();
    }

    /** RFC 3986, byte by byte. */
    private static String encode(String value) {
        StringBuilder text = new StringBuilder();
        for (byte b : value.getBytes(StandardCharsets.UTF_8)) {
            boolean isFree = b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || "-._~".indexOf(b) >= 0;
            text.append(isFree ? String.valueOf((char) b) : String.format("%%%02X", b));
        }
        return text.toString();
    }

    private static byte[] hmac(byte[] key, String text) throws GeneralSecurityException {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(key, "HmacSHA256"));
        return mac.doFinal(text.getBytes(StandardCharsets.UTF_8));
    }

    private static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }

    private void require(String name, String value) {
        if (!get(name).equals(value)) throw refusal(name + " is not " + value);
    }

    private String get(String name) {
        return fields.get(name);
    }

    static SaslAuthenticationException refusal(String why) {
        // Other exceptions than this one do not reach the client.
        return new SaslAuthenticationException("Access denied: " + why);
    }
}
