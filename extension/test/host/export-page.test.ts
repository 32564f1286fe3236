// The page before an export: what it says, what it offers, and that no text of a notebook is HTML.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { ExportPreview } from '../../../kernel/protocol/language.ts';
import { exportPage } from '../../commands/export-page.ts';

const empty: ExportPreview = {
  ...{ goes: [], stays: [], captured: [], streams: [], modules: [], connections: [], problems: [] },
};
const pageOf = (preview: Partial<ExportPreview>, target: 'node' | 'flink' = 'node'): string =>
  exportPage({ notebook: 'orders.sluice.ts', target, preview: { ...empty, ...preview } }, 'once');

test('without errors the export is offered, and with one it is not', () => {
  assert.match(pageOf({}), /<button id="export">[^]*No problems\./);
  const error = { cell: 'out', line: 2, message: 'It is alive.', severity: 'error' as const };
  const warning = { ...error, message: 'It depends on the clock.', severity: 'warning' as const };
  assert.match(pageOf({ problems: [warning] }), /<button id="export">[^]*1 warning\./);
  const page = pageOf({ problems: [error, warning] });
  assert.match(page, /<button id="export" disabled>[^]*1 error, 1 warning\. Correct the errors/);
  assert.match(page, /data-cell="out" data-line="2">out:2<\/a><\/td><td>It is alive\./);
  assert.match(pageOf({}, 'flink'), /<button id="export" disabled>[^]*comes in a later version/);
});

test('what goes and what stays is listed with its reason', () => {
  const page = pageOf({
    goes: [{ cell: 'out', line: 1, text: "totals.to('t');", because: 'a sink' }],
    stays: [{ cell: 'out', line: 2, text: 'totals.show();', because: 'a display' }],
    captured: [{ name: 'limit', cell: 'orders', value: '5' }],
    streams: [{ name: 'totals', verbs: 'keyBy → window', rows: 'row<n: double>' }],
    connections: ['', 'prod'],
  });
  assert.match(page, /What goes into the job<\/h2>[^]*totals\.to\(&#39;t&#39;\);[^]*a sink/);
  assert.match(page, /What stays in the notebook<\/h2>[^]*totals\.show\(\);[^]*a display/);
  assert.match(page, /row&#60;n: double&#62;/);
  assert.match(page, /the default connection, prod/);
});

test('a text of the notebook is never HTML', () => {
  const evil = `</code><script>alert(1)</script>"'&`;
  const page = pageOf({
    goes: [{ cell: evil, line: 1, text: evil, because: evil }],
    captured: [{ name: evil, cell: evil, value: evil }],
    streams: [{ name: evil, verbs: evil, rows: evil }],
    modules: [evil],
    connections: [evil],
    problems: [{ cell: evil, line: 1, message: evil, severity: 'error' }],
  });
  assert.doesNotMatch(page, /alert\(1\)<\/script>"/);
  assert.equal(page.split('<script').length, 2);
});
