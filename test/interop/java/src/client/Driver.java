import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A RocketMQ client that does what it is told, one line at a time, so that one JVM serves a
 * whole test. A line is {@code ID VERB key=value ...}; the answer is {@code @ID ok key=value
 * ...} or {@code @ID err TEXT}. Lines run side by side, so answers come in any order. Other
 * output goes to standard error. The end of standard input ends the program.
 *
 * <p>It is compiled against every client release of the matrix, so it keeps to what 4.8.0
 * and 5.5.0 have in common.
 */
public final class Driver {
    static final ConcurrentHashMap<String, Sender> SENDERS = new ConcurrentHashMap<>();
    static final ConcurrentHashMap<String, Receiver> RECEIVERS = new ConcurrentHashMap<>();

    /** The words of one line after ID and VERB. */
    static final class Args {
        private final Map<String, String> values = new HashMap<>();

        String get(String key) {
            String v = values.get(key);
            if (v == null) {
                throw new IllegalArgumentException("missing " + key);
            }
            return v;
        }

        String get(String key, String otherwise) {
            return values.getOrDefault(key, otherwise);
        }

        int num(String key, int otherwise) {
            return values.containsKey(key) ? Integer.parseInt(values.get(key)) : otherwise;
        }

        boolean is(String key) {
            return Boolean.parseBoolean(values.get(key));
        }
    }

    private Driver() {
    }

    public static void main(String[] argv) throws Exception {
        PrintStream answers = System.out;
        System.setOut(System.err); // whatever the client library prints is no answer
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line; (line = in.readLine()) != null; ) {
            String[] words = line.trim().split(" +");
            if (words.length < 2) {
                continue;
            }
            Thread t = new Thread(() -> answer(answers, words), "line-" + words[0]);
            t.setDaemon(true);
            t.start();
        }
        SENDERS.values().forEach(Sender::close);
        RECEIVERS.values().forEach(Receiver::close);
        System.exit(0);
    }

    private static void answer(PrintStream answers, String[] words) {
        String reply;
        try {
            Args args = new Args();
            for (int i = 2; i < words.length; i++) {
                int eq = words[i].indexOf('=');
                args.values.put(words[i].substring(0, eq), words[i].substring(eq + 1));
            }
            reply = "ok " + run(words[1], args);
        } catch (Throwable e) {
            e.printStackTrace();
            reply = "err " + e.toString().replace('\n', ' ').replace('\r', ' ');
        }
        synchronized (answers) {
            answers.println("@" + words[0] + " " + reply.trim());
            answers.flush();
        }
    }

    private static String run(String verb, Args a) throws Exception {
        switch (verb) {
            case "producer": {
                Sender s = new Sender(a);
                if (SENDERS.putIfAbsent(a.get("name"), s) != null) {
                    throw new IllegalArgumentException("producer exists: " + a.get("name"));
                }
                s.start();
                return "";
            }
            case "consumer": {
                Receiver r = Receiver.create(a);
                if (RECEIVERS.putIfAbsent(a.get("name"), r) != null) {
                    throw new IllegalArgumentException("consumer exists: " + a.get("name"));
                }
                r.start();
                return "";
            }
            case "send":
                return sender(a).send(a);
            case "queues":
                return sender(a).queues(a);
            case "load-start":
                return sender(a).startLoad(a);
            case "load-stats":
                return sender(a).loadStats();
            case "load-stop":
                return sender(a).stopLoad();
            case "received":
                return receiver(a).await(a);
            case "kept":
                return receiver(a).awaitKept(a);
            case "close":
                return close(a.get("name"));
            default:
                throw new IllegalArgumentException("unknown verb " + verb);
        }
    }

    private static String close(String name) {
        Sender s = SENDERS.remove(name);
        if (s != null) {
            s.close();
        }
        Receiver r = RECEIVERS.remove(name);
        if (r != null) {
            r.close();
        }
        return "";
    }

    private static Sender sender(Args a) {
        Sender s = SENDERS.get(a.get("name"));
        if (s == null) {
            throw new IllegalArgumentException("no producer " + a.get("name"));
        }
        return s;
    }

    private static Receiver receiver(Args a) {
        Receiver r = RECEIVERS.get(a.get("name"));
        if (r == null) {
            throw new IllegalArgumentException("no consumer " + a.get("name"));
        }
        return r;
    }
}
