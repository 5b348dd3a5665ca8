import type { FastifyInstance } from 'fastify';

/**
 * Makes the orderly end of a server: what is under way is answered, then every connection is cut. Waiting for callers
 * to hang up would take as long as they like, because a connection that never carried a request counts as busy.
 */
export function serverCloser(app: FastifyInstance, limitMs: number): () => Promise<void> {
  let underWay = 0;
  let isClosing = false;
  const cutWhenDone = () => {
    if (isClosing && underWay === 0) app.server.closeAllConnections();
  };
  app.server.on('request', (_request, response) => {
    underWay += 1;
    response.once('close', () => {
      underWay -= 1;
      cutWhenDone();
    });
  });
  return async () => {
    isClosing = true;
    const limit = setTimeout(() => app.server.closeAllConnections(), limitMs);
    const closed = app.close();
    setImmediate(cutWhenDone);
    await closed;
    clearTimeout(limit);
  };
}
