internal import LinuxSystem
internal import UnionCore

/// Tells a change that says nothing new: one before said the same, and was handed on after both had happened. So this
/// forgets whenever the kernel is asked for more.
///
/// A name that is changed over and over fills the queue. Of directories it counts in which order they came and went: there
/// only the neighbour is compared.
struct Repetition {
    private struct Change: Equatable {
        var round: UInt32
        var watch: Int32
        var kind: ChangeEvent.Kind
        var name: UInt64
    }

    private static let size = 256
    private static let none = Change(round: 0, watch: -1, kind: .gone, name: 0)

    /// Each where its name leads to, over what was there.
    private var changes = [Change](repeating: none, count: size)
    private var last = none
    private var round: UInt32 = 1

    mutating func forget() {
        round = round == .max ? 1 : round + 1
        if round == 1 { changes = [Change](repeating: Self.none, count: Self.size) }
    }

    /// Whether the change repeats one from before; it is remembered in any case.
    mutating func covers(_ event: InotifyEvent, _ kind: ChangeEvent.Kind) -> Bool {
        let change = Change(round: round, watch: event.watch, kind: kind, name: event.name.hash)
        defer { last = change }
        if change == last { return true }
        if kind == .directoryCame || kind == .directoryWent { return false }
        let index =
            Int(truncatingIfNeeded: change.name ^ UInt64(UInt32(bitPattern: event.watch))) & (Self.size - 1)
        if changes[index] == change { return true }
        changes[index] = change
        return false
    }
}
