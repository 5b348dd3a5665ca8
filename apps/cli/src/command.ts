import type { ApiClient } from './api-client.ts';
import type { Failure, Outcome } from './failure.ts';
import type { Terminal } from './terminal.ts';

export type Options = Readonly<Record<string, string | boolean | undefined>>;

/** An organisation's API by the organisation's name. */
export type NamedApi = { readonly organisation: string; readonly name: string; readonly api: ApiClient };

/** One use of a command: what was written, and whom it can ask. */
export type Invocation = {
  readonly positionals: readonly string[];
  readonly options: Options;
  readonly terminal: Terminal;
  /** The organisation that speaks. */
  readonly api: ApiClient;
  /** Every organisation of the profile, or the one that was named. */
  readonly apis: readonly NamedApi[];
  /** The folder in which the program was called. */
  readonly folder: string;
  /** A file's text, `-` for standard input. */
  readonly readInput: (path: string) => Outcome<string>;
  /** A text that nobody used before. */
  readonly newKey: () => string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** From its first use on, Ctrl-C fires this signal and ends nothing by itself. */
  readonly untilInterrupted: () => AbortSignal;
};

/** What a command found: as a document for programs, and in lines for people. `failures` are parts that gave no answer. */
export type Shown = {
  readonly document: unknown;
  readonly lines: readonly string[];
  readonly failures?: readonly Failure[];
  /** The exit code where nothing failed, but not all is well either. */
  readonly exit?: number;
};

/** What may stand in a place, for shell completion: fixed words, files, or what the network knows. */
export type Completion =
  | readonly string[]
  | 'file'
  | 'settlement'
  | 'scenario'
  | 'organisation'
  | 'system'
  | 'operation'
  | 'command';

export type Command = {
  readonly name: string;
  /** The arguments as they are written after the name. */
  readonly usage: string;
  readonly summary: string;
  /** What it does and shows, with examples: the lines of `linkspan help NAME`. */
  readonly help: readonly string[];
  /** Least and most arguments. */
  readonly arguments: readonly [number, number];
  readonly options: Readonly<Record<string, { readonly type: 'string' | 'boolean' }>>;
  /** It runs where no API is known too; asking one then fails with the reason. */
  readonly worksWithoutApi?: true;
  readonly completes?: {
    /** Of each argument, given those before it. */
    readonly positionals?: readonly ((before: readonly string[]) => Completion)[];
    readonly options?: Readonly<Record<string, Completion>>;
  };
  run(invocation: Invocation): Promise<Outcome<Shown>>;
};
