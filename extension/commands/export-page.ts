// The preview of an export as a page: what goes into the job, what stays in the notebook and why,
// and what keeps the notebook from being one. Nothing here needs VS Code.
import type { ExportPreview, PreviewedStatement } from '../../kernel/protocol/language.ts';

export interface ExportPage {
  /** The file name of the notebook. */
  readonly notebook: string;
  readonly target: 'node' | 'flink';
  /** undefined: it has not come yet. */
  readonly preview: ExportPreview | undefined;
}
/** From the page. */
export type FromExportPage =
  { readonly kind: 'export' } | { readonly kind: 'go'; readonly cell: string; readonly line: number };

/** `nonce`: of the page's script. */
export function exportPage(page: ExportPage, nonce: string): string {
  const policy = `default-src 'none'; script-src 'nonce-${nonce}'; style-src 'nonce-${nonce}'`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>Export as Job</title>
<style nonce="${nonce}">${style}</style>
</head>
<body>
${bodyText(page)}
<script nonce="${nonce}">${script}</script>
</body>
</html>`;
}

const targetNames = { node: 'Node job', flink: 'Flink job' } as const;

function bodyText({ notebook, target, preview }: ExportPage): string {
  const title = `<h1>${escaped(notebook)} <span class="quiet">as a ${targetNames[target]}</span></h1>`;
  if (!preview) return `${title}<p>Reading the notebook …</p>`;
  const errors = preview.problems.filter(({ severity }) => severity === 'error').length;
  const warnings = preview.problems.length - errors;
  return `<header>${title}
<button id="export"${errors > 0 || target === 'flink' ? ' disabled' : ''}>Choose a Folder and Export</button>
<p role="status">${statusText(errors, warnings, target)}</p></header>
${problemsText(preview)}
${streamsText(preview)}
${section('What goes into the job', statementsText(preview.goes, 'Nothing.'))}
${section('What stays in the notebook', statementsText(preview.stays, 'Nothing: all of it goes.'))}
${capturedText(preview)}
${neededText(preview)}`;
}

function statusText(errors: number, warnings: number, target: ExportPage['target']): string {
  const counts = [counted(errors, 'error'), counted(warnings, 'warning')].filter((text) => text !== '').join(', ');
  if (errors > 0) return `${counts}. Correct the errors, and this page follows.`;
  if (target === 'flink')
    return `${counts === '' ? 'No problems' : counts}. The export to Flink comes in a later version.`;
  return counts === '' ? 'No problems.' : `${counts}.`;
}
function counted(count: number, what: string): string {
  return count === 0 ? '' : `${count} ${what}${count === 1 ? '' : 's'}`;
}

function problemsText({ problems }: ExportPreview): string {
  if (problems.length === 0) return '';
  const rows = problems.map(
    ({ cell, line, severity, message }) =>
      `<tr class="${severity}"><td>${severity === 'error' ? 'Error' : 'Warning'}</td><td>${cell === '' ? '' : link(cell, line)}</td><td>${escaped(message)}</td></tr>`,
  );
  return section('Problems', `<table>${rows.join('')}</table>`);
}
function streamsText({ streams }: ExportPreview): string {
  if (streams.length === 0) return '';
  const rows = streams.map(
    ({ name, verbs, rows: type }) =>
      `<tr><td><code>${escaped(name)}</code></td><td>${escaped(verbs)}</td><td><code class="quiet">${escaped(type)}</code></td></tr>`,
  );
  return section('Streams and sinks', `<table>${rows.join('')}</table>`);
}
function statementsText(statements: readonly PreviewedStatement[], none: string): string {
  if (statements.length === 0) return `<p>${none}</p>`;
  const rows = statements.map(
    ({ cell, line, text, because }) =>
      `<tr><td>${link(cell, line)}</td><td><code>${escaped(text)}</code></td><td class="quiet">${escaped(because)}</td></tr>`,
  );
  return `<table>${rows.join('')}</table>`;
}
function capturedText({ captured }: ExportPreview): string {
  if (captured.length === 0) return '';
  const rows = captured.map(
    ({ name, cell, value }) =>
      `<tr><td><code>${escaped(name)}</code></td><td>cell ${escaped(cell)}</td><td class="quiet">${escaped(value)}</td></tr>`,
  );
  return section('Values that functions capture', `<table>${rows.join('')}</table>`);
}
function neededText({ modules, connections }: ExportPreview): string {
  const names = connections.map((name) => (name === '' ? 'the default connection' : name));
  return [
    modules.length === 0
      ? ''
      : section('Modules inside the job', `<p><code>${modules.map(escaped).join(', ')}</code></p>`),
    names.length === 0
      ? ''
      : section('Kafka connections', `<p>${names.map(escaped).join(', ')}: given by the environment of the job.</p>`),
  ].join('');
}

function section(title: string, inner: string): string {
  return `<section><h2>${title}</h2>${inner}</section>`;
}
function link(cell: string, line: number): string {
  return `<a href="#" data-cell="${escaped(cell)}" data-line="${line}">${escaped(cell)}:${line}</a>`;
}
function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

const style = `
body { padding: 0 24px 24px; max-width: 1100px; font: var(--vscode-font-size) var(--vscode-font-family); }
header { position: sticky; top: 0; padding: 16px 0 8px; background: var(--vscode-editor-background); }
h1 { font-size: 1.5em; font-weight: 600; margin: 0 0 12px; }
h2 { font-size: 1.1em; font-weight: 600; margin: 24px 0 6px; }
.quiet { color: var(--vscode-descriptionForeground); font-weight: 400; }
button { padding: 6px 14px; border: 1px solid var(--vscode-button-border, transparent); border-radius: 2px; font: inherit; cursor: pointer; color: var(--vscode-button-foreground); background: var(--vscode-button-background); }
button:hover { background: var(--vscode-button-hoverBackground); }
button:focus-visible { outline: 1px solid var(--vscode-focusBorder); outline-offset: 2px; }
button:disabled { opacity: .5; cursor: default; }
header p { display: inline-block; margin: 0 0 0 12px; }
table { border-collapse: collapse; width: 100%; table-layout: auto; }
td { padding: 3px 14px 3px 0; vertical-align: top; border-bottom: 1px solid var(--vscode-editorWidget-border, transparent); }
td:first-child { white-space: nowrap; }
code { font-family: var(--vscode-editor-font-family); overflow-wrap: anywhere; }
a { color: var(--vscode-textLink-foreground); text-decoration: none; }
a:hover { text-decoration: underline; }
.error td:first-child { color: var(--vscode-errorForeground); }
.warning td:first-child { color: var(--vscode-editorWarning-foreground); }
`;

const script = `
const editor = acquireVsCodeApi();
document.getElementById('export')?.addEventListener('click', () => editor.postMessage({ kind: 'export' }));
for (const link of document.querySelectorAll('a[data-cell]'))
  link.addEventListener('click', (event) => {
    event.preventDefault();
    editor.postMessage({ kind: 'go', cell: link.dataset.cell, line: Number(link.dataset.line) });
  });
`;
