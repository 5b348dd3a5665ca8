// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @title Certificates: decisions signed by a quorum of organisations, checked on chain.
/// @notice A certificate is EIP-712 data. One set of signatures over a Merkle root (RFC 6962 shape, keccak256) serves all
/// certificates of one ledger block, so a certificate travels with its audit path (RFC 9162 2.1.3.2) and those signatures.
/// The EIP-712 domain names neither chain nor contract, because private chains share both: the network id binds instead.
library Certificates {
    uint8 internal constant PROCEED = 1;
    uint8 internal constant COMMIT = 2;
    uint8 internal constant ABORT = 3;
    uint8 internal constant FENCE = 4;

    bytes32 private constant DOMAIN_SEPARATOR = keccak256(
        abi.encode(keccak256("EIP712Domain(string name,string version)"), keccak256("Linkspan"), keccak256("1"))
    );
    bytes32 private constant CERTIFICATE_TYPE = keccak256(
        "Certificate(bytes32 network,bytes32 settlement,uint8 kind,bytes32 scenario,bytes32 head,uint64 count,uint64 epoch,bytes32[] operations)"
    );
    bytes32 private constant ROOT_TYPE = keccak256("Root(bytes32 network,uint64 epoch,uint64 block,bytes32 root)");
    bytes32 private constant EPOCH_TYPE = keccak256("Epoch(bytes32 network,uint64 epoch,uint64 quorum,address[] signers)");

    struct Certificate {
        bytes32 network;
        bytes32 settlement;
        uint8 kind;
        bytes32 scenario;
        bytes32 head;
        uint64 count;
        uint64 epoch;
        bytes32[] operations;
    }

    /// @dev `block` is the consortium ledger's block, not this chain's. `hashes` run bottom-up.
    /// `signatures` are 65 bytes r||s||v each, in ascending order of their signers' addresses.
    struct Proof {
        uint64 block;
        uint64 index;
        uint64 size;
        bytes32[] hashes;
        bytes[] signatures;
    }

    struct Epoch {
        uint64 quorum;
        address[] signers;
        mapping(address => bool) member;
    }

    struct Trust {
        bytes32 network;
        uint64 latest;
        mapping(uint64 => Epoch) epochs;
    }

    error WrongNetwork(bytes32 network);
    error WrongSettlement(bytes32 settlement);
    error WrongKind(uint8 kind);
    error UnknownEpoch(uint64 epoch);
    error EpochTooOld(uint64 epoch, uint64 oldestAccepted);
    error NotTheNextEpoch(uint64 epoch, uint64 latest);
    error BadPath();
    error BadSignature(uint256 index);
    error NotASigner(address recovered);
    error SignersNotSorted();
    error NotEnoughSignatures(uint256 given, uint256 quorum);
    error BadQuorum(uint64 quorum, uint256 signers);

    event EpochInstalled(uint64 indexed epoch, uint64 quorum, address[] signers);

    /// @notice Trusts the first epoch without signatures: whoever deploys the system vouches for it.
    function start(Trust storage trust, bytes32 network, uint64 epoch, uint64 quorum, address[] memory signers) internal {
        trust.network = network;
        _install(trust, epoch, quorum, signers);
    }

    /// @notice Installs exactly the next epoch, signed by the quorum of the latest one.
    function installNext(
        Trust storage trust,
        uint64 epoch,
        uint64 quorum,
        address[] calldata signers,
        bytes[] calldata signatures
    ) internal {
        if (epoch == 0 || epoch - 1 != trust.latest) revert NotTheNextEpoch(epoch, trust.latest);
        bytes32 structHash =
            keccak256(abi.encode(EPOCH_TYPE, trust.network, epoch, quorum, keccak256(abi.encodePacked(signers))));
        _checkSignatures(trust.epochs[trust.latest], _digest(structHash), signatures);
        _install(trust, epoch, quorum, signers);
    }

    /// @notice Reverts unless the certificate belongs to this network, to an epoch that is known and not older than
    /// `oldestEpoch`, and is signed by that epoch's quorum. Kind and settlement are the caller's to bind.
    function check(
        Trust storage trust,
        Certificate calldata certificate,
        Proof calldata proof,
        uint64 oldestEpoch
    ) internal view {
        if (certificate.network != trust.network) revert WrongNetwork(certificate.network);
        if (certificate.epoch < oldestEpoch) revert EpochTooOld(certificate.epoch, oldestEpoch);
        Epoch storage epoch = trust.epochs[certificate.epoch];
        if (epoch.quorum == 0) revert UnknownEpoch(certificate.epoch);
        bytes32 root = _rootOf(_leafOf(certificate), proof);
        bytes32 structHash =
            keccak256(abi.encode(ROOT_TYPE, certificate.network, certificate.epoch, proof.block, root));
        _checkSignatures(epoch, _digest(structHash), proof.signatures);
    }

    function names(Certificate calldata certificate, bytes32 operation) internal pure returns (bool) {
        for (uint256 i = 0; i < certificate.operations.length; i++) {
            if (certificate.operations[i] == operation) return true;
        }
        return false;
    }

    function _install(Trust storage trust, uint64 epoch, uint64 quorum, address[] memory signers) private {
        if (quorum == 0 || quorum > signers.length) revert BadQuorum(quorum, signers.length);
        Epoch storage installed = trust.epochs[epoch];
        address previous = address(0);
        for (uint256 i = 0; i < signers.length; i++) {
            // Strictly ascending from zero: no duplicate and no zero address among the signers.
            if (signers[i] <= previous) revert SignersNotSorted();
            previous = signers[i];
            installed.member[previous] = true;
        }
        installed.quorum = quorum;
        installed.signers = signers;
        trust.latest = epoch;
        emit EpochInstalled(epoch, quorum, signers);
    }

    function _checkSignatures(Epoch storage epoch, bytes32 digest, bytes[] calldata signatures) private view {
        if (signatures.length < epoch.quorum) revert NotEnoughSignatures(signatures.length, epoch.quorum);
        address previous = address(0);
        for (uint256 i = 0; i < signatures.length; i++) {
            (address signer, ECDSA.RecoverError failure,) = ECDSA.tryRecoverCalldata(digest, signatures[i]);
            if (failure != ECDSA.RecoverError.NoError) revert BadSignature(i);
            if (!epoch.member[signer]) revert NotASigner(signer);
            if (signer <= previous) revert SignersNotSorted();
            previous = signer;
        }
    }

    function _leafOf(Certificate calldata certificate) private pure returns (bytes32) {
        bytes32 structHash = keccak256(
            abi.encode(
                CERTIFICATE_TYPE,
                certificate.network,
                certificate.settlement,
                certificate.kind,
                certificate.scenario,
                certificate.head,
                certificate.count,
                certificate.epoch,
                keccak256(abi.encodePacked(certificate.operations))
            )
        );
        return keccak256(abi.encodePacked(bytes1(0x00), structHash));
    }

    /// @dev RFC 9162 2.1.3.2. A wrong path gives a wrong root, which then nobody has signed; only a path whose length
    /// does not fit its index and size is refused here.
    function _rootOf(bytes32 leaf, Proof calldata proof) private pure returns (bytes32 root) {
        if (proof.index >= proof.size) revert BadPath();
        uint64 node = proof.index;
        uint64 last = proof.size - 1;
        root = leaf;
        for (uint256 i = 0; i < proof.hashes.length; i++) {
            if (last == 0) revert BadPath();
            if (node & 1 == 1 || node == last) {
                root = keccak256(abi.encodePacked(bytes1(0x01), proof.hashes[i], root));
                while (node & 1 == 0 && node != 0) {
                    node >>= 1;
                    last >>= 1;
                }
            } else {
                root = keccak256(abi.encodePacked(bytes1(0x01), root, proof.hashes[i]));
            }
            node >>= 1;
            last >>= 1;
        }
        if (last != 0) revert BadPath();
    }

    function _digest(bytes32 structHash) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", DOMAIN_SEPARATOR, structHash));
    }
}
