import type { Certificate, CertificateShare, Hash, SignedCertificate, SignedStatement } from '@linkspan/protocol';

/**
 * What an organisation does all day: it reads the ledger, makes the operations of its own systems happen, signs certificates, records
 * statements and says when a deadline has passed. It keeps no progress of its own.
 */
export interface Coordinator extends AsyncDisposable {
  /** Certificate shares that another organisation sent. Those that do not prove themselves are dropped. */
  receiveShares(proposal: Hash, shares: readonly CertificateShare[]): void;
  /** Verified statements that another organisation wants recorded. The contract checks them again. */
  receiveStatements(proposal: Hash, statements: readonly SignedStatement[]): void;
  /** This organisation's own shares of all certificates that a settlement calls for. */
  shares(proposal: Hash): Promise<readonly CertificateShare[]>;
  /**
   * Every certificate that a settlement calls for, by the shares on the ledger and those that came here. Of a settlement that has ended only the
   * former may be left. Throws a Fault `ledger-unavailable`.
   */
  certificates(proposal: Hash): Promise<readonly GatheredCertificate[]>;
}

/** A certificate and how many organisations' signatures of it are known; `signed` once there is a quorum. */
export type GatheredCertificate = {
  readonly certificate: Certificate;
  readonly signatures: number;
  readonly quorum: number;
  readonly signed: SignedCertificate | undefined;
};

/** How one organisation reaches the others. Each call throws a Fault `peer-unavailable` when there is no answer. */
export interface Peers {
  sendShares(organisation: string, proposal: Hash, shares: readonly CertificateShare[]): Promise<void>;
  sendStatements(organisation: string, proposal: Hash, statements: readonly SignedStatement[]): Promise<void>;
  askShares(organisation: string, proposal: Hash): Promise<readonly CertificateShare[]>;
}
