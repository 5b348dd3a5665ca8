export { tokenAbi } from './compiled/token-abi.ts';
export { loadConfig, parseConfig } from './config.ts';
export type { AccountConfig, FcyEvmConfig } from './config.ts';
export { StartError } from './launcher/start-error.ts';
export { mnemonicKeys } from './mnemonic-keys.ts';
export { startFcyEvm } from './start-fcy-evm.ts';
export type { FcyEvm } from './start-fcy-evm.ts';
