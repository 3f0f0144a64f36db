import SwitchFS

/// The command line of mount helpers: `switchfs [SOURCE] MOUNTPOINT -o OPTIONS`, in any order, as overlayfs's
/// users, mount(8), mount.fuse3 and fstab write it.
struct ClassicForm {
    private(set) var options = MountOptions()
    private(set) var mountPoint = ""
    private(set) var style = MountService.Style()
    private(set) var wantsHelp = false
    private(set) var wantsVersion = false
    /// Everything is checked, and nothing mounted.
    private(set) var isFake = false

    private let isHelper: Bool
    /// Options whose names aren't known are left out.
    private var isSloppy = false
    private var optionTexts: [String] = []
    private var words: [String] = []

    /// `asHelper`: as mount(8) calls its helpers, `-sfnv -o … -t …`, in which `-s` and `-f` mean what they mean to mount(8).
    init(_ arguments: [String], asHelper: Bool) throws(MountError) {
        isHelper = asHelper
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            if argument == "--" {
                words.append(contentsOf: rest)
                break
            }
            if argument.hasPrefix("--") {
                try takeLong(argument)
            } else if argument.hasPrefix("-"), argument.count > 1 {
                try takeShort(argument.dropFirst(), &rest)
            } else {
                words.append(argument)
            }
            if wantsHelp || wantsVersion { return }
        }
        for text in optionTexts { try options.apply(text, skippingUnknown: isSloppy) }
        try placeWords()
    }

    private mutating func takeLong(_ argument: String) throws(MountError) {
        switch argument {
        case "--help": wantsHelp = true
        case "--version": wantsVersion = true
        default: throw MountError(.usage, "unknown option '\(argument)'; switchfs --help lists the options")
        }
    }

    /// One or several letters in a word; what takes a value takes the rest of the word or the next one.
    private mutating func takeShort(
        _ letters: Substring, _ rest: inout ArraySlice<String>
    ) throws(MountError) {
        var letters = letters
        while let letter = letters.popFirst() {
            switch letter {
            case "o":
                optionTexts.append(try value(of: letter, &letters, &rest))
            case "f" where isHelper: isFake = true
            case "s" where isHelper: isSloppy = true
            case "f": style.inForeground = true
            case "d": style.logsRequests = true
            case "r": optionTexts.append("ro")
            case "w": optionTexts.append("rw")
            case "h": wantsHelp = true
            case "V": wantsVersion = true
            // mount(8) and libfuse's programs: single thread, no mtab, verbose.
            case "s", "n", "v": break
            // mount(8): the type that it was asked for.
            case "t": _ = try value(of: letter, &letters, &rest)
            default:
                throw MountError(.usage, "unknown option '-\(letter)'; switchfs --help lists the options")
            }
        }
    }

    private func value(
        of letter: Character, _ letters: inout Substring, _ rest: inout ArraySlice<String>
    ) throws(MountError) -> String {
        defer { letters = "" }
        if !letters.isEmpty { return String(letters) }
        guard let next = rest.popFirst() else {
            throw MountError(.usage, "option '-\(letter)' needs a value")
        }
        return next
    }

    /// One word is the mount point; of two the first is the source, a mere name.
    private mutating func placeWords() throws(MountError) {
        guard let last = words.last else {
            throw MountError(.usage, "no mount point given; switchfs --help shows how to mount")
        }
        guard words.count <= 2 else {
            throw MountError(
                .usage, "too many arguments, from '\(words[2])' on; give a mount point, or a source and one")
        }
        if options.lowers.isEmpty, words.count == 1 {
            throw MountError(
                .usage,
                "'\(last)' is no subcommand, and a mount needs -o lowerdir=DIRECTORY; see switchfs --help")
        }
        mountPoint = last
        // Any word, `none` too: by it mount(8) tells that what fstab says is mounted already.
        if words.count == 2, options.fileSystemName == nil, let source = words.first, !source.isEmpty {
            options.fileSystemName = source
        }
    }
}
