import type { NetworkChange } from '@linkspan/protocol';

/** What a change does, for people who must approve it. */
export function changeInWords(change: NetworkChange): string[] {
  switch (change.what) {
    case 'admit': {
      const { id, name, callKey, certificateKey } = change.organisation;
      return [`admit ${id} (${name})`, `call key ${callKey}`, `certificate key ${certificateKey}`];
    }
    case 'remove':
      return [`remove ${change.organisation}`];
    case 'rotate':
      return [
        `new keys for ${change.organisation}`,
        ...(change.callKey === undefined ? [] : [`call key ${change.callKey}`]),
        ...(change.certificateKey === undefined ? [] : [`certificate key ${change.certificateKey}`]),
      ];
    case 'rotate-validators': {
      const { keys, threshold } = change.validators;
      return [`new validators for ${change.system}`, `${threshold} of ${keys.length} must agree`, ...keys];
    }
    case 'revoke':
      return [`revoke ${change.key} of ${change.organisation}`];
    case 'revoke-validator':
      return [`revoke the validator ${change.key} of ${change.system}`];
    case 'retire-scenario':
      return [`retire ${change.scenario}`, change.hash];
  }
}
