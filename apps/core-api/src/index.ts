export { type CoreApiConfig, loadConfig, type OrganisationConfig, readCoreApi, type SystemConfig } from './config.ts';
export { createHttpPeers, type HttpPeers } from './http-peers.ts';
export { type OpenApi, openApiDocument } from './openapi.ts';
export { type RunningCoreApi, startCoreApi, type StartOptions } from './start-core-api.ts';
