import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type DevelopmentIssuer, ISSUER_PATH } from './development-issuer.ts';

/** Serves what clients need of the development issuer below the API, and nothing else that its library can do. */
export function mountIssuer(app: FastifyInstance, issuer: DevelopmentIssuer): void {
  void app.register(async (below) => {
    // The library reads the body by itself.
    below.addContentTypeParser('application/x-www-form-urlencoded', (_request, _body, done) => done(null));
    const answer = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
      const handle = await issuer.open();
      reply.hijack();
      handle(request.raw, reply.raw);
      return reply;
    };
    below.get(`${ISSUER_PATH}/.well-known/openid-configuration`, answer);
    below.get(`${ISSUER_PATH}/jwks`, answer);
    below.post(`${ISSUER_PATH}/token`, answer);
  });
}
