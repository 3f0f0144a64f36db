internal import LinuxSystem
internal import UnionCore

/// Tells a change that says nothing new: the one before said the same, and was handed on after both had
/// happened. So this forgets whenever the kernel is asked for more; names are valid as long.
struct Repetition {
    private var watch: Int32 = -1
    private var kind = ChangeEvent.Kind.gone
    private var name: PathRef = ""

    mutating func forget() { watch = -1 }

    /// Whether the change repeats the one before; it is remembered in any case.
    mutating func covers(_ event: InotifyEvent, _ kind: ChangeEvent.Kind) -> Bool {
        if event.watch == watch && kind == self.kind && event.name == name { return true }
        watch = event.watch
        self.kind = kind
        name = event.name
        return false
    }
}
