export { loadConfig, type ValidatorConfig } from './config.ts';
export { type RunningValidator, startValidator } from './start-validator.ts';
