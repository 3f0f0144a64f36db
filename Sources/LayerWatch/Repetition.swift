internal import LinuxSystem
internal import UnionCore

/// Recognises a change that says nothing new: an earlier event said the same, and was handed on after both
/// changes had happened. So this forgets whenever the kernel is asked for more.
///
/// A name that changes over and over fills the queue. For directories it matters in which order they came and
/// went: these are compared only with the event just before.
struct Repetition {
    private struct Change: Equatable {
        var round: UInt32
        var watch: Int32
        var kind: ChangeEvent.Kind
        var name: UInt64
    }

    private static let size = 256
    private static let none = Change(round: 0, watch: -1, kind: .gone, name: 0)

    /// Each is at the position that its name's hash gives, over what was there.
    private var changes = [Change](repeating: none, count: size)
    private var last = none
    private var round: UInt32 = 1

    mutating func forget() {
        round = round == .max ? 1 : round + 1
        if round == 1 { changes = [Change](repeating: Self.none, count: Self.size) }
    }

    /// Whether the change repeats an earlier one. It is remembered in any case.
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
