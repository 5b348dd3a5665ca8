import { SCOPE_NAMES, type Scope } from '@linkspan/protocol';

/** Who may ask each organisation's API, and for what: two people who may do everything, so that two can agree, and programs that may do less. */
export const API_CLIENTS: Readonly<Record<string, readonly Scope[]>> = {
  operator: SCOPE_NAMES,
  'second-operator': SCOPE_NAMES,
  auditor: ['settlements:read', 'evidence:read', 'balances:read', 'register:read'],
  'back-office': ['instructions:write', 'settlements:read', 'balances:read'],
  monitor: ['monitor'],
};

/** The client as which samples, benchmarks and the screen ask. */
export const OPERATOR = 'operator';
