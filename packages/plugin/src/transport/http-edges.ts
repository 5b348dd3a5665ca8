import { type ServerOptions, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { ERRORS, problemDetails, refuse } from '@linkspan/protocol';

/** Node would refuse a request without a host by itself, with an empty answer; and looks for requests that never end only twice a minute. */
export const HTTP_OPTIONS: ServerOptions = { requireHostHeader: false, connectionsCheckingInterval: 5_000 };

/** Connections that are open at all. Each needs a file descriptor, of which a process often has 4,096 for everything. */
export const MOST_CONNECTIONS = 2_000;

/** What is no HTTP at all, or never ends, never becomes a request; it is answered in the same form all the same. */
export function refuseNoHttp(error: Error, socket: Socket): void {
  if (!socket.writable) return void socket.destroy();
  const isLate = 'code' in error && error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
  const { refusal } = isLate
    ? refuse('request-timeout', 'The request did not arrive whole within the time that is allowed for it.')
    : refuse('http-malformed', 'What came over this connection is no HTTP request.');
  const body = JSON.stringify(problemDetails(refusal));
  const { status } = ERRORS[refusal.code];
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n`;
  socket.end(head + body);
}
