public import UnionCore

/// One layer as written in `lowerdir=` or `upperdir=`: a path and what is said about it after `=`.
public struct LayerOption: Sendable, Equatable {
    /// The directory; a relative path is taken from the working directory when the mount is requested.
    public var path: String
    /// Whether the union may only read it; nil: it may write.
    public var readOnly: Bool?
    /// How fresh it is shown; nil: what `coherence=` says.
    public var coherence: CoherenceMode?
    /// It is an unpacked OCI image layer: names that begin with `.wh.` are whiteouts.
    public var isOCI: Bool

    /// A layer at this path. Nothing is checked, and no `=` in the path means anything.
    public init(
        _ path: String, readOnly: Bool? = nil, coherence: CoherenceMode? = nil, isOCI: Bool = false
    ) {
        self.path = path
        self.readOnly = readOnly
        self.coherence = coherence
        self.isOCI = isOCI
    }

    /// Reads `PATH`, `PATH=ro` or `PATH=ro+static`. A last `=` that no known attribute follows belongs to the
    /// path: `/srv/a=b` is a directory.
    init(parsing text: Substring) throws(MountError) {
        guard let equals = OptionGrammar.lastUnescaped("=", in: text),
            let attributes = LayerOption.attributes(in: text[text.utf8.index(after: equals)...])
        else {
            self.init(OptionGrammar.unescape(text))
            return
        }
        self.init(OptionGrammar.unescape(text[..<equals]))
        for attribute in attributes { try apply(attribute) }
    }

    private enum Attribute: String {
        case rw, ro, watch, check, ttl, `static`, oci
    }

    /// nil unless every word is an attribute.
    private static func attributes(in text: Substring) -> [Attribute]? {
        var found: [Attribute] = []
        for word in text.split(separator: "+", omittingEmptySubsequences: false) {
            guard let attribute = Attribute(rawValue: String(word)) else { return nil }
            found.append(attribute)
        }
        return found
    }

    private mutating func apply(_ attribute: Attribute) throws(MountError) {
        switch attribute {
        case .rw: try setReadOnly(false)
        case .ro: try setReadOnly(true)
        case .watch: try setCoherence(.watch)
        case .check: try setCoherence(.check)
        case .ttl: try setCoherence(.ttl)
        case .static: try setCoherence(.static)
        case .oci: isOCI = true
        }
    }

    private mutating func setReadOnly(_ value: Bool) throws(MountError) {
        if let readOnly, readOnly != value {
            throw .usage("layer \(path): ro and rw exclude each other; leave one out")
        }
        readOnly = value
    }

    private mutating func setCoherence(_ value: CoherenceMode) throws(MountError) {
        if let coherence, coherence != value {
            throw .usage(
                "layer \(path): \(coherence.rawValue) and \(value.rawValue) exclude each other; leave one out"
            )
        }
        coherence = value
    }
}
