export * from './connector.ts';
export * from './connectors/open-connector.ts';
export { readDocument, type DocumentReader, isObject } from './document-reader.ts';
export * from './secret.ts';
export * from './validator/validator.ts';
export { type Outcome } from './verifier/tally.ts';
export { type ValidatorEndpoint } from './verifier/validator-client.ts';
export * from './verifier/verifier.ts';
export * from './wire.ts';
