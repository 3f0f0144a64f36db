extension Union {
    /// Has notices delivered to `sink`, on whatever thread they come up. It must not block for long.
    public func deliverNotices(to sink: @escaping @Sendable (UnionNotice) -> Void) {
        layers.notices.deliver(to: sink)
    }
}
