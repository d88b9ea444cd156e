import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.DefaultParser;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;
import org.apache.commons.cli.ParseException;

/**
 * Writes testdata/command-lines.golden: what commons-cli 1.5.0, as the Java name server uses it, makes
 * of argument lists. Three lines for each: the arguments, each between brackets; "error MESSAGE" or
 * the options that are set (h, p, c=[value]); an empty line.
 *
 * java -cp commons-cli-1.5.0.jar testdata/CommandLineOracle.java 1 400 > testdata/command-lines.golden
 */
public class CommandLineOracle {
    private static final String[] PIECES = {
        "-c", "-p", "-h", "-n", "-x", "-", "--", "--configFile", "--printConfigItem", "--help", "--namesrvAddr",
        "--conf", "--n", "-configFile", "-print", "-cfile", "-c=file", "-c=", "--configFile=file", "--config=", "-configFile=file",
        "-configFilefile", "--configFilefile", "-pc", "-pcfile", "-ph", "-px", "-hp=1", "-p=1", "--help=1", "--=1", "--foo", "-5", "-1.5",
        "file", "/a b/c.conf", "\"quoted\"", "\"half", "", "a=b", "-nx", "-n=x", "--c", "-Dk=v", "-cp"
    };

    public static void main(String[] args) {
        Random random = new Random(Long.parseLong(args[0]));
        int n = Integer.parseInt(args[1]);
        for (int i = 0; i < n; i++) {
            List<String> list = new ArrayList<>();
            int pieces = i < PIECES.length ? 1 : 2 + random.nextInt(3);
            for (int j = 0; j < pieces; j++) {
                list.add(i < PIECES.length ? PIECES[i] : PIECES[random.nextInt(PIECES.length)]);
            }
            StringBuilder sb = new StringBuilder();
            for (String a : list) {
                sb.append('[').append(a).append(']');
            }
            System.out.println(sb);
            System.out.println(parse(list.toArray(new String[0])));
            System.out.println();
        }
    }

    private static String parse(String[] args) {
        Options options = new Options();
        options.addOption(new Option("h", "help", false, "Print help"));
        options.addOption(new Option("n", "namesrvAddr", true, "Name server address list"));
        options.addOption(new Option("c", "configFile", true, "Name server config properties file"));
        options.addOption(new Option("p", "printConfigItem", false, "Print all config items"));
        try {
            CommandLine line = new DefaultParser().parse(options, args);
            StringBuilder out = new StringBuilder("ok");
            if (line.hasOption('h')) {
                out.append(" h");
            }
            if (line.hasOption('p')) {
                out.append(" p");
            }
            if (line.hasOption('c')) {
                out.append(" c=[").append(line.getOptionValue('c')).append(']');
            }
            return out.toString();
        } catch (ParseException e) {
            return "error " + e.getMessage();
        }
    }
}
