import io.netty.buffer.Unpooled;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.*;
import java.util.concurrent.*;
import org.apache.rocketmq.common.*;
import org.apache.rocketmq.namesrv.kvconfig.KVConfigSerializeWrapper;
import org.apache.rocketmq.remoting.protocol.*;
import org.apache.rocketmq.remoting.protocol.body.*;
import org.apache.rocketmq.remoting.protocol.route.*;
import org.apache.rocketmq.remoting.protocol.statictopic.*;

/**
 * Says what the classes of RocketMQ 5.5.0 make of bodies and headers: each line of the input
 * is a kind, a tab and the bytes in hexadecimal, each line of the output the outcome in the
 * notation of bodies/java550.txt and headers/java550.txt, or "err". An input that is read for
 * more than four seconds is read for ever: "hang".
 *
 * java -cp CLASSES-OF-ROCKETMQ-NAMESRV-5.5.0 Java550Oracle.java < inputs > outcomes
 */
public class Java550Oracle {
    public static void main(String[] args) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        ExecutorService reader = thread();
        for (String line; (line = in.readLine()) != null; ) {
            String[] parts = line.split("\t", -1);
            byte[] bytes = HexFormat.of().parseHex(parts[1]);
            try {
                System.out.println(reader.submit(() -> outcome(parts[0], bytes)).get(4, TimeUnit.SECONDS).stripTrailing());
            } catch (TimeoutException e) {
                System.out.println("hang");
                reader = thread();
            } catch (ExecutionException e) {
                System.out.println("err");
            }
        }
    }

    private static ExecutorService thread() {
        return Executors.newSingleThreadExecutor(work -> {
            Thread t = new Thread(work);
            t.setDaemon(true);
            return t;
        });
    }

    private static String outcome(String kind, byte[] b) throws Exception {
        long start = System.currentTimeMillis();
        StringBuilder out = new StringBuilder();
        switch (kind) {
            case "head":
                return header(b);
            case "reg":
            case "zip":
            case "zip4": {
                MQVersion.Version version = kind.equals("zip4") ? MQVersion.Version.V4_9_4 : MQVersion.Version.V5_3_3;
                RegisterBrokerBody r = RegisterBrokerBody.decode(b, !kind.equals("reg"), version);
                return r == null ? "NULL" : wrapper(r.getTopicConfigSerializeWrapper(), start) + " filter=" + list(r.getFilterServerList());
            }
            case "old":
                return wrapper(RemotingSerializable.decode(b, TopicConfigSerializeWrapper.class), start);
            case "dv":
                return version(RemotingSerializable.decode(b, DataVersion.class), start);
            case "kvt": {
                KVTable t = RemotingSerializable.decode(b, KVTable.class);
                return t == null ? "NULL" : map(t.getTable(), "=", "{", "}");
            }
            case "kvfile": {
                KVConfigSerializeWrapper w = RemotingSerializable.fromJson(new String(b, StandardCharsets.UTF_8), KVConfigSerializeWrapper.class);
                if (w == null || w.getConfigTable() == null) {
                    return w == null ? "NULL" : "table=null";
                }
                new TreeMap<>(w.getConfigTable()).forEach((k, v) -> out.append(quote(k)).append(':').append(map(v, "=", "{", "}")).append(' '));
                return out.toString();
            }
            case "route":
                return route(RemotingSerializable.decode(b, TopicRouteData.class));
            default:
                throw new IllegalArgumentException(kind);
        }
    }

    private static String header(byte[] b) throws Exception {
        byte[] frame = new byte[4 + b.length];
        frame[1] = (byte) (b.length >> 16);
        frame[2] = (byte) (b.length >> 8);
        frame[3] = (byte) b.length;
        System.arraycopy(b, 0, frame, 4, b.length);
        int before = RemotingCommand.createNewRequestId();
        RemotingCommand c = RemotingCommand.decode(Unpooled.wrappedBuffer(frame));
        String opaque = c.getOpaque() == before + 1 ? "drawn" : "" + c.getOpaque();
        Map<String, String> ext = c.getExtFields();
        if (ext != null) {
            ext.remove(null);
        }
        return "code=" + c.getCode() + " flag=" + c.getFlag() + " version=" + c.getVersion() + " opaque=" + opaque + " language=" + c.getLanguage()
            + " remark=" + quote(c.getRemark()) + " ext=" + map(ext, ":", "{", "}");
    }

    private static String wrapper(TopicConfigSerializeWrapper w, long start) {
        if (w == null) {
            return "w=null";
        }
        StringBuilder out = new StringBuilder(version(w.getDataVersion(), start) + " topics=");
        if (w.getTopicConfigTable() == null) {
            out.append("null");
        } else {
            out.append('[');
            new TreeMap<>(w.getTopicConfigTable()).forEach((k, c) -> out.append(quote(k)).append(":t(" + quote(c.getTopicName()) + "," + c.getReadQueueNums()
                + "," + c.getWriteQueueNums() + "," + c.getPerm() + "," + c.getTopicSysFlag() + ") "));
            out.append(']');
        }
        if (w instanceof TopicConfigAndMappingSerializeWrapper) {
            Map<String, TopicQueueMappingInfo> infos = ((TopicConfigAndMappingSerializeWrapper) w).getTopicQueueMappingInfoMap();
            out.append(" maps=").append(infos == null ? "null" : "[");
            if (infos != null) {
                new TreeMap<>(infos).forEach((k, m) -> out.append(quote(k)).append(':').append(mapping(m)).append(' '));
                out.append(']');
            }
        }
        return out.toString();
    }

    private static String version(DataVersion v, long start) {
        if (v == null) {
            return "null";
        }
        boolean now = v.getTimestamp() >= start && v.getTimestamp() <= System.currentTimeMillis();
        return "dv(" + v.getStateVersion() + "," + (now ? "NOW" : "" + v.getTimestamp()) + "," + v.getCounter() + ")";
    }

    private static String mapping(TopicQueueMappingInfo m) {
        return m == null ? "null" : "mi(" + quote(m.getTopic()) + "," + quote(m.getScope()) + "," + m.getTotalQueues() + "," + quote(m.getBname()) + "," + m.getEpoch()
            + "," + m.isDirty() + "," + (m.getCurrIdMap() == null ? "null" : new TreeMap<Object, Object>(m.getCurrIdMap()).toString().replace(" ", "")) + ")";
    }

    private static String route(TopicRouteData t) {
        if (t == null) {
            return "NULL";
        }
        StringBuilder out = new StringBuilder("order=" + quote(t.getOrderTopicConf()) + " q=" + (t.getQueueDatas() == null ? "null" : ""));
        for (QueueData q : t.getQueueDatas() == null ? List.<QueueData>of() : t.getQueueDatas()) {
            out.append(q == null ? "null " : "q(" + quote(q.getBrokerName()) + "," + q.getReadQueueNums() + "," + q.getWriteQueueNums() + "," + q.getPerm() + "," + q.getTopicSysFlag() + ") ");
        }
        out.append(" b=").append(t.getBrokerDatas() == null ? "null" : "");
        for (BrokerData d : t.getBrokerDatas() == null ? List.<BrokerData>of() : t.getBrokerDatas()) {
            out.append(d == null ? "null " : "b(" + quote(d.getCluster()) + "," + quote(d.getBrokerName()) + "," + addresses(d.getBrokerAddrs()) + "," + quote(d.getZoneName())
                + "," + d.isEnableActingMaster() + ") ");
        }
        out.append(" f=").append(t.getFilterServerTable() == null ? "null" : "");
        if (t.getFilterServerTable() != null) {
            new TreeMap<>(t.getFilterServerTable()).forEach((k, v) -> out.append(quote(k)).append(':').append(list(v)).append(' '));
        }
        out.append(" m=").append(t.getTopicQueueMappingByBroker() == null ? "null" : "");
        if (t.getTopicQueueMappingByBroker() != null) {
            new TreeMap<>(t.getTopicQueueMappingByBroker()).forEach((k, v) -> out.append(quote(k)).append(':').append(mapping(v)).append(' '));
        }
        return out.toString();
    }

    private static String addresses(Map<Long, String> m) {
        if (m == null) {
            return "null";
        }
        StringBuilder out = new StringBuilder("{");
        m.entrySet().stream().sorted(Map.Entry.comparingByKey(Comparator.nullsFirst(Comparator.naturalOrder())))
            .forEach(e -> out.append(e.getKey() == null ? "null" : "L" + e.getKey()).append('=').append(quote(e.getValue())).append(' '));
        return out + "}";
    }

    private static String map(Map<String, String> m, String is, String open, String close) {
        if (m == null) {
            return "null";
        }
        StringBuilder out = new StringBuilder(open);
        m.entrySet().stream().sorted(Map.Entry.comparingByKey(Comparator.nullsFirst(Comparator.naturalOrder())))
            .forEach(e -> out.append(quote(e.getKey())).append(is).append(quote(e.getValue())).append(' '));
        return out + close;
    }

    private static String list(Collection<String> c) {
        if (c == null) {
            return "null";
        }
        StringBuilder out = new StringBuilder("[");
        for (String s : c) {
            out.append(quote(s)).append(' ');
        }
        return out + "]";
    }

    private static String quote(String s) {
        if (s == null) {
            return "null";
        }
        StringBuilder out = new StringBuilder("\"");
        for (char c : s.toCharArray()) {
            if (c == '"' || c == '\\') {
                out.append('\\').append(c);
            } else if (c < 0x20 || c >= 0x7f) {
                out.append(String.format("\\u%04x", (int) c));
            } else {
                out.append(c);
            }
        }
        return out.append('"').toString();
    }
}
