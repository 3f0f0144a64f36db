public import UnionCore

/// A mount that was looked at and can be tried: paths absolute and real, rules read, nothing changed yet.
public struct MountRequest: Sendable {
    /// As they were given.
    public let options: MountOptions
    /// Where the union will be mounted: absolute, links resolved.
    public let mountPoint: String
    /// What the engine is opened with.
    package let configuration: UnionConfiguration

    /// Checks everything that can be checked before a mount, relative paths against the working directory.
    ///
    /// `selector` takes the place of the options' rules file, which isn't read then.
    ///
    /// Throws ``MountError``: of kind ``MountError/Kind/usage`` where the options lack something or contradict each other,
    /// of kind ``MountError/Kind/failure`` where a directory or the rules file won't do. Its line says what would.
    public init(
        _ options: MountOptions, at mountPoint: String, selector: (any BranchSelector)? = nil
    ) throws(MountError) {
        try options.checkCompleteness()
        let mounts = MountTable.current()
        let directories = try RequestedDirectories(options, at: mountPoint, mounts)
        try directories.checkRelations()
        var configuration = options.configuration
        for (index, directory) in directories.layers.enumerated() {
            configuration.layers[index].path = directory.path
        }
        configuration.workDirectory = directories.work?.path
        if let selector {
            configuration.policies.selector = selector
        } else if let file = options.rulesFile {
            configuration.policies.selector =
                try RuleSelector(contentsOf: file, layerCount: configuration.layers.count)
        }
        self.options = options
        self.mountPoint = directories.mountPoint.path
        self.configuration = configuration
    }
}

extension MountOptions {
    /// As many as overlayfs takes.
    static let mostLowers = 500

    func checkCompleteness() throws(MountError) {
        if lowers.isEmpty {
            throw .usage("no lower layer given; add -o lowerdir=DIRECTORY, or --lower DIRECTORY")
        }
        if lowers.count > Self.mostLowers {
            throw .usage("\(lowers.count) lower layers given; at most \(Self.mostLowers) can be united")
        }
        if workDirectory != nil, upper == nil {
            throw .usage("workdir is given without upperdir; add upperdir=DIRECTORY or leave workdir out")
        }
    }
}
