// Asks the registry of a connection something harmless, to see whether it answers and lets this
// user in.
import type { Connection } from '../connections/connection.ts';
import { SluiceError } from '../errors/error.ts';
import { registryOf } from './registry-connection.ts';
import { askRegistry, RegistryAway, SchemaAbsent } from './registry-request.ts';

/** The URL of the registry. Errors: SluiceErrors that say what is wrong and the way out. */
export async function testRegistry(connection: Connection): Promise<string> {
  const registry = registryOf(connection)!;
  try {
    await askRegistry(registry, '/subjects');
  } catch (error) {
    if (error instanceof RegistryAway)
      throw new SluiceError(
        'registry-away',
        `The schema registry ${registry.url} does not answer: ${error.message}. Start it, or correct ${registry.setIn}.`,
        { setIn: registry.setIn },
      );
    if (!(error instanceof SchemaAbsent)) throw error;
  }
  return registry.url;
}
