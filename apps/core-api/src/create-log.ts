import { type DestinationStream, type Logger, pino } from 'pino';

/** A structured log, one JSON object a line, in which no secret stands, wherever an object that has one is logged: in errors and their causes too. */
export function createLog(level: string, destination: DestinationStream): Logger {
  return pino({ level, name: 'core-api', redact: SECRETS }, destination);
}

const NAMES = [
  'authorization',
  'Authorization',
  'proxy-authorization',
  'cookie',
  'secret',
  'clientSecret',
  'client_secret',
  'access_token',
  'accessToken',
  'token',
  'password',
  'privateKey',
  'executorPrivateKey',
];

/** How deep an object may lie in what is logged: an error's cause's request's headers. */
const DEPTH = 4;

const SECRETS = NAMES.flatMap((name) =>
  Array.from({ length: DEPTH + 1 }, (_, depth) => `${Array(depth).fill('*').join('.')}["${name}"]`),
);
