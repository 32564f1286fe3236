// Records what Kafka Streams' stream-stream joins give for the cases of random-kafka-joins.ts: a line in, the same line with `expected` out.
//
// Needs on its class path org.apache.kafka:kafka-streams:3.9.1 and kafka-streams-test-utils:3.9.1 with what they depend on, and jackson-databind.
//
//   javac -cp … -d classes KafkaJoins.java
//   node random-kafka-joins.ts 20 80 | java -cp classes:… KafkaJoins
import com.fasterxml.jackson.databind.*;
import com.fasterxml.jackson.databind.node.*;
import java.io.*;
import java.time.*;
import java.util.*;
import org.apache.kafka.common.serialization.*;
import org.apache.kafka.streams.*;
import org.apache.kafka.streams.kstream.*;
import org.apache.kafka.streams.test.TestRecord;

public class KafkaJoins {
  static final ObjectMapper json = new ObjectMapper();

  /** For each record: what comes out, [timestamp, left id or null, right id or null]. */
  static ArrayNode expected(JsonNode one) throws Exception {
    StreamsBuilder builder = new StreamsBuilder();
    Consumed<String, String> texts = Consumed.with(Serdes.String(), Serdes.String());
    KStream<String, String> left = builder.stream("left", texts);
    KStream<String, String> right = builder.stream("right", texts);
    // Kafka's `before` and `after` are of the right one, seen from the left, as the bounds of an interval join are.
    JoinWindows windows =
        JoinWindows.ofTimeDifferenceAndGrace(Duration.ofMillis(1000), Duration.ofMillis(one.get("grace").asLong()))
            .before(Duration.ofMillis(-one.get("lower").asLong()))
            .after(Duration.ofMillis(one.get("upper").asLong()));
    ValueJoiner<String, String, String> pair = (l, r) -> l + "," + r;
    StreamJoined<String, String, String> serdes = StreamJoined.with(Serdes.String(), Serdes.String(), Serdes.String());
    KStream<String, String> joined;
    switch (one.get("join").asText()) {
      case "inner": joined = left.join(right, pair, windows, serdes); break;
      case "left": joined = left.leftJoin(right, pair, windows, serdes); break;
      default: joined = left.outerJoin(right, pair, windows, serdes);
    }
    joined.to("out", Produced.with(Serdes.String(), Serdes.String()));
    Properties settings = new Properties();
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, "joins");
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "none:1");
    // What has no partner is looked for at every record instead of once a second of the clock.
    settings.put("__emit.interval.ms.kstreams.outer.join.spurious.results.fix__", 0L);
    File state = java.nio.file.Files.createTempDirectory("joins").toFile();
    settings.put(StreamsConfig.STATE_DIR_CONFIG, state.getPath());
    ArrayNode expected = json.createArrayNode();
    try (TopologyTestDriver driver = new TopologyTestDriver(builder.build(), settings)) {
      Map<String, TestInputTopic<String, String>> inputs = new HashMap<>();
      for (String side : List.of("left", "right"))
        inputs.put(side.substring(0, 1), driver.createInputTopic(side, new StringSerializer(), new StringSerializer()));
      TestOutputTopic<String, String> output = driver.createOutputTopic("out", new StringDeserializer(), new StringDeserializer());
      for (JsonNode op : one.get("ops")) {
        inputs.get(op.get(0).asText()).pipeInput(op.get(1).asText(), op.get(3).asText(), op.get(2).asLong());
        ArrayNode out = expected.addArray();
        for (TestRecord<String, String> record : output.readRecordsToList()) {
          ArrayNode row = out.addArray().add(record.timestamp());
          for (String id : record.value().split(",")) if (id.equals("null")) row.addNull(); else row.add(Integer.parseInt(id));
        }
      }
    }
    return expected;
  }

  public static void main(String[] arguments) throws Exception {
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
    PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), true);
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      ObjectNode one = (ObjectNode) json.readTree(line);
      out.println(one.set("expected", expected(one)).toString());
    }
    System.exit(0);
  }
}
