internal import LinuxSystem
public import UnionCore

/// Everything that a mount command says: the value behind `-o` and behind `switchfs mount --…`.
///
/// Nothing is looked at on disk before a ``MountRequest`` is made of it. Options that are read from text override those
/// that were read before, as with `mount(8)`.
public struct MountOptions: Sendable {
    /// `passthrough=`: whether the kernel may read and write ordinary files without asking the server.
    public enum Passthrough: String, Sendable, CaseIterable {
        /// Where it can be had.
        case auto
        /// Never.
        case off
        /// Without it the mount fails.
        case require
    }

    /// `poll=`: whether workers look at the device for some microseconds more before they sleep.
    public enum Polling: String, Sendable, CaseIterable {
        /// While looking pays.
        case auto
        /// They sleep at once: less processor time, more time for a request.
        case off
    }

    /// Top to bottom, without the upper. A mount needs one to 500.
    public var lowers: [LayerOption] = []
    /// The layer above them; nil: there is none, and the lowers are numbered from 0.
    public var upper: LayerOption?
    /// Where changes of the upper are prepared, on its filesystem and mount; nil: in `.switchfs` in the upper's root. Only
    /// with an upper.
    public var workDirectory: String?

    /// The policies of the union; `readOnly` is `ro`.
    public var policies = Policies()
    /// `coherence=`; nil: chosen for each layer from its filesystem.
    public var coherence: CoherenceMode?
    /// `rules=FILE`: a branch selector as a TOML file, read when the mount is requested.
    public var rulesFile: String?

    /// Whether the kernel may read and write ordinary files itself.
    public var passthrough = Passthrough.auto
    /// Whether workers look at the device before they sleep.
    public var polling = Polling.auto
    /// Whether other users get in; nil: as the mounting user's privileges have it (root: yes).
    public var allowOther: Bool?
    /// The name that `findmnt` and `/proc/mounts` show as source; nil: `switchfs`.
    public var fileSystemName: String?
    /// What any mount can be told.
    public var flags = GenericFlags()

    /// No layers, and everything else as by default.
    public init() {}

    /// A union of these directories, everything else as by default. `lowers`: top to bottom.
    public init(lowers: [String], upper: String? = nil, work: String? = nil) {
        self.lowers = lowers.map { LayerOption($0) }
        self.upper = upper.map { LayerOption($0) }
        workDirectory = work
    }

    /// Reads what follows one `-o`: `lowerdir=/l,upperdir=/u,ro`. Throws ``MountError`` of kind
    /// ``MountError/Kind/usage`` that names the option and what would be right.
    public init(parsing text: String) throws(MountError) {
        self.init()
        try apply(text)
    }

    /// Reads a further `-o`; what it says overrides what was said before. `skippingUnknown`: options of names that
    /// nobody knows are left out, as with mount(8)'s `-s`. Throws as ``init(parsing:)``; what stands before the wrong
    /// option has been taken over then.
    public mutating func apply(_ text: String, skippingUnknown: Bool = false) throws(MountError) {
        for item in OptionGrammar.split(text[...], at: ",") where !item.isEmpty {
            let (name, value) = OptionGrammar.nameAndValue(of: item)
            if try applyKnown(name, value) { continue }
            if skippingUnknown { continue }
            throw Self.unknown(name)
        }
    }

    /// Reads one option by its name, nil for one without a value; a layer's value may carry attributes and escapes, as in
    /// `-o`. Throws as ``init(parsing:)``.
    public mutating func apply(option name: String, value: String?) throws(MountError) {
        try apply(name: name, value: value.map { $0[...] })
    }

    /// What the union is made of, with the paths as they were given.
    package var configuration: UnionConfiguration {
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

/// The generic flags of `mount(2)`. All are off by default.
public struct GenericFlags: Sendable, Equatable {
    /// `nosuid`: suid and sgid bits and file capabilities give nothing.
    public var noSuid = false
    /// `nodev`: devices can't be opened.
    public var noDevices = false
    /// `noexec`: no program can be run from here.
    public var noExecute = false
    /// `noatime`: reading moves no access time.
    public var noAccessTime = false
    /// `nodiratime`: listing moves no directory's access time.
    public var noDirectoryAccessTime = false
    /// `relatime`: reading moves an access time that is older than the last change, or than a day.
    public var relativeAccessTime = false
    /// `strictatime`: all reading moves access times. Without any of these four it is as the layers' own mounts have it.
    public var strictAccessTime = false
    /// `nosymfollow`: links can be read and aren't followed.
    public var noSymlinkFollow = false
    /// `sync`: the kernel's flag of that name.
    public var synchronous = false
    /// `dirsync`: the kernel's flag of that name.
    public var directorySynchronous = false

    /// All off.
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
