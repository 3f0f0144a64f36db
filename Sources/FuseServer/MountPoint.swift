internal import LinuxSystem
internal import SystemPackage

/// The place where a union is mounted: mounts it, and unmounts it again.
struct MountPoint: Sendable {
    private let options: ServerOptions
    private let isPrivileged: Bool

    /// Mounts on a fresh device, by mount(2), or by fusermount3 where that is not permitted.
    static func mount(_ options: ServerOptions) throws(SessionError) -> (MountPoint, Device) {
        if let device = try mountDirectly(options) {
            return (MountPoint(options: options, isPrivileged: true), device)
        }
        return (MountPoint(options: options, isPrivileged: false), try mountByHelper(options))
    }

    /// nil when the process may not mount.
    private static func mountDirectly(_ options: ServerOptions) throws(SessionError) -> Device? {
        let device: OwnedDescriptor
        do throws(Errno) {
            device = try FuseDevice.open()
        } catch {
            // fusermount3 may open it for a user.
            if error == .permissionDenied && ServerIdentity.uid != 0 { return nil }
            throw SessionError(FuseDevice.explain(error))
        }
        let data =
            "fd=\(device.descriptor.rawValue),rootmode=40000,user_id=\(ServerIdentity.uid),"
            + "group_id=\(ServerIdentity.gid),default_permissions"
            + (options.allowOther ? ",allow_other" : "")
        do throws(Errno) {
            try withPath(options.name) { source throws(Errno) in
                try withPath(options.mountPoint) { target throws(Errno) in
                    try withPath(data) { data throws(Errno) in
                        try Mounting.mount(
                            source: source, target: target, type: "fuse.switchfs", flags: options.flags,
                            options: data)
                    }
                }
            }
        } catch {
            if error == .notPermitted { return nil }
            throw SessionError("cannot mount on \(options.mountPoint): \(error)")
        }
        return Device(device)
    }

    private static func mountByHelper(_ options: ServerOptions) throws(SessionError) -> Device {
        let target = OwnedName(Array(options.mountPoint.utf8))
        let data = OwnedName(Array(helperOptions(options).utf8))
        do throws(MountHelperError) {
            return Device(try Mounting.mountUnprivileged(target: target.ref, options: data.ref))
        } catch {
            let reason =
                error.code == .noSuchFileOrDirectory
                ? "fusermount3 is not installed" : error.message.isEmpty ? "\(error.code)" : error.message
            throw SessionError("cannot mount on \(options.mountPoint) without privileges: \(reason)")
        }
    }

    /// As fusermount3 takes them: a comma or backslash in a value has a backslash in front.
    private static func helperOptions(_ options: ServerOptions) -> String {
        var name = ""
        for character in options.name {
            if character == "," || character == "\\" { name.append("\\") }
            name.append(character)
        }
        var words = ["fsname=\(name)", "subtype=switchfs", "default_permissions", "nosuid", "nodev"]
        if options.allowOther { words.append("allow_other") }
        if options.flags.contains(.readOnly) { words.append("ro") }
        if options.flags.contains(.noExecute) { words.append("noexec") }
        if options.flags.contains(.noAccessTime) { words.append("noatime") }
        return words.joined(separator: ",")
    }

    /// Unmounts: out of sight at once, even when it is in use.
    func unmount() throws(Errno) {
        try withPath(options.mountPoint) { target throws(Errno) in
            guard isPrivileged else { return try Mounting.unmountUnprivileged(target, lazily: true) }
            do throws(Errno) {
                try Mounting.unmount(target, flags: .noFollow)
            } catch .resourceBusy {
                try Mounting.unmount(target, flags: [.noFollow, .detach])
            }
        }
    }
}

/// Lends a string's bytes as a path.
private func withPath<R: ~Copyable>(
    _ string: String, _ body: (PathRef) throws(Errno) -> R
) throws(Errno) -> R {
    let name = OwnedName(Array(string.utf8))
    return try body(name.ref)
}
