import UnionCore

/// What each name in `-o` does. One table a kind of option; an unknown name or value is an error.
extension MountOptions {
    mutating func apply(name: String, value: Substring?) throws(MountError) {
        guard try applyKnown(name, value) else { throw Self.unknown(name) }
    }

    /// False: there is no option of that name.
    mutating func applyKnown(_ name: String, _ value: Substring?) throws(MountError) -> Bool {
        if try applyLayer(name, value) { return true }
        if try applyPolicy(name, value) { return true }
        if try applyServer(name, value) { return true }
        if try applyOverlay(name, value) { return true }
        return try applyGeneric(name, value)
    }

    static func unknown(_ name: String) -> MountError {
        .usage("unknown option '\(name)'; switchfs --help lists the options")
    }

    private mutating func applyLayer(_ name: String, _ value: Substring?) throws(MountError) -> Bool {
        switch name {
        case "lowerdir":
            lowers = try Self.layers(in: Self.required(name, value))
        case "lowerdir+":
            lowers.append(try LayerOption(parsing: Self.required(name, value)))
        case "upperdir":
            upper = try LayerOption(parsing: Self.required(name, value))
        case "workdir":
            workDirectory = try Self.text(name, value)
        default:
            return false
        }
        return true
    }

    private static func layers(in list: Substring) throws(MountError) -> [LayerOption] {
        var layers: [LayerOption] = []
        for piece in OptionGrammar.split(list, at: ":") {
            if piece.isEmpty {
                throw .usage("lowerdir: a layer's path is empty; write the layers as L1:L2, without '::'")
            }
            layers.append(try LayerOption(parsing: piece))
        }
        return layers
    }

    private mutating func applyPolicy(_ name: String, _ value: Substring?) throws(MountError) -> Bool {
        switch name {
        case "create": policies.create = try Self.createPolicy(name, value)
        case "mkdir": policies.mkdir = try Self.createPolicy(name, value)
        case "orphans": policies.orphans = try Self.choice(name, value)
        case "whiteout": policies.whiteout = try Self.choice(name, value)
        case "ahead": policies.ahead = try Self.choice(name, value)
        case "locks": policies.locks = try Self.choice(name, value)
        case "complete":
            policies.lowerIsComplete =
                try Self.word(name, value, among: ["lower": true, "off": false])
        case "coherence":
            coherence = try Self.text(name, value) == "auto" ? nil : Self.choice(name, value, also: ["auto"])
        case "ttl": policies.timeToLive = try Self.seconds(name, value)
        case "rules": rulesFile = try Self.text(name, value)
        default: return false
        }
        return true
    }

    private mutating func applyServer(_ name: String, _ value: Substring?) throws(MountError) -> Bool {
        switch name {
        case "passthrough": passthrough = try Self.choice(name, value)
        case "poll": polling = try Self.choice(name, value)
        case "fsname": fileSystemName = try Self.text(name, value)
        case "allow_other": allowOther = try Self.flag(name, value, true)
        case "no_allow_other": allowOther = try Self.flag(name, value, false)
        case "allow_root":
            throw .usage("option 'allow_root' is not supported; use allow_other")
        default: return false
        }
        return true
    }

    /// overlayfs's own options: accepted where a union without copy-up has nothing to do for them.
    private func applyOverlay(_ name: String, _ value: Substring?) throws(MountError) -> Bool {
        guard let accepted = Self.overlayValues[name] else { return false }
        let given = value.map(OptionGrammar.unescape)
        if accepted.contains(given) { return true }
        let written = given.map { "\(name)=\($0)" } ?? name
        throw .usage(
            "overlay option '\(written)' is not supported: it asks for what only a union with copy-up does; "
                + "leave it out")
    }

    private static let overlayValues: [String: Set<String?>] = [
        "redirect_dir": ["off", "nofollow"],
        "index": ["off", "on"],
        "metacopy": ["off"],
        "nfs_export": ["off"],
        "xino": ["off", "auto", "on"],
        "verity": ["off"],
        "volatile": [nil],
        "userxattr": [nil],
    ]
}
