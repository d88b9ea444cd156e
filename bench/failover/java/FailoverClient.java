import java.io.PrintStream;
import java.lang.reflect.Field;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.common.message.Message;

/**
 * The Java client under the load of bench/failover: lookups and sends at fixed rates, whether
 * earlier ones came back or not. What it prints is said in openloop/line.go. All settings of the
 * client are its defaults. It ends when standard input does.
 *
 * <p>It is compiled against 4.8.0 and 5.5.0.
 */
public final class FailoverClient {
    private static final PrintStream OUT = System.out;
    private static final long SLOW_NANOS_DEFAULT = TimeUnit.MILLISECONDS.toNanos(50);
    private static final int WARM_CALLS = 300; // a JVM is slow at first
    private static final long END_SECONDS = 15;

    private static DefaultMQProducer producer;
    private static String topic;
    private static long slowNanos;
    private static AtomicReference<String> chosen;
    private static final byte[] BODY = "a message of the load".getBytes(StandardCharsets.UTF_8);

    private static volatile boolean stop;
    private static boolean ended;
    private static final AtomicLong LATE_NANOS = new AtomicLong();
    private static final Map<String, AtomicLong> BROKERS = new ConcurrentHashMap<>();
    private static final Load LOOKUPS = new Load("lookup");
    private static final Load SENDS = new Load("send");

    private FailoverClient() {
    }

    public static void main(String[] argv) throws Exception {
        System.setOut(System.err); // whatever the client library prints is no line of ours
        Map<String, String> args = new HashMap<>();
        for (String word : argv) {
            int eq = word.indexOf('=');
            args.put(word.substring(0, eq), word.substring(eq + 1));
        }
        topic = args.get("topic");
        slowNanos = args.containsKey("slow-ms") ? TimeUnit.MILLISECONDS.toNanos(Long.parseLong(args.get("slow-ms"))) : SLOW_NANOS_DEFAULT;
        producer = new DefaultMQProducer("failover_producer");
        producer.setNamesrvAddr(args.get("ns"));
        producer.start();
        chosen = findChosen();
        warmUp();
        Thread in = new Thread(() -> {
            try {
                while (System.in.read() >= 0) {
                    continue;
                }
            } catch (java.io.IOException e) {
                e.printStackTrace();
            }
            stop = true;
        });
        in.setDaemon(true);
        in.start();
        int callers = Integer.parseInt(args.get("callers"));
        print("\"ready\":true");
        long begin = System.nanoTime();
        LOOKUPS.start(begin, Double.parseDouble(args.get("lookups")), callers);
        SENDS.start(begin, Double.parseDouble(args.get("sends")), callers);
        watch();
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(END_SECONDS);
        LOOKUPS.end(end);
        SENDS.end(end);
        synchronized (OUT) {
            print("\"ended\":true," + count());
            ended = true;
        }
        System.exit(0);
    }

    /** The client's own word which name server it asks: NettyRemotingClient.namesrvAddrChoosed. */
    @SuppressWarnings("unchecked")
    private static AtomicReference<String> findChosen() throws Exception {
        Object api = producer.getDefaultMQProducerImpl().getmQClientFactory().getMQClientAPIImpl();
        Object remoting = field(api, "remotingClient");
        return (AtomicReference<String>) field(remoting, "namesrvAddrChoosed");
    }

    private static Object field(Object o, String name) throws Exception {
        Field f = o.getClass().getDeclaredField(name);
        f.setAccessible(true);
        return f.get(o);
    }

    private static void warmUp() throws Exception {
        Exception last = null;
        int good = 0;
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (good < WARM_CALLS) {
            if (System.nanoTime() > end) {
                throw new IllegalStateException("no " + WARM_CALLS + " lookups and sends succeeded within 60 s", last);
            }
            try {
                lookup();
                send();
                good++;
            } catch (Exception e) {
                last = e;
                Thread.sleep(100);
            }
        }
        BROKERS.clear();
    }

    private static void lookup() throws Exception {
        if (producer.fetchPublishMessageQueues(topic).isEmpty()) {
            throw new IllegalStateException("no queues");
        }
    }

    private static void send() throws Exception {
        SendResult r = producer.send(new Message(topic, "load", BODY));
        if (r.getSendStatus() != SendStatus.SEND_OK) {
            throw new IllegalStateException(r.getSendStatus().toString());
        }
        BROKERS.computeIfAbsent(r.getMessageQueue().getBrokerName(), k -> new AtomicLong()).incrementAndGet();
    }

    private static void watch() throws InterruptedException {
        String last = null;
        for (int i = 0; !stop; i++) {
            String server = chosen.get();
            if (server != null && !server.equals(last)) {
                print("\"inUse\":" + quote(server));
                last = server;
            }
            if (i % 20 == 0) {
                print(count());
            }
            if (OUT.checkError()) {
                stop = true; // nobody reads
            }
            Thread.sleep(5);
        }
    }

    private static String count() {
        StringBuilder brokers = new StringBuilder();
        for (Map.Entry<String, AtomicLong> e : new TreeMap<>(BROKERS).entrySet()) {
            brokers.append(brokers.length() == 0 ? "" : ",").append(quote(e.getKey())).append(':').append(e.getValue().get());
        }
        return "\"count\":{\"lookups\":" + LOOKUPS.begun.get() + ",\"sends\":" + SENDS.begun.get()
            + ",\"lateMillis\":" + LATE_NANOS.getAndSet(0) / 1e6 + ",\"brokers\":{" + brokers + "}}";
    }

    private static void print(String fields) {
        Instant now = Instant.now();
        long at = now.getEpochSecond() * 1_000_000_000L + now.getNano();
        synchronized (OUT) {
            if (!ended) {
                OUT.print("{\"at\":" + at + "," + fields + "}\n");
                OUT.flush();
            }
        }
    }

    private static String quote(String s) {
        StringBuilder b = new StringBuilder("\"");
        for (char c : s.toCharArray()) {
            if (c == '"' || c == '\\') {
                b.append('\\').append(c);
            } else {
                b.append(c < ' ' ? ' ' : c);
            }
        }
        return b.append('"').toString();
    }

    /** Calls of one kind. */
    private static final class Load {
        final AtomicLong begun = new AtomicLong();
        /** When the calls were due that have not come back, by System.nanoTime. */
        private final Set<Long> under = ConcurrentHashMap.newKeySet();
        private final String what;
        private final ConcurrentLinkedQueue<Long> waiting = new ConcurrentLinkedQueue<>();
        private ThreadPoolExecutor callers;
        private Thread pacer;

        Load(String what) {
            this.what = what;
        }

        void start(long begin, double perSecond, int atMost) {
            AtomicInteger number = new AtomicInteger();
            callers = new ThreadPoolExecutor(0, atMost, 10, TimeUnit.SECONDS, new SynchronousQueue<>(), r -> {
                Thread t = new Thread(null, r, what + "-" + number.incrementAndGet(), 256 * 1024);
                t.setDaemon(true);
                return t;
            });
            pacer = new Thread(() -> pace(begin, perSecond), what + "-pacer");
            pacer.setDaemon(true);
            if (perSecond > 0) {
                pacer.start();
            }
        }

        private void pace(long begin, double perSecond) {
            for (long i = 0; !stop; i++) {
                long due = begin + (long) (i / perSecond * 1e9);
                for (long left = due - System.nanoTime(); left > 0 && !stop; left = due - System.nanoTime()) {
                    LockSupport.parkNanos(Math.min(left, 50_000_000L));
                }
                if (stop) {
                    return;
                }
                LATE_NANOS.accumulateAndGet(System.nanoTime() - due, Math::max);
                begun.incrementAndGet();
                under.add(due);
                try {
                    callers.execute(() -> work(due));
                } catch (RejectedExecutionException e) {
                    waiting.add(due); // all callers are busy; the next that is free takes it
                }
            }
        }

        private void work(long first) {
            for (Long due = first; due != null; due = waiting.poll()) {
                String error = null;
                try {
                    if (what.equals("send")) {
                        send();
                    } else {
                        lookup();
                    }
                } catch (Exception e) {
                    error = e + (e.getCause() == null ? "" : ", caused by " + e.getCause());
                }
                under.remove(due);
                if (error != null || System.nanoTime() - due > slowNanos) {
                    report(due, error);
                }
            }
        }

        private void report(long due, String error) {
            long took = System.nanoTime() - due;
            Instant now = Instant.now();
            long at = now.getEpochSecond() * 1_000_000_000L + now.getNano();
            print("\"call\":{\"what\":\"" + what + "\",\"due\":" + (at - took) + ",\"millis\":" + took / 1e6
                + (error == null ? "" : ",\"error\":" + quote(error)) + "}");
        }

        void end(long end) throws InterruptedException {
            pacer.join();
            while (!under.isEmpty() && System.nanoTime() < end) {
                Thread.sleep(10);
            }
            for (long due : under) {
                report(due, "it never came back");
            }
        }
    }
}
