import { refuse, type Result } from '@linkspan/protocol';
import { type ConfigurationContext, INLINE_ONLY } from '../configuration.ts';
import type { Connector } from '../connector.ts';
import { isObject } from '../document-reader.ts';

/** Opens the connector of a kind once its configuration has been read. */
export type ConnectorFactory = () => Connector;

/**
 * Reads a connector's configuration by its `kind`. Each kind is loaded only where it is used, so that nobody carries another kind's client library.
 * `{ kind: "evm", … }`, `{ kind: "fabric", … }` and `{ kind: "web-api", … }` are described beside the connectors.
 */
export async function readConnector(
  system: string,
  value: unknown,
  context: ConfigurationContext = INLINE_ONLY,
): Promise<Result<ConnectorFactory>> {
  switch (isObject(value) ? value['kind'] : undefined) {
    case 'evm': {
      const { evmConfig } = await import('./evm/evm-config.ts');
      const config = evmConfig(system, value, context);
      if (!config.ok) return config;
      const { createEvmConnector } = await import('./evm/evm-connector.ts');
      return { ok: true, value: () => createEvmConnector(config.value) };
    }
    case 'web-api': {
      const { webApiConfig } = await import('./web-api/web-api-config.ts');
      const config = webApiConfig(system, value, context);
      if (!config.ok) return config;
      const { createWebApiConnector } = await import('./web-api/web-api-connector.ts');
      return { ok: true, value: () => createWebApiConnector(config.value) };
    }
    case 'fabric': {
      const { fabricConfig } = await import('./fabric/fabric-config.ts');
      const config = fabricConfig(system, value, context);
      if (!config.ok) return config;
      const { createFabricConnector } = await import('./fabric/fabric-connector.ts');
      return { ok: true, value: () => createFabricConnector(config.value) };
    }
    default:
      return refuse('configuration-invalid', 'The connector needs a "kind": evm, fabric or web-api.');
  }
}
