import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { CannotRun } from './cannot-run.ts';

export const USAGE = `npm start -- [--host HOST] [--once] [--json] [--demo-failure] [--tls] [--fresh] [--port-base N] [--data DIR] [--samples DIR]

Brings up the local network: three organisations on an embedded ledger, an EVM chain, an RTGS and a CSD, with their validators.
Settles the samples while you watch, then stays until Ctrl-C. The next start continues with the data.

  --host HOST     what the ledger runs on: embedded, unless given, or fabric, where four organisations each run their own nodes, CoreAPI,
                  validators and systems; its data lives in var/on-fabric unless given
  --once          end after the samples; exit 0 only if each ended as its expected.json says
  --json          with --once: print an array of the results as the last line
  --demo-failure  instead of the samples: kill a process in the middle of a settlement, twice, and see the money come back and go through;
                  ends in under a minute, exit 0 only if every balance reconciles
  --tls           every connection but those to the chain is mutual TLS, with an authority and certificates in the data folder
  --fresh         begin anew: forget the data of earlier starts
  --port-base N   first of thirty ports on loopback, of eighty on Fabric (7400)
  --data DIR      where the data lives (var)
  --samples DIR   what is settled (deploy/samples)`;

export type Options = {
  readonly host: 'embedded' | 'fabric';
  readonly once: boolean;
  readonly json: boolean;
  readonly demoFailure: boolean;
  readonly tls: boolean;
  readonly fresh: boolean;
  readonly help: boolean;
  readonly portBase: number;
  readonly data: string;
  readonly samples: string;
};

/** Reads the arguments of `npm start`; directories are relative to `root`, where npm runs. Throws CannotRun where one makes no sense. */
export function readOptions(args: readonly string[], root: string): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      host: { type: 'string', default: 'embedded' },
      once: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      'demo-failure': { type: 'boolean', default: false },
      tls: { type: 'boolean', default: false },
      fresh: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
      'port-base': { type: 'string', default: '7400' },
      data: { type: 'string' },
      samples: { type: 'string', default: join(root, 'deploy/samples') },
    },
  });
  const { 'port-base': base, 'demo-failure': demoFailure, once, json, tls, fresh, help, host } = values;
  if (host !== 'embedded' && host !== 'fabric') throw new CannotRun(`--host is embedded or fabric, not ${host}.`);
  if (host === 'fabric' && (tls || demoFailure))
    throw new CannotRun('--tls and --demo-failure are of the embedded host.');
  if (!/^[0-9]{4,5}$/.test(base) || Number(base) < 1024 || Number(base) > LAST_BASE) {
    throw new CannotRun(`--port-base is a number from 1024 to ${LAST_BASE}, not ${base}.`);
  }
  if (json && !once) throw new CannotRun('--json prints the results at the end, so it goes with --once.');
  if (demoFailure && once) throw new CannotRun('--demo-failure plays no samples, so it goes without --once.');
  return {
    host,
    once,
    json,
    demoFailure,
    tls,
    fresh,
    help,
    portBase: Number(base),
    data: resolve(root, values.data ?? (host === 'fabric' ? 'var/on-fabric' : 'var')),
    samples: resolve(root, values.samples),
  };
}

const LAST_BASE = 65_000;
