/** Time as a value: a coordinator has no clock of its own. Nothing is decided by it; it only says when to ask again. */
export interface Clock {
  /** UTC milliseconds. */
  now(): number;
  /** Resolves after a while, or at once when the signal fires; never rejects. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** What a coordinator tells its operator. */
export type Log = (
  level: 'debug' | 'info' | 'warn' | 'error',
  message: string,
  fields?: Readonly<Record<string, unknown>>,
) => void;
