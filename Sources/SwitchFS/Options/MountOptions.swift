internal import LinuxSystem
public import UnionCore

/// Everything that a mount command says: the value behind `-o` and behind `switchfs mount --…`.
///
/// Later items override earlier ones, as with `mount(8)`.
public struct MountOptions: Sendable {
    /// `passthrough=`: whether the kernel may read and write ordinary files without asking the server.
    public enum Passthrough: String, Sendable, CaseIterable {
        case auto, off, require
    }

    /// `poll=`: whether workers look at the device for some microseconds more before they sleep.
    public enum Polling: String, Sendable, CaseIterable {
        case auto, off
    }

    /// Top to bottom, without the upper.
    public var lowers: [LayerOption] = []
    public var upper: LayerOption?
    public var workDirectory: String?

    /// The policies of the union; `readOnly` is `ro`.
    public var policies = Policies()
    /// `coherence=`; nil: chosen for each layer from its filesystem.
    public var coherence: CoherenceMode?
    /// `rules=FILE`: a branch selector as a TOML file.
    public var rulesFile: String?

    public var passthrough = Passthrough.auto
    public var polling = Polling.auto
    /// nil: as the mounting user's privileges have it (root: yes).
    public var allowOther: Bool?
    /// The name that `findmnt` and `/proc/mounts` show as source; nil: `switchfs`.
    public var fileSystemName: String?
    public var flags = GenericFlags()

    public init() {}

    /// A union of these directories, everything else as by default.
    public init(lowers: [String], upper: String? = nil, work: String? = nil) {
        self.lowers = lowers.map { LayerOption($0) }
        self.upper = upper.map { LayerOption($0) }
        workDirectory = work
    }

    /// Reads what follows one `-o`.
    public init(parsing text: String) throws(MountError) {
        self.init()
        try apply(text)
    }

    /// Reads a further `-o`; what it says overrides what was said before. `skippingUnknown`: options of names that
    /// nobody knows are left out, as with mount(8)'s `-s`.
    public mutating func apply(_ text: String, skippingUnknown: Bool = false) throws(MountError) {
        for item in OptionGrammar.split(text[...], at: ",") where !item.isEmpty {
            let (name, value) = OptionGrammar.nameAndValue(of: item)
            if try applyKnown(name, value) { continue }
            if skippingUnknown { continue }
            throw Self.unknown(name)
        }
    }

    /// One option by its name; a layer's value may carry attributes and escapes, as in `-o`.
    public mutating func apply(option name: String, value: String?) throws(MountError) {
        try apply(name: name, value: value.map { $0[...] })
    }

    /// What the union is made of, with the paths as they were given.
    public var configuration: UnionConfiguration {
        var layers = lowers
        if let upper { layers.insert(upper, at: 0) }
        var configuration = UnionConfiguration(
            layers: layers.map { layer in
                LayerConfiguration(
                    path: layer.path, readOnly: layer.readOnly ?? false,
                    coherence: layer.coherence ?? coherence, isOCI: layer.isOCI)
            },
            hasUpper: upper != nil, workDirectory: workDirectory)
        configuration.policies = policies
        configuration.policies.accessTimes = flags.accessTimes
        configuration.policies.noDirectoryAccessTimes = flags.noDirectoryAccessTime
        return configuration
    }
}

/// The generic flags of `mount(2)` that the kernel itself keeps.
public struct GenericFlags: Sendable, Equatable {
    public var noSuid = false
    public var noDevices = false
    public var noExecute = false
    public var noAccessTime = false
    public var noDirectoryAccessTime = false
    public var relativeAccessTime = false
    public var strictAccessTime = false
    public var noSymlinkFollow = false
    public var synchronous = false
    public var directorySynchronous = false

    public init() {}
}

extension GenericFlags {
    /// nil: nothing was said of them.
    fileprivate var accessTimes: AccessTimes? {
        if noAccessTime { return .never }
        if strictAccessTime { return .always }
        return relativeAccessTime ? .relative : nil
    }
}
