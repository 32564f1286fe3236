import java.io.File;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.apache.flink.api.common.JobStatus;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.connector.sink2.Sink;
import org.apache.flink.api.connector.sink2.SinkWriter;
import org.apache.flink.api.connector.sink2.WriterInitContext;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.ExternalizedCheckpointRetention;
import org.apache.flink.configuration.RestOptions;
import org.apache.flink.configuration.StateBackendOptions;
import org.apache.flink.configuration.WebOptions;
import org.apache.flink.runtime.checkpoint.AbstractCheckpointStats;
import org.apache.flink.runtime.checkpoint.CheckpointStatsStatus;
import org.apache.flink.runtime.jobgraph.JobGraph;
import org.apache.flink.runtime.jobgraph.SavepointRestoreSettings;
import org.apache.flink.runtime.minicluster.MiniCluster;
import org.apache.flink.runtime.minicluster.MiniClusterConfiguration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;

/**
 * The job of kernel/bench/checkpointed-job.ts on Flink: the same records, keys and checksum.
 * Parallelism 1, object reuse, RocksDB with incremental checkpoints each second to a local folder.
 *
 * <p>Arguments: checkpoints | without | restore, folder, keys, hot keys, records per window,
 * records before the measured ones, measured records. The last line of its output is JSON.
 */
public class CheckpointedSum {
  public static class Rec {
    public String key;
    public int n;

    public Rec() {}

    Rec(String key, int n) {
      this.key = key;
      this.n = n;
    }
  }

  static int keys;
  static int hotKeys;
  static int perWindow;
  static int warmUp;
  static int records;
  static Rec[] byKey;
  static final CountDownLatch first = new CountDownLatch(1);
  static final CountDownLatch last = new CountDownLatch(1);
  static volatile long firstAt, firstTotal, beganAt, endedAt, beganCpu, endedCpu;
  static long results;
  static int checksum;

  static int hash(int field) {
    int h = (0x811c9dc5 ^ field) * 0x9e3779b1;
    return h ^ (h >>> 15);
  }

  static Rec recordOf(int n) {
    if (n < keys) return byKey[n];
    int hot = Integer.remainderUnsigned(hash(n), hotKeys);
    int window = (n - keys) / perWindow;
    return byKey[(int) (((long) hot * (keys / hotKeys) + window) % keys)];
  }

  static long cpu() {
    return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
        .getProcessCpuTime();
  }

  static void take(long total) {
    if (first.getCount() > 0) {
      firstAt = System.nanoTime();
      firstTotal = total;
      first.countDown();
    }
    if (results >= (long) keys + warmUp + records) return;
    results++;
    checksum += hash((int) total);
    if (results == (long) keys + warmUp) {
      beganAt = System.nanoTime();
      beganCpu = cpu();
    } else if (results == (long) keys + warmUp + records) {
      endedAt = System.nanoTime();
      endedCpu = cpu();
      last.countDown();
    }
  }

  public static void main(String[] args) throws Exception {
    String mode = args[0];
    Path folder = Path.of(args[1]).toAbsolutePath();
    keys = Integer.parseInt(args[2]);
    hotKeys = Integer.parseInt(args[3]);
    perWindow = Integer.parseInt(args[4]);
    warmUp = Integer.parseInt(args[5]);
    records = Integer.parseInt(args[6]);
    byKey = new Rec[keys];
    for (int i = 0; i < keys; i++) byKey[i] = new Rec("key-" + i, 8 + (i & 7));
    long start = System.nanoTime();
    long startCpu = cpu();
    Configuration c = new Configuration();
    c.set(RestOptions.BIND_PORT, "0");
    c.set(RestOptions.BIND_ADDRESS, "127.0.0.1");
    c.set(WebOptions.CHECKPOINTS_HISTORY_SIZE, 10_000);
    c.set(StateBackendOptions.STATE_BACKEND, "rocksdb");
    c.set(CheckpointingOptions.INCREMENTAL_CHECKPOINTS, true);
    c.set(CheckpointingOptions.CHECKPOINT_STORAGE, "filesystem");
    c.set(CheckpointingOptions.CHECKPOINTS_DIRECTORY, folder.resolve("checkpoints").toUri().toString());
    c.set(CheckpointingOptions.EXTERNALIZED_CHECKPOINT_RETENTION, ExternalizedCheckpointRetention.RETAIN_ON_CANCELLATION);
    if (!mode.equals("without")) c.set(CheckpointingOptions.CHECKPOINTING_INTERVAL, Duration.ofSeconds(1));
    StreamExecutionEnvironment env = StreamExecutionEnvironment.createLocalEnvironment(1, c);
    env.getConfig().enableObjectReuse();
    env.fromSource(new Numbers(), WatermarkStrategy.noWatermarks(), "records", TypeInformation.of(Rec.class))
        .uid("records")
        .keyBy(r -> r.key)
        .process(new Sum())
        .uid("sum")
        .sinkTo(new Take())
        .uid("take");
    JobGraph graph = env.getStreamGraph().getJobGraph();
    if (mode.equals("restore"))
      graph.setSavepointRestoreSettings(SavepointRestoreSettings.forPath(newest(folder).toUri().toString()));
    MiniClusterConfiguration setup = new MiniClusterConfiguration.Builder()
        .setNumTaskManagers(1)
        .setNumSlotsPerTaskManager(1)
        .setConfiguration(c)
        .build();
    try (MiniCluster cluster = new MiniCluster(setup)) {
      cluster.start();
      cluster.submitJob(graph).get();
      CountDownLatch awaited = mode.equals("restore") ? first : last;
      while (!awaited.await(100, java.util.concurrent.TimeUnit.MILLISECONDS))
        if (cluster.getJobStatus(graph.getJobID()).get() == JobStatus.FAILED)
          throw new IOException("The job has failed: " + cluster.requestJobResult(graph.getJobID()).get());
      if (mode.equals("restore")) {
        if (firstTotal < 16) throw new IOException("The first total is " + firstTotal + ", so nothing was restored.");
        System.out.printf(Locale.ROOT, "{\"millis\":%.0f,\"cpuMillis\":%.0f}%n", (firstAt - start) / 1e6, (cpu() - startCpu) / 1e6);
      } else report(cluster, graph, folder);
      cluster.cancelJob(graph.getJobID()).get();
      cluster.requestJobResult(graph.getJobID()).get();
    }
    System.exit(0);
  }

  static void report(MiniCluster cluster, JobGraph graph, Path folder) throws Exception {
    StringBuilder taken = new StringBuilder();
    var stats = cluster.getExecutionGraph(graph.getJobID()).get().getCheckpointStatsSnapshot();
    int failed = 0;
    if (stats != null) {
      List<AbstractCheckpointStats> history = stats.getHistory().getCheckpoints();
      for (int i = history.size() - 1; i >= 0; i--) {
        AbstractCheckpointStats one = history.get(i);
        if (one.getStatus() == CheckpointStatsStatus.FAILED) failed++;
        if (one.getStatus() != CheckpointStatsStatus.COMPLETED) continue;
        taken.append(taken.length() == 0 ? "" : ",");
        taken.append(String.format(Locale.ROOT, "{\"bytes\":%d,\"newBytes\":%d,\"millis\":%d}", one.getStateSize(),
            one.getCheckpointedSize(), one.getEndToEndDuration()));
      }
    }
    System.out.printf(Locale.ROOT,
        "{\"seconds\":%.6f,\"cpuSeconds\":%.6f,\"results\":%d,\"checksum\":%s,\"checkpoints\":[%s],\"failed\":%d,\"diskBytes\":%d}%n",
        (endedAt - beganAt) / 1e9, (endedCpu - beganCpu) / 1e9, results, Integer.toUnsignedString(checksum), taken,
        failed, bytesIn(folder));
  }

  static long bytesIn(Path folder) throws IOException {
    try (Stream<Path> paths = Files.walk(folder)) {
      // A file that a new checkpoint replaces may go meanwhile.
      return paths.mapToLong(path -> path.toFile().isFile() ? path.toFile().length() : 0).sum();
    }
  }

  static Path newest(Path folder) throws IOException {
    File[] jobs = folder.resolve("checkpoints").toFile().listFiles();
    return Arrays.stream(jobs == null ? new File[0] : jobs)
        .flatMap(job -> Arrays.stream(job.listFiles((d, name) -> name.startsWith("chk-"))))
        .filter(checkpoint -> new File(checkpoint, "_metadata").exists())
        .max((a, b) -> Integer.compare(number(a), number(b)))
        .orElseThrow(() -> new IOException(folder + " has no checkpoint."))
        .toPath();
  }

  static int number(File checkpoint) {
    return Integer.parseInt(checkpoint.getName().substring(4));
  }

  static class Sum extends KeyedProcessFunction<String, Rec, Long> {
    transient ValueState<Long> total;

    @Override
    public void open(OpenContext context) {
      total = getRuntimeContext().getState(new ValueStateDescriptor<>("total", Types.LONG));
    }

    @Override
    public void processElement(Rec r, Context context, Collector<Long> out) throws Exception {
      Long known = total.value();
      long next = (known == null ? 0 : known) + r.n;
      total.update(next);
      out.collect(next);
    }
  }

  static class Take implements Sink<Long> {
    @Override
    public SinkWriter<Long> createWriter(WriterInitContext context) {
      return new SinkWriter<>() {
        @Override
        public void write(Long total, Context context) {
          take(total);
        }

        @Override
        public void flush(boolean end) {}

        @Override
        public void close() {}
      };
    }
  }
}
