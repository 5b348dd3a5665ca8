import { test } from 'node:test';
import { connectorConformance } from '@linkspan/plugin/conformance';
import { cashSystem } from './cash-chaincode-system.ts';
import { whyNoFabric } from './fabric-network.ts';

const missing = await whyNoFabric();

if (missing === undefined) connectorConformance('fabric, three countries', cashSystem);
else test('connector conformance: fabric', { skip: missing }, () => undefined);
