// Records what Flink's CepOperator gives for the cases of random-patterns.ts: a line in, the same line with `expected` out.
//
// Needs on its class path org.apache.flink:flink-cep:1.20.0, flink-streaming-java:1.20.0 with its tests jar, flink-runtime:1.20.0:tests, flink-core:1.20.0:tests,
// flink-test-utils-junit:1.20.0 and jackson-databind. A match is its elements' ids by stage, with its timestamp; `max` stands for Long.MAX_VALUE.
//
//   node random-patterns.ts 20 2000 | java -cp … --add-opens=java.base/java.util=ALL-UNNAMED FlinkPatterns.java
import com.fasterxml.jackson.databind.*;
import com.fasterxml.jackson.databind.node.*;
import java.io.*;
import java.time.Duration;
import java.util.*;
import org.apache.flink.api.common.ExecutionConfig;
import org.apache.flink.api.common.typeinfo.*;
import org.apache.flink.api.java.functions.KeySelector;
import org.apache.flink.cep.functions.*;
import org.apache.flink.cep.nfa.aftermatch.AfterMatchSkipStrategy;
import org.apache.flink.cep.nfa.compiler.NFACompiler;
import org.apache.flink.cep.operator.CepOperator;
import org.apache.flink.cep.pattern.*;
import org.apache.flink.cep.pattern.conditions.IterativeCondition;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.util.KeyedOneInputStreamOperatorTestHarness;
import org.apache.flink.util.*;

public class FlinkPatterns {
  static final ObjectMapper json = new ObjectMapper();
  static final OutputTag<Event> late = new OutputTag<Event>("late") {};
  static final OutputTag<String> timedOut = new OutputTag<String>("timedOut", Types.STRING) {};

  public static class Event implements Serializable {
    public String key, name;
    public int value, id;
  }

  static class Holds extends IterativeCondition<Event> {
    final String text;
    Holds(JsonNode condition) { text = condition.toString(); }

    public boolean filter(Event event, Context<Event> context) throws Exception {
      JsonNode condition = json.readTree(text);
      if (condition.has("in") && !condition.get("in").asText().contains(event.name)) return false;
      if (condition.has("ge") && event.value < condition.get("ge").asInt()) return false;
      if (condition.has("above"))
        for (Event other : context.getEventsForPattern(condition.get("above").asText()))
          if (other.value >= event.value) return false;
      if (!condition.has("sumBelow")) return true;
      int sum = event.value;
      for (Event other : context.getEventsForPattern(condition.get("of").asText())) sum += other.value;
      return sum < condition.get("sumBelow").asInt();
    }
  }

  static class Ids extends PatternProcessFunction<Event, String> implements TimedOutPartialMatchHandler<Event> {
    public void processMatch(Map<String, List<Event>> match, Context context, Collector<String> out) {
      out.collect(ids(match));
    }
    public void processTimedOutMatch(Map<String, List<Event>> match, Context context) {
      context.output(timedOut, ids(match));
    }
    static String ids(Map<String, List<Event>> match) {
      ObjectNode ids = json.createObjectNode();
      match.forEach((stage, events) -> {
        ArrayNode list = ids.putArray(stage);
        for (Event event : events) list.add(event.id);
      });
      return ids.toString();
    }
  }

  static AfterMatchSkipStrategy skip(JsonNode skip) {
    if (skip == null) return AfterMatchSkipStrategy.noSkip();
    if (skip.has("toFirst")) return AfterMatchSkipStrategy.skipToFirst(skip.get("toFirst").asText());
    if (skip.has("toLast")) return AfterMatchSkipStrategy.skipToLast(skip.get("toLast").asText());
    return skip.asText().equals("to-next")
        ? AfterMatchSkipStrategy.skipToNext()
        : AfterMatchSkipStrategy.skipPastLastEvent();
  }

  static Pattern<Event, Event> follow(Pattern<Event, Event> pattern, String how, String name) {
    switch (how) {
      case "next": return pattern.next(name);
      case "followedBy": return pattern.followedBy(name);
      case "followedByAny": return pattern.followedByAny(name);
      case "notNext": return pattern.notNext(name);
      case "notFollowedBy": return pattern.notFollowedBy(name);
      default: throw new IllegalArgumentException(how);
    }
  }

  static Pattern<Event, Event> say(Pattern<Event, Event> pattern, JsonNode verb) {
    switch (verb.get(0).asText()) {
      case "times":
        return verb.size() == 2
            ? pattern.times(verb.get(1).asInt())
            : pattern.times(verb.get(1).asInt(), verb.get(2).asInt());
      case "timesOrMore": return pattern.timesOrMore(verb.get(1).asInt());
      case "oneOrMore": return pattern.oneOrMore();
      case "optional": return pattern.optional();
      case "greedy": return pattern.greedy();
      case "consecutive": return pattern.consecutive();
      case "allowCombinations": return pattern.allowCombinations();
      case "until": return pattern.until(new Holds(verb.get(1)));
      default: throw new IllegalArgumentException(verb.toString());
    }
  }

  static Pattern<Event, Event> pattern(JsonNode said) {
    Pattern<Event, Event> pattern = null;
    for (JsonNode stage : said.get("stages")) {
      String name = stage.get("name").asText();
      pattern = pattern == null ? Pattern.begin(name, skip(said.get("skip"))) : follow(pattern, stage.get("how").asText(), name);
      for (JsonNode condition : stage.get("where")) pattern = pattern.where(new Holds(condition));
      for (JsonNode verb : stage.get("verbs")) pattern = say(pattern, verb);
    }
    return said.has("within") ? pattern.within(Duration.ofMillis(said.get("within").asLong())) : pattern;
  }

  static void add(ArrayNode list, long timestamp, JsonNode what) {
    ArrayNode entry = list.addArray();
    if (timestamp == Long.MAX_VALUE) entry.add("max");
    else entry.add(timestamp);
    entry.add(what);
  }

  static ObjectNode expected(JsonNode one) throws Exception {
    Pattern<Event, Event> pattern;
    NFACompiler.NFAFactory<Event> factory;
    try {
      pattern = pattern(one.get("pattern"));
      factory = NFACompiler.compileFactory(pattern, true);
    } catch (MalformedPatternException | UnsupportedOperationException | IllegalArgumentException refused) {
      return json.createObjectNode().put("refused", refused.getMessage());
    } catch (NullPointerException failed) {
      return json.createObjectNode().put("failed", "in the compiler");
    }
    CepOperator<Event, String, String> operator =
        new CepOperator<>(
            TypeInformation.of(Event.class).createSerializer(new ExecutionConfig()),
            false, factory, null, pattern.getAfterMatchSkipStrategy(), new Ids(), late);
    ObjectNode expected = json.createObjectNode();
    try (KeyedOneInputStreamOperatorTestHarness<String, Event, String> harness =
        new KeyedOneInputStreamOperatorTestHarness<>(operator, (KeySelector<Event, String>) event -> event.key, Types.STRING)) {
      harness.open();
      for (JsonNode op : one.get("ops")) {
        if (op.get(0).asText().equals("w")) {
          harness.processWatermark(op.get(1).isTextual() ? Long.MAX_VALUE : op.get(1).asLong());
          continue;
        }
        Event event = new Event();
        event.key = op.get(1).asText();
        event.name = op.get(2).asText();
        event.value = op.get(3).asInt();
        event.id = op.get(5).asInt();
        harness.processElement(new StreamRecord<>(event, op.get(4).asLong()));
      }
      ArrayNode out = expected.putArray("out");
      for (Object given : harness.getOutput())
        if (given instanceof StreamRecord) {
          StreamRecord<String> record = (StreamRecord<String>) given;
          add(out, record.getTimestamp(), json.readTree(record.getValue()));
        }
      ArrayNode over = expected.putArray("timedOut");
      if (harness.getSideOutput(timedOut) != null)
        for (StreamRecord<String> record : harness.getSideOutput(timedOut))
          add(over, record.getTimestamp(), json.readTree(record.getValue()));
      ArrayNode tooLate = expected.putArray("late");
      if (harness.getSideOutput(late) != null)
        for (StreamRecord<Event> record : harness.getSideOutput(late))
          add(tooLate, record.getTimestamp(), IntNode.valueOf(record.getValue().id));
    } catch (Exception failed) {
      // A fault of Flink's own, as the one above: a greedy loop with until that is optional and stands behind a notFollowedBy.
      return json.createObjectNode().put("failed", String.valueOf(failed.getMessage()));
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
