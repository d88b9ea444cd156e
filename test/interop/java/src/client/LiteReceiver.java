import org.apache.rocketmq.client.consumer.DefaultLitePullConsumer;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;

/** The lite pull consumer: subscribes and polls. */
final class LiteReceiver extends Receiver {
    private final DefaultLitePullConsumer consumer;
    private volatile boolean stop;

    LiteReceiver(Driver.Args a) {
        super(a);
        consumer = new DefaultLitePullConsumer(a.get("group"));
        consumer.setNamesrvAddr(a.get("ns"));
        consumer.setInstanceName(a.get("name"));
        consumer.setVipChannelEnabled(false);
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        try {
            consumer.subscribe(a.get("topic"), "*");
        } catch (MQClientException e) {
            throw new IllegalArgumentException(e);
        }
    }

    @Override
    void start() throws MQClientException {
        consumer.start();
        Thread t = new Thread(this::loop, "lite");
        t.setDaemon(true);
        t.start();
    }

    private void loop() {
        while (!stop) {
            takeAll(consumer.poll(500));
        }
    }

    @Override
    void close() {
        stop = true;
        consumer.shutdown();
    }
}
