import { connect } from 'node:tls';
import { ENDPOINTS, parse } from '@linkspan/protocol';
import { answer } from '../api-client.ts';
import type { NamedApi } from '../command.ts';
import { type Failure, isObject, sentenceOf } from '../failure.ts';
import { nothingListens } from '../nothing-listens.ts';
import { spanOf } from '../span.ts';
import { bad, type Finding, good, warning } from './finding.ts';

/** What an organisation's API said about itself. */
export type Pulse = { readonly one: NamedApi; readonly network: string; readonly height: number };

const SILENCE_MS = 10_000;

/** Whether an API answers, as what, since when, and at what time by its clock. Without a pulse, asking further has no use. */
export async function checkApi(one: NamedApi): Promise<{ readonly findings: Finding[]; readonly pulse?: Pulse }> {
  const { name, api } = one;
  const began = Date.now();
  const opened = await api
    .open(ENDPOINTS.health.path, { silenceMs: SILENCE_MS })
    .catch((error: unknown) => nothingListens(api.url, error, 'peer-unavailable'));
  if (opened && 'title' in opened)
    return { findings: [bad('reachable', 'peer-unavailable', `${name}: ${sentenceOf(opened.title)}`, opened.detail)] };
  if (!opened)
    return {
      findings: [
        bad(
          'reachable',
          'peer-unavailable',
          `${name} gives no answer at ${api.url}.`,
          'Is it running, is the address in the profile right, and does a firewall let this machine through?',
        ),
      ],
    };
  if (!opened.ok) return { findings: [noToken(name, opened.failure)] };
  const text = await opened.value.body.text();
  const took = Date.now() - began;
  const health = parse(ENDPOINTS.health.answer, parseJson(text), 'internal');
  if (!health.ok)
    return {
      findings: [
        bad(
          'version',
          'internal',
          `${name} answers at ${api.url} with HTTP ${opened.value.statusCode}, but not as this version of Linkspan.`,
          'Is this the address of a CoreAPI? If it is, bring both to the same version.',
        ),
      ],
    };
  const { status, network, height, organisation } = health.value;
  const findings = [
    status === 'up'
      ? good('reachable', `${name} answers at ${api.url} in ${took} ms, block ${height}.`)
      : warning('reachable', `${name} answers, but says that it is ${status}.`, 'Its log says why.'),
    ...checkClock(name, opened.value.headers['date'], began, took),
  ];
  if (organisation !== one.organisation && one.organisation !== api.url)
    findings.push(
      bad(
        'organisation',
        'configuration-invalid',
        `At ${api.url} answers ${organisation}, not ${one.organisation}.`,
        'Correct the address in the profile.',
      ),
    );
  return { findings, pulse: { one, network, height } };
}

/** A Date header has whole seconds, so less than this says nothing. */
const CLOCK_DIFFERS_MS = 2_000;
const CLOCK_WRONG_MS = 30_000;

function checkClock(
  name: string,
  header: string | readonly string[] | undefined,
  began: number,
  took: number,
): Finding[] {
  const theirs = Date.parse(String(header));
  if (Number.isNaN(theirs)) return [];
  const differenceMs = Math.abs(theirs + 500 - (began + took / 2));
  if (differenceMs <= CLOCK_DIFFERS_MS) return [];
  const words = `The clock of ${name} and the one here differ by ${spanOf(differenceMs)}.`;
  const todo =
    'Deadlines follow the ledger’s time, and blocks whose time is off are refused: let both follow a time server (NTP).';
  return [
    differenceMs > CLOCK_WRONG_MS ? bad('clock', 'configuration-invalid', words, todo) : warning('clock', words, todo),
  ];
}

/** Whether it can settle, with what it says is missing, and whether it knows what this program asks. */
export async function checkReadiness({ one }: Pulse): Promise<Finding[]> {
  const asked = await one.api.get(ENDPOINTS.readiness.path, answer(ENDPOINTS.readiness.answer));
  if (asked.ok && asked.value.missing.length === 0)
    return [good('ready', `${one.name} is ready: its ledger, its validators and enough organisations answer.`)];
  if (asked.ok)
    return asked.value.missing.map((words) =>
      warning('ready', `${one.name} can settle, but: ${words}`, adviceFor(words)),
    );
  const { title, detail } = asked.failure;
  return [
    bad(
      'ready',
      'not-ready',
      `${one.name} cannot settle. ${detail === '' ? `${title}.` : detail}`,
      'Start what gives no answer; a settlement that is under way waits for it and goes on by itself.',
    ),
  ];
}

/** By what the API says is missing: what ends soon is renewed, what is silent is started. */
function adviceFor(missing: string): string {
  const [, advice = 'Start what is missing before the next one fails.'] =
    ADVICE.find(([kind]) => kind.test(missing)) ?? [];
  return advice;
}

const ADVICE: readonly (readonly [RegExp, string])[] = [
  [
    /^The certificate /,
    'Put the new certificate and its key in the place of the old ones: they are taken without a restart.',
  ],
  [/^A renewed file /, 'Look in the log of the CoreAPI for "attention": it names the file and what is wrong with it.'],
  [
    /validators of /,
    'Start the validators that are silent: when fewer answer than are needed, their system’s operations wait.',
  ],
  [/^The API of /, 'See that it runs and can be reached: without a quorum of organisations nothing is decided.'],
];

/** Whether the API has every endpoint that this program may ask for. */
export async function checkVersion({ one }: Pulse): Promise<Finding[]> {
  const document = await readJson(one, ENDPOINTS.openapi.path);
  const paths = isObject(document) && isObject(document['paths']) ? Object.keys(document['paths']) : [];
  const needed = Object.values(ENDPOINTS).flatMap(({ path }) => path.replaceAll(/:([a-z]+)/g, '{$1}'));
  const missing = [...new Set(needed)].filter((path) => !paths.includes(path));
  if (missing.length === 0) return [];
  return [
    warning(
      'version',
      paths.length === 0
        ? `${one.name} does not describe its API.`
        : `The API of ${one.name} is another version: it lacks ${missing.join(', ')}.`,
      'Bring this program and the CoreAPI to the same version.',
    ),
  ];
}

/** Whether a token can be had where the profile knows a client. */
export async function checkToken({ name, api }: NamedApi, hasAccess: boolean): Promise<Finding[]> {
  if (!hasAccess) return [];
  const token = await api.token();
  if (token.ok) return [good('token', `${name} gives this client an access token.`)];
  return [noToken(name, token.failure)];
}

function noToken(name: string, { title, detail, document }: Failure): Finding {
  const isSilent = 'code' in document && document.code === 'issuer-unavailable';
  return isSilent
    ? bad('reachable', 'issuer-unavailable', `${name}: ${sentenceOf(title)}`, detail)
    : bad('token', 'token-missing', `${name} gives no access token: ${sentenceOf(title)}`, detail);
}

/** Whether the systems of an organisation can be read through their validators. */
export async function checkSystems({ one }: Pulse): Promise<Finding[]> {
  const read = await one.api.get(ENDPOINTS.balances.path, answer(ENDPOINTS.balances.answer));
  if (!read.ok)
    return [warning('systems', `${one.name} gives no balances: ${read.failure.title}.`, read.failure.detail)];
  return read.value.systems.map(({ system, problem, positions }) =>
    problem === null
      ? good('systems', `${system} answers through its validators: ${positions.length} positions.`)
      : bad(
          'systems',
          'system-unavailable',
          `${system}: ${problem}`,
          `Are ${system} and its validators running, and can the validators reach it? Their logs say more.`,
        ),
  );
}

const SOON_DAYS = 30;
const DAY_MS = 86_400_000;

/** When the certificate of an API ends, and whether anything is encrypted at all. */
export async function checkCertificate({ name, api }: NamedApi): Promise<Finding[]> {
  const { protocol, hostname, port } = new URL(api.url);
  if (protocol === 'http:') {
    if (/^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)) return [];
    return [
      bad(
        'tls',
        'configuration-invalid',
        `${name} is asked over http: anyone on the way reads and changes everything.`,
        'Give its CoreAPI a certificate ("tls" in its configuration) and write https in the profile.',
      ),
    ];
  }
  const ends = await certificateEnd(hostname.replace(/^\[|\]$/g, ''), port === '' ? 443 : Number(port));
  if (ends === undefined) return [];
  const days = Math.floor((ends - Date.now()) / DAY_MS);
  const on = new Date(ends).toISOString().slice(0, 10);
  const todo = `Renew it; the CoreAPI takes a new one without a restart.`;
  if (days < 0) return [bad('tls', 'configuration-invalid', `The certificate of ${name} ended on ${on}.`, todo)];
  return days < SOON_DAYS
    ? [warning('tls', `The certificate of ${name} ends in ${days} days, on ${on}.`, todo)]
    : [good('tls', `The certificate of ${name} is good until ${on}.`)];
}

/** UTC milliseconds; undefined where no connection is made, which another check says. Whether it is believed, the requests themselves tell. */
function certificateEnd(host: string, port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, servername: host, rejectUnauthorized: false, timeout: SILENCE_MS }, () => {
      const ends = Date.parse(socket.getPeerCertificate().valid_to);
      socket.destroy();
      resolve(Number.isNaN(ends) ? undefined : ends);
    });
    for (const event of ['error', 'timeout', 'close'] as const)
      socket.once(event, () => {
        socket.destroy();
        resolve(undefined);
      });
  });
}

async function readJson({ api }: NamedApi, path: string): Promise<unknown> {
  try {
    const opened = await api.open(path, { silenceMs: SILENCE_MS });
    return opened.ok ? parseJson(await opened.value.body.text()) : undefined;
  } catch {
    return undefined;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
