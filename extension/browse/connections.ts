// The user's connections: the setting with the secrets that VS Code stores. In a folder that is not
// trusted there are none.
import * as vscode from 'vscode';
import type { ConnectionDefinition, ConnectionDefinitions } from '../../kernel/protocol/connections.ts';
import { connectionsOf, defaultName, type SecretField } from './connection-settings.ts';
import { SecretStore } from './secret-store.ts';

const setting = 'connections';

export class Connections {
  readonly #secrets: SecretStore;
  readonly #changed = new vscode.EventEmitter<void>();
  /** A setting, a secret or the trust of the folder has changed. */
  readonly onDidChange: vscode.Event<void> = this.#changed.event;

  constructor(secrets: vscode.SecretStorage) {
    this.#secrets = new SecretStore(secrets);
  }
  register(secrets: vscode.SecretStorage): vscode.Disposable {
    return vscode.Disposable.from(
      this.#changed,
      secrets.onDidChange(() => this.#changed.fire()),
      vscode.workspace.onDidGrantWorkspaceTrust(() => this.#changed.fire()),
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration('sluice.connections') || event.affectsConfiguration('sluice.brokers'))
          this.#changed.fire();
      }),
    );
  }

  /** As they are written, without secrets. */
  all(): ConnectionDefinitions {
    if (!vscode.workspace.isTrusted) return {};
    const settings = vscode.workspace.getConfiguration('sluice');
    return connectionsOf({ connections: plainCopy(settings.get<unknown>(setting)), ...this.#short() });
  }
  /** For the hand-over to a process, and for nothing else. */
  async withSecrets(): Promise<ConnectionDefinitions> {
    const entries = Object.entries(this.all()).map(
      async ([name, definition]) => [name, await this.#secrets.complete(name, definition)] as const,
    );
    const whole: ConnectionDefinitions = Object.fromEntries(await Promise.all(entries));
    const first = whole[defaultName];
    const setIn = this.#sourceOfDefault();
    return first && setIn !== undefined ? { ...whole, [defaultName]: { ...first, setIn } } : whole;
  }
  #sourceOfDefault(): string | undefined {
    const { brokers, environmentBrokers } = this.#short();
    if (brokers.trim() !== '') return 'the setting sluice.brokers';
    return environmentBrokers?.trim() ? 'SLUICE_BROKERS' : undefined;
  }
  #short(): { readonly brokers: string; readonly environmentBrokers: string | undefined } {
    const brokers = vscode.workspace.getConfiguration('sluice').get('brokers', '');
    return { brokers, environmentBrokers: process.env['SLUICE_BROKERS'] };
  }
  /** It is not `sluice.brokers` or the environment that defines it. */
  isOwn(name: string): boolean {
    return this.#targetOf(name) !== undefined;
  }

  async save(
    name: string,
    definition: ConnectionDefinition,
    secrets: ReadonlyMap<SecretField, string>,
    former: string | undefined,
  ): Promise<void> {
    const target = (former !== undefined && this.#targetOf(former)) || vscode.ConfigurationTarget.Global;
    // The secret first: the setting tells everybody to connect.
    if (former !== undefined && former !== name) await this.#secrets.rename(former, name);
    await this.#secrets.keep(name, definition, secrets);
    const { [former ?? name]: _former, ...others } = this.#inTarget(target);
    await this.#write(target, { ...others, [name]: definition });
    if (former !== undefined && former !== name) await this.#secrets.forget(former);
  }
  async remove(name: string): Promise<void> {
    const target = this.#targetOf(name);
    if (target !== undefined) {
      const { [name]: _removed, ...others } = this.#inTarget(target);
      await this.#write(target, others);
    } else if (name === defaultName) {
      await vscode.workspace.getConfiguration('sluice').update('brokers', undefined, vscode.ConfigurationTarget.Global);
    }
    await this.#secrets.forget(name);
  }

  #inTarget(target: vscode.ConfigurationTarget): Readonly<Record<string, unknown>> {
    const found = vscode.workspace.getConfiguration('sluice').inspect<Record<string, unknown>>(setting);
    const { Workspace, WorkspaceFolder } = vscode.ConfigurationTarget;
    const value =
      target === WorkspaceFolder
        ? found?.workspaceFolderValue
        : target === Workspace
          ? found?.workspaceValue
          : found?.globalValue;
    return plainCopy(value) ?? {};
  }
  #targetOf(name: string): vscode.ConfigurationTarget | undefined {
    const { Global, Workspace, WorkspaceFolder } = vscode.ConfigurationTarget;
    return [WorkspaceFolder, Workspace, Global].find((target) => Object.hasOwn(this.#inTarget(target), name));
  }
  async #write(target: vscode.ConfigurationTarget, value: Readonly<Record<string, unknown>>): Promise<void> {
    const all = Object.keys(value).length === 0 ? undefined : value;
    await vscode.workspace.getConfiguration('sluice').update(setting, all, target);
  }
}

/** VS Code gives a proxy, which cannot be cloned. */
function plainCopy<T>(value: T): T {
  return value === undefined ? value : (JSON.parse(JSON.stringify(value)) as T);
}
