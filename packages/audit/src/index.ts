export { type CertificateReport } from './completeness.ts';
export * from './evidence.ts';
export { FINDING_CODES, type Finding, type Found } from './finding.ts';
export { mergeEvidence } from './merge-evidence.ts';
export { parseEvidence, readEvidence } from './read-evidence.ts';
export { namesIn, type StoryLine, tellStory } from './story.ts';
export {
  type Report,
  type SettlementReport,
  type Verdict,
  verifyEvidence,
  verifyEvidenceText,
  type VerifyOptions,
} from './verify-evidence.ts';
