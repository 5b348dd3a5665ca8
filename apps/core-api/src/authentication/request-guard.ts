import { Broken, type Endpoint, type Scope } from '@linkspan/protocol';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type ClientLimits, createClientLimits, type Limits } from '../client-limits.ts';
import { sendProblem } from '../problem-reply.ts';
import type { Access } from './access-tokens.ts';
import { type Authentication, challengeOf } from './authentication.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    readonly caller?: Endpoint['for'];
    readonly scope?: Scope | undefined;
  }
  interface FastifyRequest {
    /** What the access token of the request permits; null where none is asked for. */
    access: Access | null;
  }
}

/**
 * Turns away who asks too much or may not ask, before the body is read. An address is counted until the client is known, and then the client
 * instead, so that programs behind one address do not shut each other out. Other organisations, and whoever looks whether the process lives, are counted apart.
 */
export function guardRequests(app: FastifyInstance, authentication: Authentication, limits: Limits): void {
  const now = (): number => performance.now();
  const perAddress: Readonly<Record<Endpoint['for'], ClientLimits>> = {
    operators: createClientLimits(limits, now),
    organisations: createClientLimits(limits, now),
    everyone: createClientLimits(limits, now),
  };
  const perClient = createClientLimits(limits, now);
  app.decorateRequest('access', null);
  app.addHook('onRequest', async (request, reply) => {
    const { caller = 'everyone', scope } = request.routeOptions.config;
    const came = perAddress[caller].enter(request.ip);
    if (!came.ok) return sendProblem(reply, came.refusal);
    reply.raw.once('close', () => came.value());
    if (scope === undefined) return;
    const access = await authentication.check(request.headers.authorization, scope);
    if (!access.ok) {
      const challenge = challengeOf(access.refusal, scope);
      if (challenge !== undefined) reply.header('www-authenticate', challenge);
      return sendProblem(reply, access.refusal);
    }
    came.value('uncounted');
    const entered = perClient.enter(access.value.client);
    if (!entered.ok) return sendProblem(reply, entered.refusal);
    reply.raw.once('close', () => entered.value());
    request.access = access.value;
  });
}

/** The access of a request to an endpoint that has a scope. */
export function accessOf({ access }: FastifyRequest): Access {
  if (!access) throw new Broken('an endpoint with a scope is entered with an access token');
  return access;
}
