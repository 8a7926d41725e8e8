import java.security.Provider;
import java.security.Security;
import java.util.Map;
import javax.security.auth.Subject;
import javax.security.auth.callback.CallbackHandler;
import javax.security.auth.spi.LoginModule;

/**
 * Makes a stock broker know AWS_MSK_IAM: loading this class registers the mechanism with the JVM.
 *
 * The module itself has nobody to log in; its options say who may: see MskAccounts.
 */
public final class MskLoginModule implements LoginModule {
    static final String MECHANISM = "AWS_MSK_IAM";

    private static final class MskProvider extends Provider {
        MskProvider() {
            super("headrace-test-msk", "1.0", "AWS_MSK_IAM for tests");
            put("SaslServerFactory." + MECHANISM, MskSaslServer.Factory.class.getName());
        }
    }

    static {
        Security.addProvider(new MskProvider());
    }

    @Override
    public void initialize(Subject subject, CallbackHandler handler, Map<String, ?> state, Map<String, ?> options) {
    }

    @Override
    public boolean login() {
        return true;
    }

    @Override
    public boolean commit() {
        return true;
    }

    @Override
    public boolean abort() {
        return false;
    }

    @Override
    public boolean logout() {
        return true;
    }
}
