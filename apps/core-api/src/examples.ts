const ACCOUNT_OF_SELLER = { security: 'csd:0042', lcy: 'rtgs:0042' };
const OPERATION = 'sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';

/** A body that each endpoint takes in form, by its name in the endpoint table. */
export const EXAMPLES: Readonly<Record<string, unknown>> = {
  lodge: {
    schema: 'dvp/1',
    tradeId: '2026-AB-000317',
    scenario: 'dvp-buyer-overseas@1',
    security: { isin: 'XS0000000009', quantity: '1000000', unit: 'FAMT' },
    seller: { party: 'Kita Bank', bic: 'KITAJPJ0XXX', lei: '999900KITABANK00B013', accounts: ACCOUNT_OF_SELLER },
    buyer: {
      party: 'Minami Bank',
      bic: 'MINASGS0XXX',
      lei: '999900MINAMIBK00A081',
      accounts: { security: 'csd:0099', fcy: 'fcy-evm:0xbcd4042de499d14e55001ccbb24a551f3b954096' },
    },
    intermediary: {
      party: 'Central Bank of A',
      bic: 'CBOASGS0XXX',
      lei: '999900CENTRALB00A016',
      accounts: { lcy: 'rtgs:9001', fcy: 'fcy-evm:0x71be63f3384f5fb98995898a86b02fb2426c5788' },
    },
    lcy: { amount: '1000000', currency: 'JPY' },
    fcy: { amount: '6711.41', currency: 'USD' },
    rate: {
      value: '149.00',
      base: 'USD',
      quote: 'JPY',
      of: '/lcy',
      rounding: 'half-up',
      source: 'agreed',
      validUntil: '2026-11-24T15:00:00+09:00',
    },
    settlementDate: '2026-11-24',
    deadline: '2026-11-24T15:00:00+09:00',
    uetr: '4b1f5a9e-3c0d-4f7e-9a51-2d6c8b7e0f13',
  },
  resolve: { operation: OPERATION, status: 'effective', why: 'seen in the books of the CSD' },
  'propose-change': {
    change: {
      what: 'rotate',
      organisation: 'central-bank-a',
      certificateKey: 'secp256k1:71be63f3384f5fb98995898a86b02fb2426c5788',
    },
  },
  register: {
    type: 'register-account',
    account: { id: 'rtgs:4712', party: '999900KITABANK00B013', assets: ['JPY'] },
  },
};
