export { CashChaincode, EVENT_NAME } from './cash-chaincode.ts';
export { identityOf } from './identity.ts';
