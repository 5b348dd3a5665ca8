import { constants } from 'node:crypto';
import type { Server as HttpServer, ServerResponse } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Live, TlsCredentials } from '@linkspan/protocol';

/** What a server with these credentials is made with. Where it has authorities, clients are asked for certificates; `clients` says whether without one they are turned away. */
export function serverOptions(credentials: TlsCredentials, clients: 'needed' | 'welcome') {
  return {
    ...credentials,
    ...KEPT,
    requestCert: credentials.ca !== undefined,
    rejectUnauthorized: credentials.ca !== undefined && clients === 'needed',
  };
}

/** No session is resumed: a resumed one would carry on with what was verified under former authorities, or with a certificate that was never there. */
const KEPT = { minVersion: 'TLSv1.2', secureOptions: constants.SSL_OP_NO_TICKET } as const;

/**
 * Has a server present and believe what is current. Connections from before an exchange are closed behind their next answer, so that no client
 * stays on the strength of an authority that is no longer believed. Gives what ends that.
 */
export function keepCurrent(server: HttpServer | HttpsServer, tls: Live<TlsCredentials>): () => void {
  let generation = 0;
  const generations = new WeakMap<object, number>();
  server.on('secureConnection', (socket: Socket) => generations.set(socket, generation));
  server.on('request', ({ socket }: { readonly socket: Socket }, response: ServerResponse) => {
    if ((generations.get(socket) ?? 0) < generation) response.shouldKeepAlive = false;
  });
  return tls.onChange((credentials) => {
    generation++;
    if ('setSecureContext' in server) server.setSecureContext({ ...credentials, ...KEPT });
  });
}
