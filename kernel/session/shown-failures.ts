// The failures of a cell as a person can read them. A topic may lose a thousand partitions at once,
// each with its own error, so only the first ones of a source are shown one by one. And an operator
// may have copies for cells that came late: an error that all of them have is shown once.
import type { OperatorFailure } from './state.ts';

const shownOfSource = 3;

export function shownFailures(all: readonly OperatorFailure[]): readonly OperatorFailure[] {
  const failures = withoutCopies(all);
  const ofPartitions = failures.filter(({ partitions }) => partitions);
  if (ofPartitions.length <= shownOfSource) return failures;
  const bySource = Map.groupBy(ofPartitions, ({ instance }) => instance);
  const folded = [...bySource.values()].flatMap((group) => {
    const rest = group.slice(shownOfSource);
    return [...group.slice(0, shownOfSource), ...(rest.length > 1 ? [together(rest)] : rest)];
  });
  return [...failures.filter(({ partitions }) => !partitions), ...folded];
}

/** Of failures that read the same, the first one. */
function withoutCopies(failures: readonly OperatorFailure[]): readonly OperatorFailure[] {
  const seen = new Set<string>();
  return failures.filter(({ name, error, record, partitions }) => {
    const { message, cell, file, line, column } = error;
    const text = JSON.stringify([name, message, cell, file, line, column, record, partitions]);
    if (seen.has(text)) return false;
    seen.add(text);
    return true;
  });
}

function together(failures: readonly OperatorFailure[]): OperatorFailure {
  const [first] = failures as readonly [OperatorFailure];
  const partitions = failures.flatMap((failure) => failure.partitions ?? []);
  const message = `${partitions.length.toLocaleString('en-US')} more partitions have stopped with an error; lag() shows each. The first: ${first.error.message}`;
  return { ...first, error: { ...first.error, message }, partitions };
}
