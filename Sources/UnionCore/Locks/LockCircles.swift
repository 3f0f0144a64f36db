internal import LinuxSystem
internal import SystemPackage

/// Waits that never end, because a process beside the union has a part in the circle. The kernel doesn't see
/// such a circle, as it takes the union's locks for open files'. The ledger doesn't see it either, as it
/// knows only clients.
///
/// What /proc/locks says and what clients hold isn't of one moment. So a wait that is in a circle twice in a
/// row is in a deadlock.
struct LockCircles {
    /// A client's owner number, or a process beside the union.
    private enum Party: Hashable {
        case client(UInt64)
        case process(Int32)
    }

    private let waits: [(owner: LockOwner.Key, lock: FileLock, wait: LockWait)]
    private let holdings: [NodeID: [LockLedger.Holding]]
    private let byFile: [LockedFile: [LockLedger.Holding]]
    /// The process of each client: some use the union and the layers.
    private let processes: [UInt64: Int32]
    private let kernel: [KernelLock]

    init(_ state: LockLedger.State, _ kernel: [KernelLock]) {
        self.kernel = kernel
        waits = state.waits.compactMap { wait in
            wait.record.map { ($0.owner, $0.lock, wait) }
        }
        let all = Array(state.holdings.values)
        holdings = Dictionary(grouping: all) { $0.owner.key.node }
        processes = Dictionary(all.map { ($0.owner.key.owner, $0.process) }) { first, _ in first }
        var byFile: [LockedFile: [LockLedger.Holding]] = [:]
        for holding in all {
            if let file = holding.owner.identity { byFile[file, default: []].append(holding) }
        }
        self.byFile = byFile
    }

    /// The waits that wait for themselves, by what is in between.
    var stuck: [LockWait] {
        waits.filter { isReached(.client($0.owner.owner), from: blockers(of: $0)) }.map(\.wait)
    }

    private func isReached(_ origin: Party, from first: [Party]) -> Bool {
        var seen = Set(first)
        var rest = first
        while let party = rest.popLast() {
            if party == origin { return true }
            for next in blockers(of: party) where seen.insert(next).inserted { rest.append(next) }
        }
        return false
    }

    private func blockers(of party: Party) -> [Party] {
        switch party {
        case .client(let owner):
            waits.filter { $0.owner.owner == owner }.flatMap { blockers(of: $0) }
                + (processes[owner].map { beside($0) } ?? [])
        case .process(let process):
            beside(process) + waits.filter { $0.wait.process == process }.map { .client($0.owner.owner) }
        }
    }

    /// What the process waits for on a layer.
    private func beside(_ process: Int32) -> [Party] {
        kernel.filter { $0.isWaiting && $0.process == process }.flatMap { blockers(of: $0) }
    }

    private func blockers(of wait: (owner: LockOwner.Key, lock: FileLock, wait: LockWait)) -> [Party] {
        guard wait.wait.isOfProcess else { return [] }
        let here = holdings[wait.owner.node] ?? []
        let clients = here.filter { $0.owner.key != wait.owner && $0.ranges.conflict(with: wait.lock) != nil }
        let file = here.first { $0.owner.key == wait.owner }?.owner.identity
        return clients.map { .client($0.owner.key.owner) } + holders(of: file, against: wait.lock, besides: 0)
    }

    private func blockers(of waiting: KernelLock) -> [Party] {
        let clients = (byFile[waiting.file] ?? []).filter { $0.ranges.conflict(with: waiting.lock) != nil }
        return clients.map { .client($0.owner.key.owner) }
            + holders(of: waiting.file, against: waiting.lock, besides: waiting.process)
    }

    /// The processes beside the union that hold locks which can't be beside `lock`.
    private func holders(of file: LockedFile?, against lock: FileLock, besides own: Int32) -> [Party] {
        kernel.filter { held in
            !held.isWaiting && held.file == file && held.process != own && held.lock.excludes(lock)
        }.map { .process($0.process) }
    }
}
