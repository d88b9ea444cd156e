import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.rocketmq.client.apis.ClientConfiguration;
import org.apache.rocketmq.client.apis.ClientServiceProvider;
import org.apache.rocketmq.client.apis.consumer.FilterExpression;
import org.apache.rocketmq.client.apis.consumer.FilterExpressionType;
import org.apache.rocketmq.client.apis.consumer.SimpleConsumer;
import org.apache.rocketmq.client.apis.message.MessageView;
import org.apache.rocketmq.client.apis.producer.Producer;

/**
 * Sends messages to a proxy over gRPC and reads them back: {@code ENDPOINT TOPIC GROUP N}.
 * It prints one line, {@code sent=N received=N}, and exits 1 when a message is missing.
 */
public final class GrpcDriver {
    private static final Duration GIVE_UP = Duration.ofSeconds(90);

    private GrpcDriver() {
    }

    public static void main(String[] argv) throws Exception {
        String topic = argv[1];
        int n = Integer.parseInt(argv[3]);
        ClientServiceProvider provider = ClientServiceProvider.loadService();
        ClientConfiguration conf = ClientConfiguration.newBuilder()
            .setEndpoints(argv[0])
            .enableSsl(false)
            .setRequestTimeout(Duration.ofSeconds(15))
            .build();
        int sent = send(provider, conf, topic, n);
        int received = receive(provider, conf, topic, argv[2], n);
        System.out.println("sent=" + sent + " received=" + received);
        System.exit(sent == n && received == n ? 0 : 1);
    }

    private static int send(ClientServiceProvider provider, ClientConfiguration conf, String topic, int n)
        throws Exception {
        int sent = 0;
        try (Producer p = provider.newProducerBuilder().setClientConfiguration(conf).setTopics(topic).build()) {
            for (int i = 0; i < n; i++) {
                byte[] body = ("grpc-" + i).getBytes(StandardCharsets.UTF_8);
                p.send(provider.newMessageBuilder().setTopic(topic).setBody(body).build());
                sent++;
            }
        }
        return sent;
    }

    private static int receive(ClientServiceProvider provider, ClientConfiguration conf, String topic,
        String group, int n) throws Exception {
        Set<String> bodies = new HashSet<>();
        FilterExpression all = new FilterExpression("*", FilterExpressionType.TAG);
        long end = System.nanoTime() + GIVE_UP.toNanos();
        try (SimpleConsumer c = provider.newSimpleConsumerBuilder()
            .setClientConfiguration(conf)
            .setConsumerGroup(group)
            .setAwaitDuration(Duration.ofSeconds(5))
            .setSubscriptionExpressions(Collections.singletonMap(topic, all))
            .build()) {
            while (bodies.size() < n && System.nanoTime() < end) {
                List<MessageView> messages = c.receive(16, Duration.ofSeconds(30));
                for (MessageView m : messages) {
                    ByteBuffer body = m.getBody();
                    bodies.add(StandardCharsets.UTF_8.decode(body).toString());
                    c.ack(m);
                }
            }
        }
        return bodies.size();
    }
}
