/** What this package uses of npm `secp256k1`, which ships no types. */
declare module 'secp256k1' {
  const secp256k1: {
    privateKeyVerify(privateKey: Uint8Array): boolean;
    publicKeyCreate(privateKey: Uint8Array, compressed: boolean): Uint8Array;
    /** `digest` has 32 bytes; the signature is r and s, 64 bytes, with the lower of the two possible s. */
    ecdsaSign(digest: Uint8Array, privateKey: Uint8Array): { readonly signature: Uint8Array; readonly recid: number };
    ecdsaRecover(signature: Uint8Array, recid: number, digest: Uint8Array, compressed: boolean): Uint8Array;
  };
  export = secp256k1;
}
