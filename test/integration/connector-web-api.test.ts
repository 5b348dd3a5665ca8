import { type ConformanceSystem, connectorConformance } from '@linkspan/plugin/conformance';
import type { Terms } from '@linkspan/protocol';
import {
  closeOnWeb,
  fenceOnWeb,
  conformanceOf,
  ISIN,
  openConnector,
  startWeb,
  webConnectorConfig,
} from './connector-systems.ts';

connectorConformance('web-api, cash accounts', () =>
  webSystem('rtgs', {
    terms: (units) => ({ from: 'rtgs:0042', to: 'rtgs:0099', amount: String(units), currency: 'JPY' }),
    shortReason: 'MONY',
    complete: 'execute',
    wrongTerms: [
      { from: 'rtgs:0042', to: 'rtgs:7777', amount: '1', currency: 'JPY' },
      { from: 'rtgs:7777', to: 'rtgs:0099', amount: '1', currency: 'JPY' },
      { from: 'rtgs:0042', to: 'rtgs:0099', amount: '1.50', currency: 'JPY' },
      { from: 'rtgs:0042', to: 'rtgs:0099', amount: '1.50', currency: 'USD' },
      { from: 'rtgs:0042', to: 'rtgs:0099' },
    ],
  }),
);

connectorConformance('web-api, securities', () =>
  webSystem('csd', {
    terms: (units) => ({ from: 'csd:0042', to: 'csd:0099', isin: ISIN, quantity: String(units) }),
    shortReason: 'LACK',
    complete: 'deliver',
    wrongTerms: [
      { from: 'csd:0042', to: 'csd:0099', isin: 'XS0000000017', quantity: '1' },
      { from: 'csd:0042', to: 'csd:0099', isin: ISIN, quantity: '0' },
    ],
  }),
);

type Facts = Pick<ConformanceSystem, 'shortReason' | 'complete' | 'wrongTerms'> & {
  readonly terms: (units: bigint) => Terms;
};

async function webSystem(system: string, facts: Facts): Promise<ConformanceSystem> {
  const process = await startWeb(system);
  return conformanceOf(process, {
    ...facts,
    system,
    connect: (url, executor = 0) => openConnector(system, webConnectorConfig(url, executor)),
    payer: '0042',
    payee: '0099',
    fenceBlindly: (operation, reason) => fenceOnWeb(process.url, operation, reason),
    closeAsStranger: (verb, hold, certificate) => closeOnWeb(process.url, verb, hold, certificate),
  });
}
