// A page that replaces VS Code's notebook webview: theme variables on the root, theme class on the
// body, and output elements.
// A test reads and writes the messages of the renderer's context through `window.host`.
const dark: Readonly<Record<string, string>> = {
  'editor-background': '#1f1f1f',
  'notebook-editorBackground': '#1f1f1f',
  'editor-foreground': '#cccccc',
  foreground: '#cccccc',
  descriptionForeground: '#9d9d9d',
  'panel-border': '#2b2b2b',
  'list-hoverBackground': '#2a2d2e',
  focusBorder: '#0078d4',
  'textLink-foreground': '#4daafc',
  errorForeground: '#f85149',
  'editorWarning-foreground': '#cca700',
  'charts-red': '#f14c4c',
  'charts-blue': '#3794ff',
  'charts-yellow': '#cca700',
  'charts-orange': '#d18616',
  'charts-green': '#89d185',
  'charts-purple': '#b180d7',
};
const light: Readonly<Record<string, string>> = {
  'editor-background': '#ffffff',
  'notebook-editorBackground': '#ffffff',
  'editor-foreground': '#3b3b3b',
  foreground: '#3b3b3b',
  descriptionForeground: '#3b3b3b',
  'panel-border': '#e5e5e5',
  'list-hoverBackground': '#f2f2f2',
  focusBorder: '#005fb8',
  'textLink-foreground': '#005fb8',
  errorForeground: '#f85149',
  'editorWarning-foreground': '#bf8803',
  'charts-red': '#e51400',
  'charts-blue': '#1a85ff',
  'charts-yellow': '#bf8803',
  'charts-orange': '#d18616',
  'charts-green': '#388a34',
  'charts-purple': '#652d90',
};
const themes = { dark, light };

export const webviewPage = `<!doctype html>
<meta charset="utf-8">
<title>webview</title>
<style>
  body { margin: 0; padding: 12px 28px; background: var(--vscode-editor-background); color: var(--vscode-foreground); }
  .output { margin: 0 0 20px; }
</style>
<body>
<script type="module">
  import { activate } from './renderer.js';
  const themes = ${JSON.stringify(themes)};
  const posted = [];
  const listeners = [];
  const renderer = await activate({
    setState() {}, getState() {}, getRenderer: async () => undefined, workspace: { isTrusted: true },
    postMessage: (message) => { posted.push(message); },
    onDidReceiveMessage: (listener) => { listeners.push(listener); return { dispose() {} }; },
  });
  window.host = {
    posted,
    renderer,
    theme(kind) {
      const style = document.documentElement.style;
      style.setProperty('--vscode-font-family', 'system-ui, sans-serif');
      style.setProperty('--vscode-font-size', '13px');
      style.setProperty('--vscode-editor-font-family', "'DejaVu Sans Mono', monospace");
      for (const [name, value] of Object.entries(themes[kind])) style.setProperty('--vscode-' + name, value);
      document.body.className = 'vscode-' + kind;
    },
    output(cell, item = cell, session = 's1', element) {
      const host = element ?? document.body.appendChild(Object.assign(document.createElement('div'), { className: 'output' }));
      const value = { protocol: 1, session, cell };
      renderer.renderOutputItem({ id: item, mime: 'application/vnd.sluice.view+json', json: () => value, text: () => JSON.stringify(value) }, host, new AbortController().signal);
      return host;
    },
    dispose(item) { renderer.disposeOutputItem(item); },
    receive(message) { for (const listener of listeners) listener(message); },
  };
  host.theme('dark');
  document.title = 'ready';
</script>`;
