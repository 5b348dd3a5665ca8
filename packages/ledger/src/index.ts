export type { Archive, ArchiveCursor, ArchivedBlocks, ArchivedCall, ArchivedLedger } from './archive.ts';
export type { ConformanceNetwork, LedgerUnderTest } from './conformance-host.ts';
export type { Block } from './embedded/block.ts';
export { type ChainReport, verifyChain } from './embedded/check-ledger.ts';
export {
  type ContractCode,
  type EmbeddedLedger,
  type EmbeddedLedgerOptions,
  openEmbeddedLedger,
} from './embedded/open-embedded-ledger.ts';
export type { FabricLedgerOptions } from './fabric/fabric-ledger.ts';
export type { GatewayAddress } from './fabric/gateways.ts';
export { openFabricLedger } from './fabric/open-fabric-ledger.ts';
export { allBytes, bytesAt, bytesField, numberAt } from './fabric/protobuf.ts';
export {
  BLOCK_FINDING_CODES,
  type BlockFinding,
  type BlocksReport,
  type BlocksVerdict,
  type EvidenceWithBlocks,
  hashOfFirstBlock,
  verifyBlocks,
} from './fabric/verify-blocks.ts';
export type { Checkpoint, Ledger, LedgerEvent } from './ledger.ts';
