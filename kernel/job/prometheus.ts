// The figures of an exported job in Prometheus' text format. The names are those of Flink and of
// Kafka's clients and Kafka Streams, so that dashboards of both find them.
import { isLeaf } from '../../engine/graph/kinds.ts';
import { flinkMetrics } from './flink-metrics.ts';
import { kafkaMetrics } from './kafka-metrics.ts';
import type { JobFigures, JobMetric, Labels } from './metric.ts';

export const allMetrics: readonly JobMetric[] = [...flinkMetrics, ...kafkaMetrics];

export function prometheusText(figures: JobFigures): string {
  const operators = figures.reports.filter((report) => !isLeaf(report));
  return allMetrics.map((metric) => metricText(metric, { ...figures, reports: operators })).join('');
}

function metricText(metric: JobMetric, figures: JobFigures): string {
  const { name, kind, help } = metric;
  const found = metric.samples(figures);
  if (found.length === 0) return '';
  const lines = found.map(({ labels, value }) => `${name}${labelsText(labels)} ${numberText(value)}\n`);
  return `# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n${lines.join('')}`;
}
function labelsText(labels: Labels): string {
  const escaped = (text: string): string =>
    text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
  return `{${Object.entries(labels)
    .map(([name, value]) => `${name}="${escaped(value)}"`)
    .join(',')}}`;
}
function numberText(value: number): string {
  return value === Infinity ? '+Inf' : value === -Infinity ? '-Inf' : String(value);
}
