import { Fault } from '@linkspan/protocol';
import type { LedgerVerifier } from './ledger-verifier.ts';

/** One entry of the configuration list, as in Hyperledger Cacti. Everything else in it is the type's own. */
export type LedgerPluginInfo = {
  readonly validatorID: string;
  readonly validatorType: string;
  readonly [more: string]: unknown;
};

/** Opens a verifier from its entry. Types are registered, not compiled in. */
export type VerifierType = (info: LedgerPluginInfo) => LedgerVerifier;

/** Gives each validator's verifier, opened once. Throws a Fault `configuration-invalid` for an unknown id or type, or another type than was expected. */
export type VerifierFactory = { getVerifier(validatorID: string, type?: string): LedgerVerifier };

export function createVerifierFactory(
  list: readonly LedgerPluginInfo[],
  types: Readonly<Record<string, VerifierType>>,
): VerifierFactory {
  const opened = new Map<string, LedgerVerifier>();
  return {
    getVerifier(validatorID, type) {
      const info = list.find((one) => one.validatorID === validatorID);
      if (!info) throw new Fault('configuration-invalid', `There is no validator ${validatorID}.`);
      if (type !== undefined && type !== info.validatorType) {
        throw new Fault(
          'configuration-invalid',
          `The validator ${validatorID} is of type ${info.validatorType}, not ${type}.`,
        );
      }
      const known = opened.get(validatorID);
      if (known) return known;
      const open = Object.hasOwn(types, info.validatorType) ? types[info.validatorType] : undefined;
      if (!open) throw new Fault('configuration-invalid', `The type ${info.validatorType} is not registered.`);
      const verifier = open(info);
      opened.set(validatorID, verifier);
      return verifier;
    },
  };
}
