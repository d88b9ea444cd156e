import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.common.message.Message;

/**
 * Threads that send, and threads that look topics up, until told to stop. A call that threw,
 * or was answered with anything but SEND_OK or queues, counts as failed.
 */
final class Load {
    private final DefaultMQProducer producer;
    private final String topic;
    private final int lookupTopics;
    private final int lookupAttempts;
    private final Counter sends = new Counter();
    private final Counter lookups = new Counter();
    private final List<Thread> threads = new ArrayList<>();
    private final long sendPauseNanos;
    private final long lookupPauseNanos;
    private volatile boolean stop;

    Load(DefaultMQProducer producer, Driver.Args a) {
        this.producer = producer;
        topic = a.get("topic");
        lookupTopics = a.num("lookup-topics", 1);
        lookupAttempts = a.num("lookup-attempts", 1);
        sendPauseNanos = TimeUnit.MICROSECONDS.toNanos(a.num("send-pause-us", 0));
        lookupPauseNanos = TimeUnit.MICROSECONDS.toNanos(a.num("lookup-pause-us", 0));
        for (int i = 0; i < a.num("senders", 0); i++) {
            threads.add(new Thread(this::sendLoop, "sender-" + i));
        }
        for (int i = 0; i < a.num("lookers", 0); i++) {
            threads.add(new Thread(this::lookupLoop, "looker-" + i));
        }
    }

    void start() {
        for (Thread t : threads) {
            t.setDaemon(true);
            t.start();
        }
    }

    void stop() throws InterruptedException {
        stop = true;
        for (Thread t : threads) {
            t.join(TimeUnit.SECONDS.toMillis(60));
            if (t.isAlive()) {
                throw new IllegalStateException(t.getName() + " did not come back within 60 s");
            }
        }
    }

    String stats() {
        return sends.text("send") + " " + lookups.text("lookup");
    }

    private void sendLoop() {
        byte[] body = "a message of the load".getBytes(StandardCharsets.UTF_8);
        while (!stop) {
            long begin = System.nanoTime();
            try {
                SendStatus status = producer.send(new Message(topic, "load", body)).getSendStatus();
                sends.done(begin, status == SendStatus.SEND_OK, status.toString());
            } catch (Exception e) {
                sends.done(begin, false, e.toString());
            }
            if (sendPauseNanos > 0) {
                LockSupport.parkNanos(sendPauseNanos);
            }
        }
    }

    private void lookupLoop() {
        for (int i = 0; !stop; i++) {
            String name = lookupTopics == 1 ? topic : topic + "_" + (i % lookupTopics);
            long begin = System.nanoTime();
            String error = "";
            boolean ok = false;
            for (int attempt = 0; attempt < lookupAttempts && !ok; attempt++) {
                try {
                    ok = !producer.fetchPublishMessageQueues(name).isEmpty();
                } catch (Exception e) {
                    error = e + ", caused by " + e.getCause();
                }
            }
            lookups.done(begin, ok, error);
            if (lookupPauseNanos > 0) {
                LockSupport.parkNanos(lookupPauseNanos);
            }
        }
    }

    /** Calls of one kind: how many, how many failed, and their times in buckets of 100 us. */
    private static final class Counter {
        private static final int BUCKETS = 200_000; // up to 20 s
        private static final long BUCKET_NANOS = 100_000;
        private final AtomicLong failed = new AtomicLong();
        private final AtomicLong logged = new AtomicLong();
        private final long[] buckets = new long[BUCKETS + 1];
        private long count;

        void done(long begin, boolean ok, String error) {
            long nanos = System.nanoTime() - begin;
            if (!ok) {
                failed.incrementAndGet();
                if (logged.incrementAndGet() <= 50) {
                    System.err.println("FAILED after " + nanos / 1_000_000 + " ms: " + error);
                }
            }
            synchronized (buckets) {
                count++;
                buckets[(int) Math.min(nanos / BUCKET_NANOS, BUCKETS)]++;
            }
        }

        String text(String name) {
            synchronized (buckets) {
                return name + "-count=" + count + " " + name + "-failed=" + failed.get()
                    + " " + name + "-p50-us=" + percentile(0.50) + " " + name + "-p99-us=" + percentile(0.99)
                    + " " + name + "-max-us=" + percentile(1.0);
            }
        }

        /** The upper edge of the bucket that holds the q-th call, in microseconds. */
        private long percentile(double q) {
            long rank = (long) Math.ceil(q * count);
            long seen = 0;
            for (int i = 0; i <= BUCKETS; i++) {
                seen += buckets[i];
                if (seen >= rank) {
                    return (i + 1) * BUCKET_NANOS / 1000;
                }
            }
            return 0;
        }
    }
}
