import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.EmitStrategy;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.state.WindowStore;

/**
 * The notebook of engine/bench/export.ts on Kafka Streams: exactly-once v2, a commit each second,
 * one thread. The topic's key is the item, so there is no repartition topic. The store has its
 * changelog topic and its cache, as by default.
 *
 * <p>Arguments: rocksdb | memory, brokers, input topic, output topic, state folder. It runs until
 * it is killed.
 */
public class StreamsWindow {
  @JsonIgnoreProperties(ignoreUnknown = true)
  public static class Row {
    public String item;
    public long cents;
    public long ts;
  }

  public static class Total {
    long n;
    long cents;
    long max;
  }

  static final ObjectReader reader = new ObjectMapper().readerFor(Row.class);

  public static void main(String[] args) {
    Properties p = new Properties();
    p.put(StreamsConfig.APPLICATION_ID_CONFIG, "bench-" + args[3]);
    p.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, args[1]);
    p.put(StreamsConfig.STATE_DIR_CONFIG, args[4]);
    p.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
    p.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
    p.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    p.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 1000);
    // By default a transaction has 10 s, which a busy machine may take.
    p.put(StreamsConfig.producerPrefix("transaction.timeout.ms"), 60_000);
    p.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
    p.put(StreamsConfig.consumerPrefix("max.partition.fetch.bytes"), 4 << 20);
    p.put(StreamsConfig.consumerPrefix("max.poll.records"), 5000);
    // By default the last windows wait for another record.
    p.put("__emit.interval.ms.kstreams.windowed.aggregation__", 0L);
    Deserializer<Row> read =
        (topic, bytes) -> {
          try {
            return reader.readValue(bytes);
          } catch (Exception error) {
            throw new RuntimeException(error);
          }
        };
    Serializer<Row> noRow =
        (topic, row) -> {
          throw new IllegalStateException("no row is written");
        };
    Serde<Total> totals =
        Serdes.serdeFrom(
            (topic, t) ->
                t == null ? null : ByteBuffer.allocate(24).putLong(t.n).putLong(t.cents).putLong(t.max).array(),
            (topic, bytes) -> {
              if (bytes == null) return null;
              ByteBuffer b = ByteBuffer.wrap(bytes);
              Total t = new Total();
              t.n = b.getLong();
              t.cents = b.getLong();
              t.max = b.getLong();
              return t;
            });
    Materialized<String, Total, WindowStore<Bytes, byte[]>> store = Materialized.as("totals");
    if (args[0].equals("memory")) store = store.withStoreType(Materialized.StoreType.IN_MEMORY);
    StreamsBuilder builder = new StreamsBuilder();
    builder
        .stream(
            args[2],
            Consumed.with(Serdes.String(), Serdes.serdeFrom(noRow, read))
                .withTimestampExtractor((record, time) -> ((Row) record.value()).ts))
        .groupByKey()
        .windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofSeconds(10), Duration.ofSeconds(2)))
        .emitStrategy(EmitStrategy.onWindowClose())
        .aggregate(
            Total::new,
            (item, row, total) -> {
              total.n++;
              total.cents += row.cents;
              total.max = Math.max(total.max, row.cents);
              return total;
            },
            store.withKeySerde(Serdes.String()).withValueSerde(totals))
        .toStream()
        .map((window, total) -> KeyValue.pair(window.key(), text(window.key(), window.window().start(), total)))
        .to(args[3], Produced.with(Serdes.String(), Serdes.ByteArray()));
    KafkaStreams streams = new KafkaStreams(builder.build(), p);
    streams.setUncaughtExceptionHandler(
        error -> {
          error.printStackTrace();
          System.exit(1);
          return null;
        });
    streams.start();
  }

  static byte[] text(String item, long start, Total total) {
    String json =
        "{\"item\":\"" + item + "\",\"start\":" + start + ",\"n\":" + total.n + ",\"cents\":" + total.cents
            + ",\"max\":" + total.max + "}";
    return json.getBytes(StandardCharsets.UTF_8);
  }
}
