import { type ConformanceSystem, connectorConformance } from '@linkspan/plugin/conformance';
import { formatAmount } from '@linkspan/protocol';
import {
  closeOnEvm,
  fenceOnEvm,
  conformanceOf,
  EVM_ACCOUNTS,
  evmConnectorConfig,
  openConnector,
  startEvm,
} from './connector-systems.ts';

connectorConformance('evm', evmSystem);

async function evmSystem(): Promise<ConformanceSystem> {
  const process = await startEvm();
  const token = String(process.ready['token']);
  const { payer, payee } = EVM_ACCOUNTS;
  const [from, to] = [`fcy-evm:${payer}`, `fcy-evm:${payee}`];
  return conformanceOf(process, {
    system: 'fcy-evm',
    payer,
    payee,
    connect: (url, executor = 0) => openConnector('fcy-evm', evmConnectorConfig(url, token, executor)),
    terms: (units) => ({ from, to, amount: formatAmount(units, 'USD'), currency: 'USD' }),
    shortReason: 'MONY',
    complete: 'execute',
    wrongTerms: [
      { from: 'fcy-evm:0042', to, amount: '1.00', currency: 'USD' },
      { from, to: `fcy-evm:0x${'0'.repeat(40)}`, amount: '1.00', currency: 'USD' },
      { from: to, to: from, amount: '1.00', currency: 'USD' },
      { from, to, amount: '1.005', currency: 'USD' },
    ],
    fenceBlindly: (operation, reason) => fenceOnEvm(process.url, token, operation, reason),
    closeAsStranger: async (verb, hold, certificate) => {
      if (verb === 'deliver') throw new TypeError('a cash token executes');
      await closeOnEvm(process.url, token, verb, hold, certificate);
    },
  });
}
