export * from './create-verify.ts';
export * from './ed25519.ts';
export * from './key-file.ts';
export * from './native-hashes.ts';
export * from './secp256k1.ts';
