import assert from 'node:assert/strict';
import { type NetworkView, runQuery } from '@linkspan/contract';
import type { CallBody, CertificateKey, NetworkChange, Signer, SigningKey } from '@linkspan/protocol';
import { ContractScene } from './contract-scene.ts';
import { approveBody, proposeBody } from './network-changes.ts';

type Keys = { readonly call: Signer<SigningKey>; readonly certificate: Signer<CertificateKey> };

/** A scene whose network changes. `keys` are those that its organisations sign with; whoever rotates puts new ones there. */
export class ChangingScene extends ContractScene {
  readonly keys: Record<string, Keys> = { ...this.net.organisations };

  get network(): NetworkView {
    const answer = runQuery(this.world, 'network', {});
    assert.ok(answer.ok && answer.value);
    return answer.value;
  }

  propose(organisation: string, change: NetworkChange): CallBody {
    return proposeBody(this.network, change, this.keys[organisation]?.certificate);
  }

  approve(organisation: string, change: NetworkChange): CallBody {
    return approveBody(this.network, change, this.keys[organisation]?.certificate);
  }

  /** Proposed by the first and approved by the others. */
  agree(change: NetworkChange, ...by: readonly string[]): void {
    const [first = '', ...others] = by;
    const bodies = [this.propose(first, change), ...others.map((other) => this.approve(other, change))];
    bodies.forEach((body, i) => this.accepted(by[i] ?? '', body));
  }

  /** The epoch that is announced begins, confirmed by these. */
  beginEpoch(...by: readonly string[]): void {
    const epoch = this.network.announced?.epoch;
    assert.ok(epoch, 'an epoch is announced');
    for (const organisation of by) this.accepted(organisation, { type: 'confirm-epoch', epoch });
    assert.equal(this.network.epoch, epoch);
  }

  protected override signersOf(organisation: string): Keys | undefined {
    return this.keys[organisation];
  }
}
