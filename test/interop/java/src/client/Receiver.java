import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.rocketmq.common.message.MessageExt;

/** A consumer of one topic and what it has got so far. */
abstract class Receiver {
    private final Set<String> bodies = new HashSet<>();
    private final Map<String, Integer> lastSeq = new HashMap<>();
    private final int failFirst;
    private int deliveries;
    private int refused;
    private int retried;
    private int disorder;
    private final int keep;
    private final List<String> kept = new ArrayList<>();

    Receiver(Driver.Args a) {
        failFirst = a.num("fail-first", 0);
        keep = a.num("keep", 0);
    }

    static Receiver create(Driver.Args a) {
        switch (a.get("kind", "push")) {
            case "push":
                return new PushReceiver(a);
            case "pull":
                return new PullReceiver(a);
            case "lite":
                return new LiteReceiver(a);
            default:
                throw new IllegalArgumentException("unknown kind of consumer " + a.get("kind"));
        }
    }

    abstract void start() throws Exception;

    abstract void close();

    /**
     * Takes note of a message. False asks for its redelivery: the first fail-first messages
     * are refused once, so that they come again over the group's retry topic.
     */
    final synchronized boolean take(MessageExt m) {
        deliveries++;
        if (kept.size() < keep) {
            kept.add(describe(m));
        }
        if (m.getReconsumeTimes() == 0 && refused < failFirst) {
            refused++;
            return false;
        }
        if (m.getReconsumeTimes() > 0 && m.getProperties().containsKey("RETRY_TOPIC")) {
            retried++;
        }
        String lane = m.getUserProperty("lane");
        if (lane != null && bodies.add(new String(m.getBody(), StandardCharsets.UTF_8))) {
            int seq = Integer.parseInt(m.getUserProperty("seq"));
            Integer before = lastSeq.put(lane, seq);
            if (before != null && before >= seq) {
                disorder++;
            }
        }
        notifyAll();
        return true;
    }

    /** All that a producer decides of a message, its body as a digest: parts with zeros between, in Base64. */
    private static String describe(MessageExt m) {
        StringBuilder s = new StringBuilder();
        s.append(m.getTopic()).append('\0').append(m.getFlag()).append('\0');
        s.append(m.getTags()).append('\0').append(m.getKeys()).append('\0');
        s.append(m.getQueueId()).append('\0').append(m.getQueueOffset()).append('\0');
        s.append(m.getMsgId()).append('\0').append(m.getBornTimestamp()).append('\0');
        s.append(m.getBody().length).append('\0').append(digest(m.getBody()));
        for (Map.Entry<String, String> e : new TreeMap<>(m.getProperties()).entrySet()) {
            s.append('\0').append(e.getKey()).append('\1').append(e.getValue());
        }
        return Base64.getEncoder().encodeToString(s.toString().getBytes(StandardCharsets.UTF_8));
    }

    private static String digest(byte[] body) {
        try {
            return Base64.getEncoder().encodeToString(MessageDigest.getInstance("SHA-256").digest(body));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Waits until n messages are kept, or the time is over, and tells of all: m0=... m1=... */
    final synchronized String awaitKept(Driver.Args a) throws InterruptedException {
        int want = a.num("n", 1);
        long deadline = System.nanoTime() + a.num("timeout-ms", 30_000) * 1_000_000L;
        while (kept.size() < want) {
            long left = (deadline - System.nanoTime()) / 1_000_000;
            if (left <= 0) {
                break;
            }
            wait(left);
        }
        StringBuilder s = new StringBuilder("kept=" + kept.size());
        for (int i = 0; i < kept.size(); i++) {
            s.append(" m").append(i).append('=').append(kept.get(i));
        }
        return s.toString();
    }

    final synchronized void takeAll(List<MessageExt> messages) {
        for (MessageExt m : messages) {
            take(m);
        }
    }

    /** Waits until n different messages have been taken, or the time is over. */
    final synchronized String await(Driver.Args a) throws InterruptedException {
        int want = a.num("n", 1);
        long deadline = System.nanoTime() + a.num("timeout-ms", 30_000) * 1_000_000L;
        while (bodies.size() < want) {
            long left = (deadline - System.nanoTime()) / 1_000_000;
            if (left <= 0) {
                break;
            }
            wait(left);
        }
        return "distinct=" + bodies.size() + " deliveries=" + deliveries + " refused=" + refused
            + " retried=" + retried + " disorder=" + disorder;
    }
}
