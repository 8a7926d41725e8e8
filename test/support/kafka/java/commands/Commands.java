import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Runs Kafka's own command line tools one after another in one JVM: a class and its arguments a line, between U+001F.
 *
 * From stdin, because the arguments of a process lose what is not ASCII where the locale says nothing, and everybody
 * can read them.
 */
public final class Commands {
    private Commands() {
    }

    public static void main(String[] args) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] words = line.split("\u001f");
            Object arguments = Arrays.copyOfRange(words, 1, words.length);
            Class.forName(words[0]).getMethod("main", String[].class).invoke(null, arguments);
        }
    }
}
