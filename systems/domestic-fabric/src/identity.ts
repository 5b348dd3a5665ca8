import { createHash, X509Certificate } from 'node:crypto';

/** Who signed a proposal, as the peer has checked it: a member service and a certificate of it in PEM. */
export type Creator = { readonly mspid: string; readonly idBytes: Uint8Array };

/** `MSP:HASH`, with the SHA-256 of the certificate's DER. A renewed certificate is another identity, to be registered anew. */
export function identityOf({ mspid, idBytes }: Creator): string {
  const { raw } = new X509Certificate(Buffer.from(idBytes));
  return `${mspid}:${createHash('sha256').update(raw).digest('hex')}`;
}
