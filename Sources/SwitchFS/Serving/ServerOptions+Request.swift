import FuseServer
import LinuxSystem
import UnionCore

extension ServerOptions {
    /// What a request asks of the server, as the mounting user's privileges let it be.
    init(_ request: MountRequest, debug: Bool) {
        let options = request.options
        self.init(mountPoint: request.mountPoint)
        name = options.fileSystemName ?? "switchfs"
        allowOther = options.allowOther ?? (ServerIdentity.uid == 0)
        flags = options.kernelFlags
        passthrough =
            switch options.passthrough {
            case .auto: .auto
            case .off: .off
            case .require: .require
            }
        polling = options.polling == .off ? .off : .auto
        self.debug = debug
    }
}

extension MountOptions {
    /// The flags of mount(2). Programs keep their suid bits and devices work, as on the layers themselves;
    /// fusermount3 takes both away from users.
    fileprivate var kernelFlags: MountFlags {
        var result: MountFlags = []
        if policies.readOnly { result.insert(.readOnly) }
        if flags.noSuid { result.insert(.noSetUser) }
        if flags.noDevices { result.insert(.noDevices) }
        if flags.noExecute { result.insert(.noExecute) }
        if flags.noAccessTime { result.insert(.noAccessTime) }
        if flags.noDirectoryAccessTime { result.insert(.noDirectoryAccessTime) }
        if flags.relativeAccessTime { result.insert(.relativeAccessTime) }
        if flags.strictAccessTime { result.insert(.strictAccessTime) }
        if flags.noSymlinkFollow { result.insert(.noSymlinkFollow) }
        if flags.synchronous { result.insert(.synchronous) }
        if flags.directorySynchronous { result.insert(.directorySync) }
        return result
    }
}
