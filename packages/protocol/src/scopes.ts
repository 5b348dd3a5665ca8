/** What an access token of an organisation's API may permit (RFC 6749 section 3.3), in words for whoever grants it. */
export const SCOPES = {
  'instructions:write': 'lodge instructions',
  'settlements:read': 'see settlements, their history and every change',
  'settlements:operate': 'take instructions back and ask to cancel',
  'settlements:resolve': 'say as a person what became of an operation',
  'register:read':
    'see the network and what is registered in it: systems, parties, accounts, instruments and scenarios',
  'register:write': 'register systems, parties, accounts and instruments; propose and approve scenarios',
  'network:change': 'propose, approve and confirm changes of the network: its members, keys and scenarios in use',
  'balances:read': 'see positions in the systems of the organisation',
  'evidence:read': 'take evidence of settlements',
  monitor: 'see measurements',
} as const satisfies Record<string, string>;

export type Scope = keyof typeof SCOPES;

export const SCOPE_NAMES: readonly Scope[] = Object.keys(SCOPES).filter(isScope);

export function isScope(text: string): text is Scope {
  return Object.hasOwn(SCOPES, text);
}
