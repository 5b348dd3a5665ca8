import { clientNames, keepCurrent } from '@linkspan/plugin';
import { type Live, refuse, type TlsCredentials } from '@linkspan/protocol';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { sendProblem } from './problem-reply.ts';

/** An organisation's own credentials as a server, and the names in the certificates of the other organisations, by organisation. */
export type OrganisationTls = {
  readonly credentials: Live<TlsCredentials>;
  readonly names: Readonly<Record<string, string>>;
};

/**
 * Lets only other organisations of the network to the endpoints that are for organisations: each is known by the name in the certificate that it
 * presents. Operators need no certificate, they have access tokens. Has the server present what is current, too.
 */
export function admitOrganisations(app: FastifyInstance, { credentials, names }: OrganisationTls, log: Logger): void {
  const stop = keepCurrent(app.server, credentials);
  app.addHook('onClose', async () => stop());
  const known = new Map(Object.entries(names).map(([organisation, name]) => [name, organisation]));
  app.addHook('onRequest', async ({ raw, ip, routeOptions }, reply) => {
    if (routeOptions.config.caller !== 'organisations') return;
    const given = clientNames(raw.socket);
    if (given?.some((name) => known.has(name))) return;
    log.warn({ ip, names: given ?? [] }, 'somebody who is no other organisation of the network was refused');
    return sendProblem(reply, refuse('not-entitled', wordsOf(given)).refusal);
  });
}

function wordsOf(names: readonly string[] | undefined): string {
  if (!names) return 'This is for other organisations, which present a certificate of their authority.';
  return `The certificate is of ${names.join(', ').slice(0, 200) || 'no name'}, which is no other organisation of this network.`;
}
