internal import LinuxSystem

extension Resolver {
    /// A bit for each directory of a shared view that may have the name, as of the events that were taken in.
    func directories(of shared: SharedView?, having name: PathRef) -> UInt64 {
        guard let shared, let names = shared.names else { return .max }
        return names.directories(having: name.hash) {
            shared.backings.map { backing in
                // An OCI layer's whiteouts have other names than what they hide.
                backing.layer.isOCI || !backing.layer.filesystem.type.tellsCase
                    ? nil : NameFilter.names(of: backing.directory)
            }
        }
    }
}

extension FileSystemType {
    /// Directories that take names that differ in case for one are flagged, each. (Not so on xfs.)
    fileprivate var tellsCase: Bool { [.ext4, .temporary, .btrfs].contains(self) }
}
