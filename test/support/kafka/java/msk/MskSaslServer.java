import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.UUID;
import javax.security.auth.callback.CallbackHandler;
import javax.security.sasl.SaslException;
import javax.security.sasl.SaslServer;
import javax.security.sasl.SaslServerFactory;

/** The broker's side of AWS_MSK_IAM: one request, one answer. */
public final class MskSaslServer implements SaslServer {
    private static final Duration CLOCK_TOLERANCE = Duration.ofMinutes(5);
    /** Kafka ends the session when the negotiated property of this name says so. */
    private static final String LIFETIME_PROPERTY = "CREDENTIAL.LIFETIME.MS";

    private final MskAccounts accounts;
    private String principal;
    private long expiresAtMs;

    public static final class Factory implements SaslServerFactory {
        @Override
        public SaslServer createSaslServer(
                String mechanism, String protocol, String serverName, Map<String, ?> properties, CallbackHandler handler) throws SaslException {
            if (handler instanceof MskAccounts) return new MskSaslServer((MskAccounts) handler);
            throw new SaslException("AWS_MSK_IAM: sasl.server.callback.handler.class must be MskAccounts");
        }

        @Override
        public String[] getMechanismNames(Map<String, ?> properties) {
            return new String[] {MskLoginModule.MECHANISM};
        }
    }

    private MskSaslServer(MskAccounts accounts) {
        this.accounts = accounts;
    }

    @Override
    public byte[] evaluateResponse(byte[] said) {
        if (principal != null) throw SignedRequest.refusal("all was said already");
        SignedRequest request = new SignedRequest(said);
        judge(request);
        principal = accounts.principalOf(request.key());
        expiresAtMs = request.expiresAt().toEpochMilli();
        String answer = "{\"version\":\"2020_10_22\",\"request-id\":\"" + UUID.randomUUID() + "\"}";
        return answer.getBytes(StandardCharsets.UTF_8);
    }

    private void judge(SignedRequest request) {
        if (!request.region().equals(accounts.region())) throw SignedRequest.refusal("signed for region " + request.region());
        if (!accounts.isOurHost(request.host())) throw SignedRequest.refusal("signed for host " + request.host());
        String key = request.key();
        String secret = accounts.secretOf(key);
        if (secret == null) throw SignedRequest.refusal("there is no access key " + key);
        Instant now = accounts.nowFor(key);
        if (request.signedAt().isAfter(now.plus(CLOCK_TOLERANCE))) throw SignedRequest.refusal("signed in the future");
        if (request.expiresAt().isBefore(now)) throw SignedRequest.refusal("the signature has expired");
        // The signature first: it covers the token, too.
        if (!request.isSignedBy(secret)) throw SignedRequest.refusal("the signature does not match");
        String token = accounts.tokenOf(key);
        boolean isRightToken = token == null ? request.token() == null : token.equals(request.token());
        if (!isRightToken) throw SignedRequest.refusal("the security token is not the one of " + key);
    }

    @Override
    public boolean isComplete() {
        return principal != null;
    }

    @Override
    public String getAuthorizationID() {
        return principal;
    }

    @Override
    public Object getNegotiatedProperty(String name) {
        return LIFETIME_PROPERTY.equals(name) && isComplete() ? expiresAtMs : null;
    }

    @Override
    public String getMechanismName() {
        return MskLoginModule.MECHANISM;
    }

    @Override
    public byte[] unwrap(byte[] incoming, int offset, int length) {
        throw new IllegalStateException("no layer was negotiated");
    }

    @Override
    public byte[] wrap(byte[] outgoing, int offset, int length) {
        throw new IllegalStateException("no layer was negotiated");
    }

    @Override
    public void dispose() {
    }
}
