/// Whether passthrough was agreed on with the kernel.
public struct PassthroughState: Sendable, Equatable {
    public var isEnabled: Bool
    /// FUSE's `max_stack_depth`: 2 where a layer is itself stacked on another filesystem; 0 when disabled.
    public var depth: Int
    /// Why it is not, for `status` and error messages; empty when enabled.
    public var reason: String

    static func enabled(depth: Int) -> PassthroughState {
        PassthroughState(isEnabled: true, depth: depth, reason: "")
    }

    static func disabled(_ reason: String) -> PassthroughState {
        PassthroughState(isEnabled: false, depth: 0, reason: reason)
    }
}
