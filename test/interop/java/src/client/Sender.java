import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageQueue;

/**
 * A producer with the client's defaults, but for names, the address list and, where the test
 * is not about failures, a longer timeout: a JVM that has just started on a busy machine can
 * take more than the default 3 s for its first send.
 */
final class Sender {
    private final DefaultMQProducer producer;
    private Load load;

    Sender(Driver.Args a) {
        producer = new DefaultMQProducer(a.get("group", "interop_producer"));
        producer.setNamesrvAddr(a.get("ns"));
        // One client instance per producer: instances with the same name share connections.
        producer.setInstanceName(a.get("name"));
        producer.setVipChannelEnabled(false);
        producer.setSendMsgTimeout(a.num("timeout-ms", 15_000));
    }

    void start() throws MQClientException {
        producer.start();
    }

    void close() {
        producer.shutdown();
    }

    /**
     * Sends n messages. Their bodies are PREFIX-i; with ordered=true message i carries key
     * i%keys and all messages of one key go to one queue.
     */
    String send(Driver.Args a) throws Exception {
        String topic = a.get("topic");
        String prefix = a.get("prefix", "m");
        int keys = a.num("keys", 4);
        int sent = 0;
        int failed = 0;
        String firstError = "";
        TreeMap<String, Integer> brokers = new TreeMap<>();
        for (int i = 0; i < a.num("n", 1); i++) {
            int key = i % keys;
            Message m = new Message(topic, a.get("tag", "tag"), "k" + i,
                (prefix + "-" + i).getBytes(StandardCharsets.UTF_8));
            m.putUserProperty("lane", Integer.toString(key));
            m.putUserProperty("seq", Integer.toString(i / keys));
            try {
                SendResult r = a.is("ordered")
                    ? producer.send(m, (List<MessageQueue> qs, Message msg, Object k) -> qs.get((Integer) k % qs.size()), key)
                    : producer.send(m);
                if (r.getSendStatus() == SendStatus.SEND_OK) {
                    sent++;
                    brokers.merge(r.getMessageQueue().getBrokerName(), 1, Integer::sum);
                    continue;
                }
                throw new IllegalStateException(r.getSendStatus().toString());
            } catch (Exception e) {
                failed++;
                e.printStackTrace();
                if (firstError.isEmpty()) {
                    firstError = e.toString().replaceAll("\\s+", "_");
                }
            }
        }
        return "sent=" + sent + " failed=" + failed + " brokers=" + brokers.toString().replace(" ", "")
            + " error=" + firstError;
    }

    /** The queues a producer sees, asked of the name server anew: broker:id,... sorted. */
    String queues(Driver.Args a) throws MQClientException {
        List<String> names = new ArrayList<>();
        for (MessageQueue q : producer.fetchPublishMessageQueues(a.get("topic"))) {
            names.add(q.getBrokerName() + ":" + q.getQueueId());
        }
        names.sort(null);
        return "queues=" + String.join(",", names);
    }

    synchronized String startLoad(Driver.Args a) {
        if (load != null) {
            throw new IllegalStateException("load runs");
        }
        load = new Load(producer, a);
        load.start();
        return "";
    }

    synchronized String loadStats() {
        return load.stats();
    }

    synchronized String stopLoad() throws InterruptedException {
        load.stop();
        String stats = load.stats();
        load = null;
        return stats;
    }
}
