import { amounts, certificates, lists, signatures } from './invalid-calls.ts';
import { claims, forms, networks, times } from './invalid-claims.ts';
import { epochs } from './invalid-epochs.ts';
import type { InvalidFile } from './tampering.ts';

/** Everything that is done to good files, by name. */
export const invalidFiles: Readonly<Record<string, InvalidFile>> = {
  ...amounts,
  ...lists,
  ...signatures,
  ...certificates,
  ...epochs,
  ...times,
  ...networks,
  ...claims,
  ...forms,
};
