import type { Address } from 'viem';

import { tokenAbi } from './compiled/token-abi.ts';
import type { FcyEvmConfig } from './config.ts';
import type { FrontDocument } from './launcher/rpc-front.ts';

/** What anybody may read beside JSON-RPC, by path: the token's ABI, the addresses to use with it, and both as a page for people. */
export function documentsOf(
  { chainId, token: { name, symbol, decimals }, certificates, executors }: FcyEvmConfig,
  token: Address,
): ReadonlyMap<string, FrontDocument> {
  const { network, epoch, quorum, signers } = certificates;
  const addresses = {
    chainId,
    token,
    name,
    symbol,
    decimals,
    // Those of the first epoch; later ones are in the token's own events.
    certificates: { network, epoch, quorum, signers },
    executors,
  };
  const page = { type: 'text/html; charset=utf-8', body: pageOf(addresses) };
  return new Map([
    ['/', page],
    ['/docs', page],
    ['/abi.json', { type: 'application/json', body: JSON.stringify(tokenAbi) }],
    ['/addresses.json', { type: 'application/json', body: JSON.stringify(addresses) }],
  ]);
}

type Addresses = Pick<FcyEvmConfig, 'chainId' | 'certificates' | 'executors'> &
  FcyEvmConfig['token'] & { token: Address };

/** One page that needs no script and no other host. */
function pageOf({ chainId, token, name, symbol, decimals, certificates, executors }: Addresses): string {
  const facts = [
    ['Token', `<code>${token}</code> (${escape(name)}, ${escape(symbol)}, ${decimals} decimals)`],
    ['Chain id', String(chainId)],
    ['Network', `<code>${certificates.network}</code>`],
    [
      `Signers of epoch ${certificates.epoch}, ${certificates.quorum} of which make a certificate`,
      listOf(certificates.signers),
    ],
    ['Executors', listOf(executors)],
  ];
  const rows = facts.map(([what, value]) => `<tr><th scope="row">${what}</th><td>${value}</td></tr>`);
  const entries = tokenAbi.flatMap((entry) => ('name' in entry ? [entry] : []));
  const sections = (['function', 'event', 'error'] as const).map((type) => {
    const lines = entries
      .filter((entry) => entry.type === type)
      .map((entry) => `<li><code>${signatureOf(entry)}</code></li>`);
    return `<section><h2>${type[0]?.toUpperCase()}${type.slice(1)}s</h2><ul>${lines.join('')}</ul></section>`;
  });
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(name)} on chain ${chainId}</title><style>${style}</style></head>
<body><main><h1>${escape(name)} on chain ${chainId}</h1>
<p>JSON-RPC 2.0 by POST to this address: reads, filters and <code>eth_sendRawTransaction</code>.
<a href="/abi.json">ABI</a>, <a href="/addresses.json">addresses</a>.</p>
<table>${rows.join('')}</table>${sections.join('')}</main></body></html>
`;
}

const style = `
:root { color-scheme: light dark; }
body { margin: 0 auto; max-width: 60rem; padding: 1rem; font: 1rem/1.5 system-ui, sans-serif; }
code { overflow-wrap: anywhere; }
th, td { text-align: left; vertical-align: top; padding: .125rem 1rem .125rem 0; }
`;

type Parameter = { readonly type: string; readonly name: string };

function signatureOf(entry: { readonly name: string; readonly inputs: readonly Parameter[] }): string {
  const inputs = entry.inputs.map(({ type, name }) => `${type} ${name}`.trim()).join(', ');
  return `${escape(entry.name)}(${escape(inputs)})`;
}

function listOf(addresses: readonly Address[]): string {
  return addresses.map((address) => `<code>${address}</code>`).join('<br>');
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
