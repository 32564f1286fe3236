// Records what Flink's IntervalJoinOperator gives for the cases of random-interval-joins.ts: a line in, the same line with `expected` out.
//
// Needs on its class path org.apache.flink:flink-streaming-java:1.20.0 with its tests jar, flink-runtime:1.20.0:tests, flink-core:1.20.0:tests and
// flink-test-utils-junit:1.20.0, all with what they depend on, and jackson-databind.
//
//   javac -cp … -d classes FlinkIntervalJoins.java
//   node random-interval-joins.ts 20 60 | java -cp classes:… --add-opens=java.base/java.util=ALL-UNNAMED FlinkIntervalJoins
import com.fasterxml.jackson.databind.*;
import com.fasterxml.jackson.databind.node.*;
import java.io.*;
import java.util.*;
import org.apache.flink.api.common.ExecutionConfig;
import org.apache.flink.api.common.typeinfo.*;
import org.apache.flink.api.java.functions.KeySelector;
import org.apache.flink.streaming.api.functions.co.ProcessJoinFunction;
import org.apache.flink.streaming.api.operators.co.IntervalJoinOperator;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.runtime.watermarkstatus.WatermarkStatus;
import org.apache.flink.streaming.util.KeyedTwoInputStreamOperatorTestHarness;
import org.apache.flink.util.*;

public class FlinkIntervalJoins {
  static final ObjectMapper json = new ObjectMapper();
  static final OutputTag<Element> leftLate = new OutputTag<Element>("left late") {};
  static final OutputTag<Element> rightLate = new OutputTag<Element>("right late") {};

  public static class Element implements Serializable {
    public String key;
    public int id;
  }

  static class Pair extends ProcessJoinFunction<Element, Element, String> {
    public void processElement(Element left, Element right, Context context, Collector<String> out) {
      out.collect(left.id + "," + right.id);
    }
  }

  static StreamRecord<Element> element(JsonNode op) {
    Element element = new Element();
    element.key = op.get(1).asText();
    element.id = op.get(3).asInt();
    return new StreamRecord<>(element, op.get(2).asLong());
  }
  static Watermark watermark(JsonNode op) {
    return new Watermark(op.get(1).isTextual() ? Long.MAX_VALUE : op.get(1).asLong());
  }

  static void addLate(ArrayNode list, Queue<StreamRecord<Element>> late) {
    if (late == null) return;
    for (StreamRecord<Element> record = late.poll(); record != null; record = late.poll())
      list.addArray().add(record.getTimestamp()).add(record.getValue().id);
  }

  /** For each op: the pairs with their timestamps, what is late, and watermarks. */
  static ArrayNode expected(JsonNode one) throws Exception {
    TypeInformation<Element> type = TypeInformation.of(Element.class);
    IntervalJoinOperator<String, Element, Element, String> operator =
        new IntervalJoinOperator<>(
            one.get("lower").asLong(), one.get("upper").asLong(), true, true, leftLate, rightLate,
            type.createSerializer(new ExecutionConfig()), type.createSerializer(new ExecutionConfig()), new Pair());
    KeySelector<Element, String> byKey = element -> element.key;
    ArrayNode expected = json.createArrayNode();
    try (KeyedTwoInputStreamOperatorTestHarness<String, Element, Element, String> harness =
        new KeyedTwoInputStreamOperatorTestHarness<>(operator, byKey, byKey, Types.STRING)) {
      harness.open();
      for (JsonNode op : one.get("ops")) {
        switch (op.get(0).asText()) {
          case "l": harness.processElement1(element(op)); break;
          case "r": harness.processElement2(element(op)); break;
          case "lw": harness.processWatermark1(watermark(op)); break;
          case "rw": harness.processWatermark2(watermark(op)); break;
          case "li": operator.processWatermarkStatus1(WatermarkStatus.IDLE); break;
          case "ri": operator.processWatermarkStatus2(WatermarkStatus.IDLE); break;
          case "la": operator.processWatermarkStatus1(WatermarkStatus.ACTIVE); break;
          case "ra": operator.processWatermarkStatus2(WatermarkStatus.ACTIVE); break;
          default: throw new IllegalArgumentException(op.toString());
        }
        ObjectNode given = expected.addObject();
        ArrayNode out = given.putArray("out");
        ArrayNode time = given.putArray("watermarks");
        for (Object item = harness.getOutput().poll(); item != null; item = harness.getOutput().poll())
          if (item instanceof StreamRecord) {
            StreamRecord<String> record = (StreamRecord<String>) item;
            String[] ids = record.getValue().split(",");
            out.addArray().add(record.getTimestamp()).add(Integer.parseInt(ids[0])).add(Integer.parseInt(ids[1]));
          } else if (item instanceof Watermark) {
            long at = ((Watermark) item).getTimestamp();
            if (at == Long.MAX_VALUE) time.add("max");
            else time.add(at);
          }
        ArrayNode late = given.putArray("late");
        addLate(late, harness.getSideOutput(leftLate));
        addLate(late, harness.getSideOutput(rightLate));
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
