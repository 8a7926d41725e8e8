import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.security.auth.callback.Callback;
import javax.security.auth.callback.UnsupportedCallbackException;
import javax.security.auth.login.AppConfigurationEntry;
import org.apache.kafka.common.security.auth.AuthenticateCallbackHandler;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerToken;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerTokenCallback;

/** Logs Kafka's client in with the token of the JAAS option `token`, whatever is in it. */
public final class FixedToken implements AuthenticateCallbackHandler {
    private static final long HOUR_MS = 3_600_000;

    private String token;

    @Override
    public void configure(Map<String, ?> configs, String mechanism, List<AppConfigurationEntry> entries) {
        token = (String) entries.get(0).getOptions().get("token");
    }

    @Override
    public void handle(Callback[] callbacks) throws UnsupportedCallbackException {
        for (Callback callback : callbacks) {
            if (callback instanceof OAuthBearerTokenCallback) ((OAuthBearerTokenCallback) callback).token(new Token(token));
            // It also asks for extensions, of which there are none.
            else if (!callback.getClass().getSimpleName().equals("SaslExtensionsCallback")) throw new UnsupportedCallbackException(callback);
        }
    }

    @Override
    public void close() {
    }

    private static final class Token implements OAuthBearerToken {
        private final String value;
        private final long startTimeMs = System.currentTimeMillis();

        Token(String value) {
            this.value = value;
        }

        @Override
        public String value() {
            return value;
        }

        @Override
        public Set<String> scope() {
            return Set.of();
        }

        @Override
        public long lifetimeMs() {
            return startTimeMs + HOUR_MS;
        }

        @Override
        public String principalName() {
            return "unknown";
        }

        @Override
        public Long startTimeMs() {
            return startTimeMs;
        }
    }
}
