extension Union {
    /// Has notices told, from whatever thread they come up on. Must not block for long.
    public func deliverNotices(to sink: @escaping @Sendable (UnionNotice) -> Void) {
        layers.notices.deliver(to: sink)
    }
}
