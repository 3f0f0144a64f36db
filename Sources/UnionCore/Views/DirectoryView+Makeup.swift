internal import LinuxSystem
internal import SystemPackage

extension DirectoryView {
    /// `Makeup.layers` as the view's directories give it.
    var layers: UInt64 { backings.reduce(0) { $0 | $1.layer.bit } }

    /// `Makeup.backings` as the view's directories give it. Throws the error of fstat(2).
    func backingsFingerprint() throws(Errno) -> UInt64 {
        var result: UInt64 = 0
        for backing in backings { result ^= try backing.lookedAtPart() }
        return result
    }

    /// Whether the view's directories are those of the makeup that has these `Makeup.backings`. Open directories stay what they
    /// are, so a fingerprint that is kept counts.
    func isMade(of backings: UInt64) -> Bool {
        (keptFingerprint ?? (try? backingsFingerprint())) == backings
    }

    /// Whether one of the real directories is a part of what the node was made of when it was looked at last.
    func shows(_ node: Node) -> Bool {
        let makeup = node.makeup
        return backings.contains { backing in
            guard let part = try? backing.lookedAtPart() else { return false }
            return makeup.has(part)
        }
    }
}

extension Backing {
    /// `Makeup.part`. Throws the error of fstat(2).
    func lookedAtPart() throws(Errno) -> UInt64 {
        if let part { return part }
        return Makeup.part(try directory.status(), in: layer)
    }
}
