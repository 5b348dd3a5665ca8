import type { NetworkDefinition } from '@linkspan/protocol';

/** A validator of a definition, by the name of its process. */
export type ValidatorPlace = { readonly name: string; readonly system: string; readonly index: number };

export type TlsPaths = { readonly certFile: string; readonly keyFile: string; readonly caFile: string };

/** Where the processes of a network are, and their files; each is named by its organisation's, system's or validator's name. */
export type Places = {
  readonly validators: readonly ValidatorPlace[];
  readonly portOf: (name: string) => number;
  readonly urlOf: (name: string) => string;
  /** The address on which an organisation's API listens; that of the machine itself where it is undefined. */
  readonly listenHostOf: (organisation: string) => string | undefined;
  /** The folder of a system or a validator. */
  readonly folderOf: (name: string) => string;
  /** The folder in which an organisation's CoreAPI keeps what is its own. */
  readonly apiFolderOf: (organisation: string) => string;
  /** The secret of a client of a system or of an organisation's API. */
  readonly secretOf: (owner: string, client: string) => string;
  /** Certificate, key and authority of a process; undefined where it is reached without TLS. */
  readonly tlsOf: (name: string) => (TlsPaths & { readonly certificateName: string }) | undefined;
};

/** The validators of a definition's systems, with a number where a system has several. */
export function validatorPlaces({ systems }: Pick<NetworkDefinition, 'systems'>): ValidatorPlace[] {
  return systems.flatMap(({ id, validators: { count } }) =>
    Array.from({ length: count }, (_, index) => ({
      name: `validator-${id}${count > 1 ? `-${index + 1}` : ''}`,
      system: id,
      index,
    })),
  );
}
