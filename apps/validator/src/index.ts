export { loadConfig, readValidator, type ValidatorConfig } from './config.ts';
export { type RunningValidator, startValidator } from './start-validator.ts';
