import UnionCore

/// The options that `mount(8)` passes to every helper: what the kernel keeps as a flag is honoured, what only
/// `mount(8)` and systemd read is ignored, as `mount.fuse` does.
extension MountOptions {
    mutating func applyGeneric(_ name: String, _ value: Substring?) throws(MountError) -> Bool {
        if Self.isForMountOnly(name) { return true }
        switch name {
        case "ro": policies.readOnly = try Self.flag(name, value, true)
        case "rw": policies.readOnly = try Self.flag(name, value, false)
        case "nosuid": flags.noSuid = try Self.flag(name, value, true)
        case "suid": flags.noSuid = try Self.flag(name, value, false)
        case "nodev": flags.noDevices = try Self.flag(name, value, true)
        case "dev": flags.noDevices = try Self.flag(name, value, false)
        case "noexec": flags.noExecute = try Self.flag(name, value, true)
        case "exec": flags.noExecute = try Self.flag(name, value, false)
        case "noatime", "atime", "relatime", "norelatime", "strictatime", "nostrictatime":
            try setAccessTimes(name, value)
        case "nodiratime": flags.noDirectoryAccessTime = try Self.flag(name, value, true)
        case "diratime": flags.noDirectoryAccessTime = try Self.flag(name, value, false)
        case "sync": flags.synchronous = try Self.flag(name, value, true)
        case "async": flags.synchronous = try Self.flag(name, value, false)
        case "nosymfollow": flags.noSymlinkFollow = try Self.flag(name, value, true)
        case "symfollow": flags.noSymlinkFollow = try Self.flag(name, value, false)
        case "dirsync": flags.directorySynchronous = try Self.flag(name, value, true)
        case "remount":
            throw .usage("option 'remount' is not supported; unmount, then mount again")
        default: return false
        }
        return true
    }

    /// The last one counts, of those that exclude one another.
    private mutating func setAccessTimes(_ name: String, _ value: Substring?) throws(MountError) {
        flags.noAccessTime = try Self.flag(name, value, name == "noatime")
        flags.relativeAccessTime = name == "relatime"
        flags.strictAccessTime = name == "strictatime"
    }

    private static func isForMountOnly(_ name: String) -> Bool {
        ignored.contains(name) || name.hasPrefix("x-") || name.hasPrefix("X-")
    }

    private static let ignored: Set<String> = [
        "_netdev", "auto", "noauto", "comment", "default_permissions", "defaults", "fail", "nofail", "group",
        "helper", "iversion", "noiversion", "lazytime", "nolazytime", "loud", "silent", "mand", "nomand",
        "owner",
        "noowner", "nogroup", "subtype", "uhelper", "user", "nouser", "users", "nousers",
    ]
}
