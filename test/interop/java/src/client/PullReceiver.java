import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.PullResult;
import org.apache.rocketmq.client.consumer.PullStatus;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.common.message.MessageQueue;

/** The classic pull consumer: asks for the topic's queues and reads each from its start. */
final class PullReceiver extends Receiver {
    private static final int BATCH = 32;
    private final DefaultMQPullConsumer consumer;
    private final String topic;
    private volatile boolean stop;

    PullReceiver(Driver.Args a) {
        super(a);
        topic = a.get("topic");
        consumer = new DefaultMQPullConsumer(a.get("group"));
        consumer.setNamesrvAddr(a.get("ns"));
        consumer.setInstanceName(a.get("name"));
        consumer.setVipChannelEnabled(false);
    }

    @Override
    void start() throws MQClientException {
        consumer.start();
        Collection<MessageQueue> queues = consumer.fetchSubscribeMessageQueues(topic);
        Thread t = new Thread(() -> loop(queues), "pull-" + topic);
        t.setDaemon(true);
        t.start();
    }

    private void loop(Collection<MessageQueue> queues) {
        try {
            Map<MessageQueue, Long> offsets = new HashMap<>();
            while (!stop) {
                for (MessageQueue q : queues) {
                    PullResult r = consumer.pull(q, "*", offsets.getOrDefault(q, 0L), BATCH);
                    offsets.put(q, r.getNextBeginOffset());
                    if (r.getPullStatus() == PullStatus.FOUND) {
                        takeAll(r.getMsgFoundList());
                    }
                }
                Thread.sleep(20);
            }
        } catch (Exception e) {
            if (!stop) {
                e.printStackTrace();
            }
        }
    }

    @Override
    void close() {
        stop = true;
        consumer.shutdown();
    }
}
