import { type PeerCertificate, TLSSocket } from 'node:tls';

/**
 * The names that a certificate was issued for, out of its subject alternative names in Node's notation (`DNS:a.example, URI:urn:b`): DNS names in
 * lower case and URIs. Names in quotes, which hold characters that could fake another entry, and names of other kinds are left out.
 */
export function namesOf(subjectAltName: string | undefined): string[] {
  const names: string[] = [];
  const entry = /(?:^|, )([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^",]*)(?=, |$)/y;
  const text = subjectAltName ?? '';
  while (entry.lastIndex < text.length) {
    const found = entry.exec(text);
    // What cannot be read to its end is not believed in part either.
    if (!found) return [];
    const [, kind, name = ''] = found;
    if (name.startsWith('"')) continue;
    if (kind === 'DNS') names.push(name.toLowerCase());
    if (kind === 'URI') names.push(name);
  }
  return names;
}

/** What a configuration may name: a DNS name without wildcard, or a URI. */
export const PEER_NAME = {
  pattern: /^(?:[a-z\d](?:[a-z\d-]*[a-z\d])?(?:\.[a-z\d](?:[a-z\d-]*[a-z\d])?)*|[a-z][a-z\d+.-]*:[^\s",]+)$/,
  words: 'a name of a certificate: a DNS name in lower case, or a URI such as urn:linkspan:organisation:csd-b',
};

/** Node's check of a server's identity, by a name that was configured instead of the host that was asked. */
export function expectName(name: string): (host: string, certificate: PeerCertificate) => Error | undefined {
  return (_host, { subjectaltname }) => {
    const names = namesOf(subjectaltname);
    if (names.includes(name)) return undefined;
    const given = names.length === 0 ? 'no name' : names.join(', ');
    return Object.assign(new Error(`the certificate is of ${given}, not of ${name}`), {
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
  };
}

/**
 * The names of the client at the other end of a connection, whose certificate this server verified; undefined where it presented none, or one that
 * the server's authorities did not issue.
 */
export function clientNames(socket: object): string[] | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
  // A session of TLS 1.3 that is resumed counts as authorized even where its client never had a certificate.
  const certificate = socket.getPeerX509Certificate();
  return certificate ? namesOf(certificate.subjectAltName) : undefined;
}
