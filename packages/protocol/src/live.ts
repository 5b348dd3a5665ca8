/**
 * A value that may be exchanged while the process runs, such as a certificate whose file was renewed. Whoever made something of it listens, or asks
 * again each time. It is a function and no member, so that nothing prints what it holds.
 */
export type Live<T> = {
  current(): T;
  /** Calls back after each exchange, and gives what ends that. */
  onChange(listener: (value: T) => void): () => void;
};

/** One end of a TLS connection, as PEM: its certificate (with what leads up to its authority) and key, and the authorities it believes. */
export type TlsCredentials = { readonly cert?: string; readonly key?: string; readonly ca?: string };

/** The files that {@link TlsCredentials} are read from. Certificate and key only come together. */
export type TlsFiles = { readonly certFile?: string; readonly keyFile?: string; readonly caFile?: string };

/** A value that is never exchanged. */
export function constant<T>(value: T): Live<T> {
  return { current: () => value, onChange: () => () => undefined };
}
