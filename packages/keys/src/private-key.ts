import { Fault, hexToBytes, isHex } from '@linkspan/protocol';

/** The 32 bytes of a private key given as 64 lower-case hexadecimal digits. The message never repeats the text: it may be half a secret. */
export function privateKeyBytes(kind: string, privateKey: string): Uint8Array {
  if (!isHex(privateKey, 32)) {
    throw new Fault('configuration-invalid', `The ${kind} private key is not 64 lower-case hexadecimal digits.`);
  }
  return hexToBytes(privateKey);
}
