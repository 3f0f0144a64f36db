internal import LinuxSystem

extension Resolver {
    /// A bit for each directory of a shared view that may have the name, as of the events that were taken in.
    func directories(of shared: SharedView?, having name: PathRef) -> UInt64 {
        guard let shared, let names = shared.names else { return .max }
        let having = names.directories(having: name.hash) {
            shared.backings.map { isFilterable($0) ? NameFilter.names(of: $0.directory) : nil }
        }
        // Asked afterwards: a name that was taken in before, and isn't in the filter, has ended the view.
        return shared.isCurrent ? having : .max
    }

    /// Whether a filter would have every name of the directory, by its listing and by later events.
    private func isFilterable(_ backing: Backing) -> Bool {
        let layer = backing.layer
        // An OCI layer's whiteouts have other names than what they hide.
        guard !layer.isOCI, layer.filesystem.type.tellsCase else { return false }
        // What the union itself makes in a static layer brings no event.
        let mode = coherence.plan.choices[layer.index].mode
        return mode == .watch || layer.isReadOnly || policies.readOnly
    }
}

extension FileSystemType {
    /// Directories that take names that differ in case for one are flagged, each. (Not so on xfs.)
    fileprivate var tellsCase: Bool { [.ext4, .temporary, .btrfs].contains(self) }
}
