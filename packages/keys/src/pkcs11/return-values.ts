import { type ErrorCode, Fault } from '@linkspan/protocol';

/** Return values of PKCS#11 (v2.40, section 3.6) that are looked at here or likely to be met; another one is shown as its number. */
export const CKR = {
  OK: 0x0,
  HOST_MEMORY: 0x2,
  SLOT_ID_INVALID: 0x3,
  GENERAL_ERROR: 0x5,
  FUNCTION_FAILED: 0x6,
  ARGUMENTS_BAD: 0x7,
  DEVICE_ERROR: 0x30,
  DEVICE_MEMORY: 0x31,
  DEVICE_REMOVED: 0x32,
  FUNCTION_NOT_SUPPORTED: 0x54,
  KEY_HANDLE_INVALID: 0x60,
  KEY_TYPE_INCONSISTENT: 0x63,
  KEY_FUNCTION_NOT_PERMITTED: 0x68,
  MECHANISM_INVALID: 0x70,
  OPERATION_ACTIVE: 0x90,
  OPERATION_NOT_INITIALIZED: 0x91,
  PIN_INCORRECT: 0xa0,
  PIN_INVALID: 0xa1,
  PIN_LEN_RANGE: 0xa2,
  PIN_EXPIRED: 0xa3,
  PIN_LOCKED: 0xa4,
  SESSION_CLOSED: 0xb0,
  SESSION_COUNT: 0xb1,
  SESSION_HANDLE_INVALID: 0xb3,
  TOKEN_NOT_PRESENT: 0xe0,
  TOKEN_NOT_RECOGNIZED: 0xe1,
  USER_ALREADY_LOGGED_IN: 0x100,
  USER_NOT_LOGGED_IN: 0x101,
  USER_PIN_NOT_INITIALIZED: 0x102,
  USER_ANOTHER_ALREADY_LOGGED_IN: 0x104,
  CRYPTOKI_NOT_INITIALIZED: 0x190,
  CRYPTOKI_ALREADY_INITIALIZED: 0x191,
} as const;

/** Waiting mends none of these. */
const SETTINGS: ReadonlySet<number> = new Set([
  CKR.FUNCTION_NOT_SUPPORTED,
  CKR.KEY_TYPE_INCONSISTENT,
  CKR.KEY_FUNCTION_NOT_PERMITTED,
  CKR.MECHANISM_INVALID,
  CKR.PIN_INCORRECT,
  CKR.PIN_INVALID,
  CKR.PIN_LEN_RANGE,
  CKR.PIN_EXPIRED,
  CKR.PIN_LOCKED,
  CKR.USER_PIN_NOT_INITIALIZED,
]);

/** A function did not return CKR_OK. */
export class ReturnFault extends Fault {
  readonly value: number;

  constructor(name: string, value: number) {
    const code: ErrorCode = SETTINGS.has(value) ? 'configuration-invalid' : 'ledger-unavailable';
    const known = Object.entries(CKR).find(([, each]) => each === value)?.[0];
    const shown = known === undefined ? `0x${value.toString(16)}` : `CKR_${known}`;
    super(code, `The PKCS#11 module answered ${name} with ${shown}.`);
    this.value = value;
  }

  /** Whether the same PIN will be refused again. */
  get isRefusedPin(): boolean {
    return this.value >= CKR.PIN_INCORRECT && this.value <= CKR.PIN_LOCKED;
  }
}
