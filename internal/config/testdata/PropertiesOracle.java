import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.Properties;
import java.util.Random;

/**
 * Writes testdata/java-properties.txt: what java.util.Properties makes of odd input.
 * Each line is hex(input) and then "error", or hex(key)=hex(value) sorted by key (UTF-8).
 *
 * java testdata/PropertiesOracle.java 20261121 1500 > testdata/java-properties.txt
 */
public class PropertiesOracle {
    private static final String[] PIECES = {
        "a", "b", "key", "true", "7", "=", ":", " ", "\t", "\f", "\n", "\r", "\r\n", "\\", "\\\\", "#", "!",
        "\\n", "\\r", "\\t", "\\f", "\\u000a", "\\u00e9", "\\u4E2d", "\\uD83D\\uDE00", "\\u12", "\\uzzzz", "\\ ", "\\=", "\\:",
        "\\\n", "\\\r\n", "\\\r", "\\\n  ", "\\q", "\\0", "\u00e9", "\u00ff", "\u0000", "\u0085", "key=", "\nb=", "\n#c\n"
    };

    public static void main(String[] args) {
        Random random = new Random(Long.parseLong(args[0]));
        int n = Integer.parseInt(args[1]);
        for (int i = 0; i < n; i++) {
            StringBuilder sb = new StringBuilder();
            int pieces = 1 + random.nextInt(14);
            for (int j = 0; j < pieces; j++) {
                sb.append(PIECES[random.nextInt(PIECES.length)]);
            }
            byte[] in = sb.toString().getBytes(StandardCharsets.ISO_8859_1);
            System.out.println(hex(in) + " " + load(in));
        }
    }

    private static String load(byte[] in) {
        Properties p = new Properties();
        try {
            p.load(new ByteArrayInputStream(in));
        } catch (Exception e) {
            return "error";
        }
        StringBuilder out = new StringBuilder();
        for (String k : sorted(p)) {
            out.append(out.length() == 0 ? "" : ",").append(hex(utf8(k))).append('=').append(hex(utf8(p.getProperty(k))));
        }
        return out.toString();
    }

    private static String[] sorted(Properties p) {
        String[] names = p.stringPropertyNames().toArray(new String[0]);
        java.util.Arrays.sort(names, (x, y) -> java.util.Arrays.compareUnsigned(utf8(x), utf8(y)));
        return names;
    }

    private static byte[] utf8(String s) {
        return s.getBytes(StandardCharsets.UTF_8);
    }

    private static String hex(byte[] b) {
        return java.util.HexFormat.of().formatHex(b);
    }
}
