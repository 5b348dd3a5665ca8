// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {Certificates} from "./Certificates.sol";

/// @title A cash token whose balances can be held for a settlement (vocabulary of ERC-1996).
/// @notice A hold stays for ever until a certificate of its settlement ends it: `commit` executes it, `abort` releases it,
/// and anyone may bring either; it must name the hold, since a later hold may be made under a settlement that is already
/// decided. There is no pause, freeze, upgrade, expiry, payee release or forced transfer of an open
/// hold. Operation ids are one namespace, usable by registered executors only; each has at most one effect, for ever.
contract HoldableCashToken is ERC20, AccessControl {
    using Certificates for Certificates.Trust;
    using Certificates for Certificates.Certificate;

    bytes32 public constant ISSUER_ROLE = keccak256("ISSUER_ROLE");
    bytes32 public constant EXECUTOR_ROLE = keccak256("EXECUTOR_ROLE");

    /// @dev The reason stored when the release of a hold that was never made kills its id (ISO 20022: narrative).
    bytes4 private constant REASON_NARRATIVE = "NARR";

    enum HoldStatus {
        None,
        Held,
        Executed,
        Released
    }

    enum OperationStatus {
        None,
        Effective,
        Fenced
    }

    enum OperationKind {
        None,
        Hold,
        Execute,
        Release
    }

    struct Hold {
        HoldStatus status;
        uint64 epoch;
        uint64 heldBlock;
        uint64 closedBlock;
        address from;
        address to;
        uint256 amount;
        bytes32 settlement;
    }

    struct Operation {
        OperationStatus status;
        OperationKind kind;
        bytes4 reason;
        uint64 blockNumber;
        bytes32 hold;
    }

    uint8 private immutable _decimals;
    Certificates.Trust private _trust;
    mapping(bytes32 => Hold) private _holds;
    mapping(bytes32 => Operation) private _operations;
    mapping(address => uint256) private _heldBalances;
    mapping(address => mapping(address => bool)) private _operators;

    error NotAnExecutor(address account);
    error NotAnOperator(address operator, address account);
    error InsufficientFree(address account, uint256 free, uint256 needed);
    error AlreadyUsed(bytes32 op);
    error Fenced(bytes32 op, bytes4 reason);
    error UnknownHold(bytes32 hold);
    error HoldClosed(bytes32 hold, HoldStatus status);
    error OperationNotNamed(bytes32 op);
    error ZeroOperation();
    error ZeroAmount();
    error ZeroBeneficiary();
    error BadReason(bytes4 reason);

    event AuthorizedHoldOperator(address indexed operator, address indexed account);
    event RevokedHoldOperator(address indexed operator, address indexed account);
    event Held(bytes32 indexed op, bytes32 indexed settlement, address indexed from, address to, uint256 amount);
    event Executed(
        bytes32 indexed op,
        bytes32 indexed hold,
        bytes32 indexed settlement,
        address from,
        address to,
        uint256 amount
    );
    event Released(
        bytes32 indexed op,
        bytes32 indexed hold,
        bytes32 indexed settlement,
        address from,
        uint256 amount
    );
    event FencedOp(bytes32 indexed op, bytes4 reason);

    constructor(
        string memory name_,
        string memory symbol_,
        uint8 decimals_,
        bytes32 network,
        uint64 epoch,
        uint64 quorum,
        address[] memory signers,
        address owner
    ) ERC20(name_, symbol_) {
        _decimals = decimals_;
        _trust.start(network, epoch, quorum, signers);
        _grantRole(DEFAULT_ADMIN_ROLE, owner);
        _grantRole(ISSUER_ROLE, owner);
    }

    function issue(address to, uint256 amount) external onlyRole(ISSUER_ROLE) {
        _mint(to, amount);
    }

    /// @notice The caller lets `operator` hold its balance. Holds that are already open stay when this is revoked.
    function authorizeHoldOperator(address operator) external {
        _operators[msg.sender][operator] = true;
        emit AuthorizedHoldOperator(operator, msg.sender);
    }

    function revokeHoldOperator(address operator) external {
        _operators[msg.sender][operator] = false;
        emit RevokedHoldOperator(operator, msg.sender);
    }

    /// @notice Earmarks `amount` of `from` for `to`. The operation id is the hold's id. Everything is fixed from here on.
    function hold(bytes32 op, bytes32 settlement, address from, address to, uint256 amount) external {
        _useByExecutor(op, OperationKind.Hold, op);
        if (!_operators[from][msg.sender]) revert NotAnOperator(msg.sender, from);
        if (amount == 0) revert ZeroAmount();
        // A transfer to nobody would fail at execution, and the execution of a live hold must never fail.
        if (to == address(0)) revert ZeroBeneficiary();
        uint256 free = freeBalanceOf(from);
        if (free < amount) revert InsufficientFree(from, free, amount);
        _heldBalances[from] += amount;
        _holds[op] = Hold({
            status: HoldStatus.Held,
            epoch: _trust.latest,
            heldBlock: uint64(block.number),
            closedBlock: 0,
            from: from,
            to: to,
            amount: amount,
            settlement: settlement
        });
        emit Held(op, settlement, from, to, amount);
    }

    /// @notice Moves the held amount to its beneficiary under a `commit` certificate of the hold's settlement that names
    /// the hold.
    /// @param op The executor's operation id, or zero: anyone may bring the certificate, without an id.
    function execute(
        bytes32 op,
        bytes32 holdId,
        Certificates.Certificate calldata certificate,
        Certificates.Proof calldata proof
    ) external {
        if (op != 0) _useByExecutor(op, OperationKind.Execute, holdId);
        Hold storage held = _openHold(holdId);
        _checkFor(held, holdId, certificate, proof, Certificates.COMMIT);
        _close(held, HoldStatus.Executed);
        _transfer(held.from, held.to, held.amount);
        emit Executed(op, holdId, held.settlement, held.from, held.to, held.amount);
    }

    /// @notice Frees the held amount for its owner under an `abort` certificate of the hold's settlement that names
    /// the hold. The release of a hold that was never made is its fence; the certificate must name that, too.
    /// @param op The executor's operation id, or zero: anyone may bring the certificate, without an id.
    function release(
        bytes32 op,
        bytes32 holdId,
        Certificates.Certificate calldata certificate,
        Certificates.Proof calldata proof
    ) external {
        if (op != 0) _useByExecutor(op, OperationKind.Release, holdId);
        if (_holds[holdId].status == HoldStatus.None && _operations[holdId].status != OperationStatus.Effective) {
            if (certificate.kind != Certificates.ABORT) revert Certificates.WrongKind(certificate.kind);
            if (!certificate.names(holdId)) revert OperationNotNamed(holdId);
            _trust.check(certificate, proof, 0);
            _fence(holdId, REASON_NARRATIVE);
            return;
        }
        Hold storage held = _openHold(holdId);
        _checkFor(held, holdId, certificate, proof, Certificates.ABORT);
        _close(held, HoldStatus.Released);
        emit Released(op, holdId, held.settlement, held.from, held.amount);
    }

    /// @notice Kills an operation id, unless it already took effect. Moves nothing, is idempotent, keeps the first reason.
    /// @return What became of the id: Effective (nothing changed) or Fenced.
    function fence(bytes32 op, bytes4 reason) external returns (OperationStatus) {
        _onlyExecutor();
        return _fence(op, reason);
    }

    /// @notice The same for anyone, under an `abort` or `fence` certificate that names the operation.
    function fenceCertified(
        bytes32 op,
        bytes4 reason,
        Certificates.Certificate calldata certificate,
        Certificates.Proof calldata proof
    ) external returns (OperationStatus) {
        if (certificate.kind != Certificates.ABORT && certificate.kind != Certificates.FENCE) {
            revert Certificates.WrongKind(certificate.kind);
        }
        if (!certificate.names(op)) revert OperationNotNamed(op);
        _trust.check(certificate, proof, 0);
        return _fence(op, reason);
    }

    /// @notice Installs the next epoch's signers, under signatures of the latest epoch's quorum. Anyone may bring it.
    function installEpoch(
        uint64 epoch,
        uint64 quorum,
        address[] calldata signers,
        bytes[] calldata signatures
    ) external {
        _trust.installNext(epoch, quorum, signers, signatures);
    }

    function decimals() public view override returns (uint8) {
        return _decimals;
    }

    function heldBalanceOf(address account) public view returns (uint256) {
        return _heldBalances[account];
    }

    function freeBalanceOf(address account) public view returns (uint256) {
        return balanceOf(account) - _heldBalances[account];
    }

    function isHoldOperatorFor(address operator, address account) external view returns (bool) {
        return _operators[account][operator];
    }

    function holds(bytes32 holdId) external view returns (Hold memory) {
        return _holds[holdId];
    }

    function operations(bytes32 op) external view returns (Operation memory) {
        return _operations[op];
    }

    function certificateNetwork() external view returns (bytes32) {
        return _trust.network;
    }

    function latestEpoch() external view returns (uint64) {
        return _trust.latest;
    }

    /// @return quorum Zero when the epoch is not known.
    function epochs(uint64 epoch) external view returns (uint64 quorum, address[] memory signers) {
        return (_trust.epochs[epoch].quorum, _trust.epochs[epoch].signers);
    }

    /// @dev Every movement passes here, so held amounts are out of reach of transfers, allowances and redemptions.
    function _update(address from, address to, uint256 value) internal override {
        if (from != address(0)) {
            uint256 free = freeBalanceOf(from);
            if (free < value) revert InsufficientFree(from, free, value);
        }
        super._update(from, to, value);
    }

    function _onlyExecutor() private view {
        if (!hasRole(EXECUTOR_ROLE, msg.sender)) revert NotAnExecutor(msg.sender);
    }

    /// @dev Keys the effect by its id, before anything else, so that a repetition always hears about the first time. A
    /// later revert in the same transaction takes this back too.
    function _useByExecutor(bytes32 op, OperationKind kind, bytes32 holdId) private {
        _onlyExecutor();
        if (op == 0) revert ZeroOperation();
        Operation storage used = _operations[op];
        if (used.status == OperationStatus.Fenced) revert Fenced(op, used.reason);
        if (used.status == OperationStatus.Effective) revert AlreadyUsed(op);
        _operations[op] = Operation({
            status: OperationStatus.Effective,
            kind: kind,
            reason: 0,
            blockNumber: uint64(block.number),
            hold: holdId
        });
    }

    function _openHold(bytes32 holdId) private view returns (Hold storage held) {
        held = _holds[holdId];
        if (held.status == HoldStatus.None) revert UnknownHold(holdId);
        if (held.status != HoldStatus.Held) revert HoldClosed(holdId, held.status);
    }

    function _checkFor(
        Hold storage held,
        bytes32 holdId,
        Certificates.Certificate calldata certificate,
        Certificates.Proof calldata proof,
        uint8 kind
    ) private view {
        if (certificate.kind != kind) revert Certificates.WrongKind(certificate.kind);
        if (certificate.settlement != held.settlement) revert Certificates.WrongSettlement(certificate.settlement);
        if (!certificate.names(holdId)) revert OperationNotNamed(holdId);
        _trust.check(certificate, proof, held.epoch);
    }

    function _close(Hold storage held, HoldStatus status) private {
        held.status = status;
        held.closedBlock = uint64(block.number);
        _heldBalances[held.from] -= held.amount;
    }

    function _fence(bytes32 op, bytes4 reason) private returns (OperationStatus) {
        if (op == 0) revert ZeroOperation();
        OperationStatus status = _operations[op].status;
        if (status != OperationStatus.None) return status;
        _checkReason(reason);
        _operations[op] = Operation({
            status: OperationStatus.Fenced,
            kind: OperationKind.None,
            reason: reason,
            blockNumber: uint64(block.number),
            hold: 0
        });
        emit FencedOp(op, reason);
        return OperationStatus.Fenced;
    }

    /// @dev ISO 20022 external reason codes are four capital letters or digits; honest validators read them back equal.
    function _checkReason(bytes4 reason) private pure {
        for (uint256 i = 0; i < 4; i++) {
            bytes1 letter = reason[i];
            bool capital = letter >= "A" && letter <= "Z";
            bool digit = letter >= "0" && letter <= "9";
            if (!capital && !digit) revert BadReason(reason);
        }
    }
}
