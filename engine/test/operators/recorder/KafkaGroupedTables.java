// Records what Kafka Streams' KGroupedTable gives for the cases of random-grouped-tables.ts: a line
// in, the same line with `expected` out.
//
// Needs on its class path org.apache.kafka:kafka-streams:4.3.1 and kafka-streams-test-utils:4.3.1
// with what they depend on, and jackson-databind.
//
//   javac -cp … -d classes KafkaGroupedTables.java
//   node random-grouped-tables.ts 7 60 | java -cp classes:… KafkaGroupedTables \
//     > ../kafka-grouped-tables.jsonl
import com.fasterxml.jackson.databind.*;
import com.fasterxml.jackson.databind.node.*;
import java.io.*;
import java.util.*;
import org.apache.kafka.common.serialization.*;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.*;
import org.apache.kafka.streams.kstream.*;
import org.apache.kafka.streams.state.*;
import org.apache.kafka.streams.test.TestRecord;

public class KafkaGroupedTables {
  static final ObjectMapper json = new ObjectMapper();

  /** "key=value key=value", in the order in which they were added; null without an entry. */
  static String without(String entries, String entry) {
    List<String> left = new ArrayList<>(List.of(entries.split(" ")));
    left.remove(entry);
    return left.isEmpty() ? null : String.join(" ", left);
  }

  static Materialized<String, String, KeyValueStore<Bytes, byte[]>> inMemory() {
    return Materialized.<String, String>as(Stores.inMemoryKeyValueStore(UUID.randomUUID().toString()))
        .withKeySerde(Serdes.String())
        .withValueSerde(Serdes.String())
        .withCachingDisabled();
  }

  /** For each record: the changes of the groups, in order: [group, entries or null, timestamp]. */
  static ArrayNode expected(JsonNode one) throws Exception {
    StreamsBuilder builder = new StreamsBuilder();
    // A row is "group key=value".
    KTable<String, String> rows = builder.table("rows", Consumed.with(Serdes.String(), Serdes.String()), inMemory());
    KGroupedTable<String, String> grouped =
        rows.groupBy(
            (key, row) -> KeyValue.pair(row.split(" ")[0], row.split(" ")[1]),
            Grouped.with(Serdes.String(), Serdes.String()));
    grouped
        .aggregate(
            () -> "",
            (group, entry, entries) -> entries.isEmpty() ? entry : entries + " " + entry,
            (group, entry, entries) -> without(entries, entry),
            inMemory())
        .toStream()
        .to("out", Produced.with(Serdes.String(), Serdes.String()));
    Properties settings = new Properties();
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, "groups");
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "none:1");
    File state = java.nio.file.Files.createTempDirectory("groups").toFile();
    settings.put(StreamsConfig.STATE_DIR_CONFIG, state.getPath());
    ArrayNode expected = json.createArrayNode();
    try (TopologyTestDriver driver = new TopologyTestDriver(builder.build(), settings)) {
      TestInputTopic<String, String> input = driver.createInputTopic("rows", new StringSerializer(), new StringSerializer());
      TestOutputTopic<String, String> output = driver.createOutputTopic("out", new StringDeserializer(), new StringDeserializer());
      for (JsonNode op : one.get("ops")) {
        String key = op.get(0).asText();
        String row = op.get(1).isNull() ? null : op.get(1).asText() + " " + key + "=" + op.get(2).asInt();
        input.pipeInput(key, row, op.get(3).asLong());
        ArrayNode out = expected.addArray();
        for (TestRecord<String, String> record : output.readRecordsToList())
          out.addArray().add(record.key()).add(record.value()).add(record.timestamp());
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
