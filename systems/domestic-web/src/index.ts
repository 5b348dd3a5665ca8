export { startDomesticWeb } from './domestic-web.ts';
export type { DomesticWeb, DomesticWebOptions } from './domestic-web.ts';
export type { DomesticWebConfig } from './config.ts';
export { StartError } from './start-error.ts';
