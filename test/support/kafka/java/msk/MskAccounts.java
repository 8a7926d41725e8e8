import java.time.Instant;
import java.util.List;
import java.util.Map;
import javax.security.auth.callback.Callback;
import javax.security.auth.callback.UnsupportedCallbackException;
import javax.security.auth.login.AppConfigurationEntry;
import org.apache.kafka.common.security.auth.AuthenticateCallbackHandler;

/**
 * Whom the broker lets in, from the options of its JAAS line:
 *
 * region="us-east-1" hosts="b-1...,boot-..." secret_KEY="..." token_KEY="..." principal_KEY="..." ahead_KEY="3600"
 *
 * `ahead`: the broker judges this key by a clock that is so many seconds ahead, because no client signs in the past.
 */
public final class MskAccounts implements AuthenticateCallbackHandler {
    private Map<String, ?> options = Map.of();

    @Override
    public void configure(Map<String, ?> configs, String mechanism, List<AppConfigurationEntry> entries) {
        options = entries.get(0).getOptions();
    }

    String region() {
        return option("region", "");
    }

    boolean isOurHost(String host) {
        return List.of(option("hosts", "").split(",")).contains(host);
    }

    /** Null: no such key. */
    String secretOf(String key) {
        return option("secret_" + key, null);
    }

    /** Null: the key is nobody's temporary one. */
    String tokenOf(String key) {
        return option("token_" + key, null);
    }

    String principalOf(String key) {
        return option("principal_" + key, "arn:aws:iam::123456789012:user/" + key);
    }

    Instant nowFor(String key) {
        return Instant.now().plusSeconds(Long.parseLong(option("ahead_" + key, "0")));
    }

    private String option(String name, String otherwise) {
        Object value = options.get(name);
        return value == null ? otherwise : value.toString();
    }

    @Override
    public void handle(Callback[] callbacks) throws UnsupportedCallbackException {
        throw new UnsupportedCallbackException(callbacks[0]);
    }

    @Override
    public void close() {
    }
}
