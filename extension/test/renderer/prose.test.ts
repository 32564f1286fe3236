// The prose of a notebook on the served page: no HTML of the author, only safe links, no image from
// outside.
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { proseHtml } from '../../renderer/page/prose.ts';

const linkOf = (markdown: string): string | undefined => /href="([^"]*)"/.exec(proseHtml(markdown))?.[1];

test('markup is text', () => {
  const html = proseHtml('# A <img src=x onerror=alert(1)>\n\n<script>alert(2)</script> <http://a.example/"onclick=x>');
  assert.doesNotMatch(html, /<(?!\/?(?:h1|p|a)\b)/);
  assert.match(html, /&lt;script&gt;/);
});

test('links to pages and to mail are links', () => {
  assert.equal(linkOf('[a](https://a.example/x?y=1)'), 'https://a.example/x?y=1');
  assert.equal(linkOf('[a](#cell-totals)'), '#cell-totals');
  assert.equal(linkOf('[a](mailto:a@a.example)'), 'mailto:a@a.example');
  assert.equal(linkOf('see https://a.example'), 'https://a.example');
});

test('a link of another scheme is text', () => {
  const schemes = [
    'javascript:alert(1)',
    'JaVaScRiPt:1',
    'vbscript:1',
    'file:///etc/passwd',
    'command:x',
    'vscode://a/b',
  ];
  for (const link of [...schemes, 'data:text/html,x', 'blob:x', 'ms-msdt:/id', 'java&#10;script:1'])
    for (const markdown of [`[a](${link})`, `<${link}>`, `![a](${link})`, `[a][b]\n\n[b]: ${link}`]) {
      const html = proseHtml(markdown);
      assert.doesNotMatch(html, /<img/, markdown);
      assert.equal(linkOf(markdown), undefined, `${markdown} → ${html}`);
    }
});

test('an image from outside is a link, and an image in the text is shown', () => {
  assert.equal(proseHtml('![pixel](http://a.example/p.png)'), '<p><a href="http://a.example/p.png">pixel</a></p>\n');
  assert.equal(
    proseHtml('![<b>"x"](http://a.example/p.png)'),
    '<p><a href="http://a.example/p.png">&lt;b&gt;&quot;x&quot;</a></p>\n',
  );
  assert.match(proseHtml('![](data:image/png;base64,AA==)'), /<img src="data:image\/png;base64,AA=="/);
  assert.doesNotMatch(proseHtml('![](data:image/svg+xml;base64,AA==)'), /<img/);
});
