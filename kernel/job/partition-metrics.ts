// A figure of each partition that the sources of a job read.
import type { OperatorReport } from '../executor/executor-protocol.ts';
import { type JobFigures, type Labels, type Sample, sample } from './metric.ts';

type PartitionStatus = NonNullable<NonNullable<OperatorReport['source']>['partitions']>[number];

/** The labels of the operator, and `topic` and `partition`. */
export function ofPartitions(
  { application, reports }: JobFigures,
  labelsOf: (application: string, report: OperatorReport) => Labels,
  value: (partition: PartitionStatus) => number | undefined,
): readonly Sample[] {
  return reports.flatMap((report) =>
    (report.source?.partitions ?? []).flatMap((status) => {
      const { topic, number } = status;
      if (topic === undefined || number === undefined) return [];
      return sample({ ...labelsOf(application, report), topic, partition: String(number) }, value(status));
    }),
  );
}
