export * from './create-verify.ts';
export * from './ed25519.ts';
export { readGuardedFile } from './guarded-file.ts';
export * from './key-file.ts';
export * from './live-files.ts';
export { lowSSigner } from './low-s-signer.ts';
export * from './native-hashes.ts';
export { openPkcs11Signer, type Pkcs11Signer } from './pkcs11/pkcs11-signer.ts';
export * from './secp256k1.ts';
