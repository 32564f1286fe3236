// The compiler of a kernel, loaded when the kernel accepts clients. Loading it takes longer than
// all the rest of the start, and the first client says hello meanwhile.
import type { CellCompiler } from './effects.ts';

/** After the kernel can be found, its first client comes within this time. */
const helloMillis = 40;
/** Text like that of a first cell. */
const example =
  "import { count } from 'sluice';\nconst a = count((row: { n: number }) => ({ n: row.n + 1 }));\na.show();";

export class LateCompiler implements CellCompiler {
  readonly #notebook: () => string;
  #loading: Promise<CellCompiler> | undefined;
  #isUsed = false;

  constructor(notebook: () => string) {
    this.#notebook = notebook;
  }

  async compile(...parameters: Parameters<CellCompiler['compile']>): ReturnType<CellCompiler['compile']> {
    this.#isUsed = true;
    return (await this.#load()).compile(...parameters);
  }

  /**
   * Loads it soon. What is used for the first time is slow, so an example is compiled if nothing
   * else is.
   */
  loadSoon(): void {
    setTimeout(() => {
      void this.#load().then((compiler) =>
        setTimeout(() => {
          if (!this.#isUsed) void compiler.compile([{ id: 'example', kind: 'code', text: example }], 'example');
        }, helloMillis),
      );
    }, helloMillis);
  }

  #load(): Promise<CellCompiler> {
    this.#loading ??= import('./compiler.ts').then(({ notebookCompiler }) => notebookCompiler(this.#notebook));
    return this.#loading;
  }
}
