import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Fault } from '@linkspan/protocol';
import type { FabricOrganisation } from './network-definition.ts';

const LONGEST_WAIT_MS = 30_000;
const LOOK_EVERY_MS = 50;
const REQUEST_TIMEOUT_MS = 5000;

/** Waits until something holds, as long as a node may take to come up; a Fault says what did not. */
export async function waitUntil(name: string, isUp: () => Promise<boolean>): Promise<void> {
  const begun = performance.now();
  while (performance.now() - begun < LONGEST_WAIT_MS) {
    if (await isUp()) return;
    await delay(LOOK_EVERY_MS);
  }
  throw new Fault('not-ready', `${name} did not come up within ${LONGEST_WAIT_MS / 1000} s; its log says why.`);
}

/** Waits until a node has so many blocks, as long as it gets more; a Fault where none has come for as long as a node may take to come up. */
export async function waitForHeight(
  name: string,
  heightOf: () => Promise<number | undefined>,
  wanted: number,
): Promise<void> {
  let best = -1;
  for (let since = performance.now(); performance.now() - since < LONGEST_WAIT_MS;) {
    const height = (await heightOf()) ?? -1;
    if (height >= wanted) return;
    if (height > best) since = performance.now();
    best = Math.max(best, height);
    await delay(LOOK_EVERY_MS);
  }
  throw new Fault('not-ready', `${name} has ${best} of ${wanted} blocks and gets no more; its log says why.`);
}

/** Where a node says whether it is well. One that is started again on its data says so before it takes connections. */
export function healthUrl(host: string, operationsPort: number): string {
  return `http://${host}:${operationsPort}/healthz`;
}

/** Where an orderer is told which channels to take part in. It listens there somewhat later than it calls itself well. */
export function channelsUrl({ host, ports }: FabricOrganisation): string {
  return `http://${host}:${ports.ordererAdmin}/participation/v1/channels`;
}

/** Whether something takes connections there. */
export function listens(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (isUp: boolean): void => {
      socket.destroy();
      resolve(isUp);
    };
    socket.setTimeout(REQUEST_TIMEOUT_MS, () => end(false));
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}

/** Whether a URL is answered with success. */
export async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

/** Makes an orderer take part in the channel. One that does already is left as it is. */
export async function joinOrderer(organisation: FabricOrganisation, genesisBlock: string): Promise<void> {
  const form = new FormData();
  form.set('config-block', new Blob([readFileSync(genesisBlock)]), 'genesis.block');
  const response = await fetch(channelsUrl(organisation), {
    method: 'POST',
    body: form,
    signal: AbortSignal.timeout(LONGEST_WAIT_MS),
  });
  const said = await response.text();
  if (response.status !== 201 && response.status !== 405)
    throw new Fault('internal', `The orderer of ${organisation.id} did not join: ${said.trim()}`);
}

/** A node's metrics in Prometheus's text form; empty where it gives no answer. */
export async function readMetrics(host: string, port: number): Promise<string> {
  try {
    const response = await fetch(`http://${host}:${port}/metrics`, { signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
    return await response.text();
  } catch {
    return '';
  }
}

/** The value of a metric with a label. */
export function readMetric(metrics: string, name: string, label: string): number | undefined {
  const line = metrics.split('\n').find((each) => each.startsWith(`${name}{`) && each.includes(label));
  const value = Number(line?.split(' ').at(-1));
  return line === undefined || Number.isNaN(value) ? undefined : value;
}
