import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.flink.api.connector.source.Boundedness;
import org.apache.flink.api.connector.source.ReaderOutput;
import org.apache.flink.api.connector.source.Source;
import org.apache.flink.api.connector.source.SourceReader;
import org.apache.flink.api.connector.source.SourceReaderContext;
import org.apache.flink.api.connector.source.SourceSplit;
import org.apache.flink.api.connector.source.SplitEnumerator;
import org.apache.flink.api.connector.source.SplitEnumeratorContext;
import org.apache.flink.core.io.InputStatus;
import org.apache.flink.core.io.SimpleVersionedSerializer;

/** The number of the next record. */
class Split implements SourceSplit {
  int next;

  Split(int next) {
    this.next = next;
  }

  @Override
  public String splitId() {
    return "0";
  }
}

/** One split without end; a poll emits 512 records. */
class Numbers implements Source<CheckpointedSum.Rec, Split, Integer> {
  @Override
  public Boundedness getBoundedness() {
    return Boundedness.CONTINUOUS_UNBOUNDED;
  }

  @Override
  public SplitEnumerator<Split, Integer> createEnumerator(SplitEnumeratorContext<Split> context) {
    return enumerator(context, false);
  }

  @Override
  public SplitEnumerator<Split, Integer> restoreEnumerator(SplitEnumeratorContext<Split> context, Integer given) {
    return enumerator(context, given == 1);
  }

  SplitEnumerator<Split, Integer> enumerator(SplitEnumeratorContext<Split> context, boolean wasGiven) {
    return new SplitEnumerator<>() {
      boolean isGiven = wasGiven;

      @Override
      public void start() {}

      @Override
      public void handleSplitRequest(int task, String host) {}

      @Override
      public void addSplitsBack(List<Split> splits, int task) {
        isGiven = false;
      }

      @Override
      public void addReader(int task) {
        if (!isGiven) context.assignSplit(new Split(0), task);
        isGiven = true;
      }

      @Override
      public Integer snapshotState(long id) {
        return isGiven ? 1 : 0;
      }

      @Override
      public void close() {}
    };
  }

  @Override
  public SimpleVersionedSerializer<Split> getSplitSerializer() {
    return new IntSerializer<>() {
      @Override
      int number(Split split) {
        return split.next;
      }

      @Override
      Split of(int number) {
        return new Split(number);
      }
    };
  }

  @Override
  public SimpleVersionedSerializer<Integer> getEnumeratorCheckpointSerializer() {
    return new IntSerializer<>() {
      @Override
      int number(Integer value) {
        return value;
      }

      @Override
      Integer of(int number) {
        return number;
      }
    };
  }

  @Override
  public SourceReader<CheckpointedSum.Rec, Split> createReader(SourceReaderContext context) {
    return new SourceReader<>() {
      Split split;
      final CompletableFuture<Void> available = new CompletableFuture<>();

      @Override
      public void start() {}

      @Override
      public InputStatus pollNext(ReaderOutput<CheckpointedSum.Rec> out) {
        if (split == null) return InputStatus.NOTHING_AVAILABLE;
        int n = split.next;
        for (int end = n + 512; n < end; n++) out.collect(CheckpointedSum.recordOf(n));
        split.next = n;
        return InputStatus.MORE_AVAILABLE;
      }

      @Override
      public List<Split> snapshotState(long id) {
        return split == null ? List.of() : List.of(new Split(split.next));
      }

      @Override
      public CompletableFuture<Void> isAvailable() {
        return available;
      }

      @Override
      public void addSplits(List<Split> splits) {
        split = splits.get(0);
        available.complete(null);
      }

      @Override
      public void notifyNoMoreSplits() {}

      @Override
      public void close() {}
    };
  }
}

abstract class IntSerializer<T> implements SimpleVersionedSerializer<T> {
  abstract int number(T value);

  abstract T of(int number);

  @Override
  public int getVersion() {
    return 1;
  }

  @Override
  public byte[] serialize(T value) {
    return ByteBuffer.allocate(4).putInt(number(value)).array();
  }

  @Override
  public T deserialize(int version, byte[] bytes) {
    return of(ByteBuffer.wrap(bytes).getInt());
  }
}
