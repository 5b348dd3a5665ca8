export { drained } from './drained.ts';
export { type ChaincodeOptions, EVENT_NAME, LinkspanChaincode } from './linkspan-chaincode.ts';
