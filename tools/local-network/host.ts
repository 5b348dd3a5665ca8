import type { NetworkDefinition } from '@linkspan/protocol';
import type { ChildDefinition } from './child.ts';
import type { Layout } from './layout.ts';

/** What the consortium ledger of the local network runs on, and what follows from it. */
export type Host = {
  readonly definition: NetworkDefinition;
  readonly layout: Layout;
  /** One sentence on what this network is for. */
  readonly caution: string;
  /** Processes that samples may take down, each with those that it stands for. */
  readonly parts: ReadonlyMap<string, readonly string[]>;
  /** What it writes in the data directory. */
  readonly written: readonly string[];
  /** Whether an earlier start left a network in the data directory. */
  readonly isKept: () => boolean;
  readonly secretOf: (owner: string, client: string) => string;
  /** Writes what is missing, and starts what is not among the processes that it gives. Disposing ends that. */
  open(say: (line: string) => void): Promise<OpenHost>;
};

export type OpenHost = AsyncDisposable & { readonly network: string; readonly processes: readonly ChildDefinition[] };
