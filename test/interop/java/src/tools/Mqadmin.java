import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.apache.rocketmq.tools.command.MQAdminStartup;

/**
 * Runs many mqadmin commands in one JVM. A line is one command, its words in Base64 with
 * blanks between; the answer is {@code @STDOUT STDERR}, both in Base64. Each command is run
 * by RocketMQ's own start class, exactly as the mqadmin script does, except that nobody
 * waits for the client's threads to end once it shuts down: that takes three seconds, and
 * everything is printed by then.
 */
public final class Mqadmin {
    private Mqadmin() {
    }

    public static void main(String[] argv) throws Exception {
        PrintStream answers = System.out;
        PrintStream log = System.err;
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line; (line = in.readLine()) != null; ) {
            String[] words = line.trim().split(" +");
            for (int i = 0; i < words.length; i++) {
                words[i] = new String(Base64.getDecoder().decode(words[i]), StandardCharsets.UTF_8);
            }
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            ByteArrayOutputStream err = new ByteArrayOutputStream();
            System.setOut(new PrintStream(out, true, "UTF-8"));
            System.setErr(new PrintStream(err, true, "UTF-8"));
            Thread command = new Thread(() -> run(words), "mqadmin-" + words[0]);
            command.start();
            while (command.isAlive()) {
                command.join(5);
                if (waitsForShutdown(command.getStackTrace())) {
                    command.interrupt();
                }
            }
            System.out.flush();
            System.err.flush();
            System.setOut(log);
            System.setErr(log);
            log.println("mqadmin " + String.join(" ", words) + "\n" + out + err);
            answers.println("@" + encode(out) + " " + encode(err));
            answers.flush();
        }
        System.exit(0);
    }

    private static void run(String[] words) {
        try {
            MQAdminStartup.main0(words, null);
        } catch (Throwable e) {
            e.printStackTrace();
        }
    }

    private static boolean waitsForShutdown(StackTraceElement[] stack) {
        boolean joins = false;
        for (StackTraceElement frame : stack) {
            joins |= frame.getClassName().equals("java.lang.Thread") && frame.getMethodName().equals("join");
            if (joins && frame.getClassName().endsWith(".ServiceThread")) {
                return frame.getMethodName().equals("shutdown");
            }
        }
        return false;
    }

    private static String encode(ByteArrayOutputStream bytes) {
        return bytes.size() == 0 ? "-" : Base64.getEncoder().encodeToString(bytes.toByteArray());
    }
}
