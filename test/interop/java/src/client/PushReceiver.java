import java.util.List;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyContext;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.ConsumeOrderlyContext;
import org.apache.rocketmq.client.consumer.listener.ConsumeOrderlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.consumer.listener.MessageListenerOrderly;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.MessageExt;

/** A push consumer, concurrent or (ordered=true) one thread per queue. */
final class PushReceiver extends Receiver {
    private final DefaultMQPushConsumer consumer;

    PushReceiver(Driver.Args a) {
        super(a);
        consumer = new DefaultMQPushConsumer(a.get("group"));
        consumer.setNamesrvAddr(a.get("ns"));
        consumer.setInstanceName(a.get("name"));
        consumer.setVipChannelEnabled(false);
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        try {
            consumer.subscribe(a.get("topic"), "*");
        } catch (MQClientException e) {
            throw new IllegalArgumentException(e);
        }
        if (a.is("ordered")) {
            consumer.registerMessageListener((MessageListenerOrderly) this::ordered);
        } else {
            consumer.registerMessageListener((MessageListenerConcurrently) this::concurrent);
        }
    }

    private ConsumeOrderlyStatus ordered(List<MessageExt> messages, ConsumeOrderlyContext context) {
        takeAll(messages);
        return ConsumeOrderlyStatus.SUCCESS;
    }

    private ConsumeConcurrentlyStatus concurrent(List<MessageExt> messages, ConsumeConcurrentlyContext context) {
        boolean all = true;
        for (MessageExt m : messages) { // one at a time by default
            all &= take(m);
        }
        context.setDelayLevelWhenNextConsume(1); // redelivery after a second
        return all ? ConsumeConcurrentlyStatus.CONSUME_SUCCESS : ConsumeConcurrentlyStatus.RECONSUME_LATER;
    }

    @Override
    void start() throws MQClientException {
        consumer.start();
    }

    @Override
    void close() {
        consumer.shutdown();
    }
}
