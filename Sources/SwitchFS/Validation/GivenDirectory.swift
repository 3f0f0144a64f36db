import LinuxSystem
import SystemPackage
import UnionCore

/// Who a directory is, whatever path leads to it.
struct DirectoryIdentity: Hashable, Sendable {
    let device: UInt64
    let inode: UInt64

    init(_ status: FileStatus) {
        device = status.device
        inode = status.inode
    }
}

/// A directory that a mount request names, as it was found.
struct GivenDirectory: Sendable {
    /// `lowerdir`, `upperdir`, `workdir`, `mount point`: how errors call it.
    let role: String
    /// Absolute; links resolved.
    let path: String
    let identity: DirectoryIdentity
    let mountID: UInt64
    /// Every directory that holds it, by whichever mount.
    let ancestors: Set<DirectoryIdentity>
    /// Directories of it can hold the union's marks: it has extended attributes.
    let keepsMarks: Bool
    /// bpffs takes directories and links, and no files.
    let takesFiles: Bool

    /// What the request will do there.
    enum Use {
        case read, write
        /// Mounting takes no right on the directory itself that isn't checked by the mount.
        case cover
    }

    /// Finds the directory, or says in one line why it won't do.
    init(_ role: String, _ given: String, for use: Use, _ mounts: MountTable) throws(MountError) {
        self.role = role
        guard !given.isEmpty else { throw .usage("\(role): the path is empty") }
        let opened = try Self.open(role, given)
        do {
            let status = try opened.descriptor.status()
            identity = DirectoryIdentity(status)
            mountID = status.mountID
        } catch {
            throw Self.unusable(role, given, error)
        }
        try Self.checkAccess(opened.descriptor, role, given, use)
        keepsMarks = opened.descriptor.keepsMarks
        takesFiles = (try? opened.descriptor.fileSystem().type) != .bpf
        path = Self.realPath(of: opened.descriptor) ?? given
        ancestors = mounts.ancestors(of: opened.descriptor)
    }

    /// Refuses a layer of a container image, as podman, buildah and docker keep it (`…/ID/diff`, with the layer's short
    /// name in `…/ID/link`). Their call says nothing of lowers, which all containers of the image share.
    func checkIsNoImage() throws(MountError) {
        let name = "/diff"
        guard path.hasSuffix(name) else { return }
        let mark = OwnedName(path.dropLast(name.count) + "/link")
        guard (try? FileDescriptor.workingDirectory.exists(at: mark.ref)) == true else { return }
        throw .failure(
            "\(role) \(path) is a layer of a container image: what is written would change the image for all; give "
                + "it as \(path)=ro, or as \(path)=rw if that is meant")
    }

    func isInside(_ other: GivenDirectory) -> Bool {
        ancestors.contains(other.identity)
    }

    private static func open(_ role: String, _ path: String) throws(MountError) -> OwnedDescriptor {
        let name = OwnedName(path)
        do {
            return try FileDescriptor.workingDirectory.openPlain(name.ref, flags: [.path, .directory])
        } catch {
            throw unusable(role, path, error)
        }
    }

    private static func checkAccess(
        _ directory: FileDescriptor, _ role: String, _ path: String, _ use: Use
    ) throws(MountError) {
        guard use != .cover else { return }
        do {
            try directory.checkAccess([.read, .execute])
        } catch {
            throw .failure(
                "\(role) \(path): not readable (\(error)); it must let this user read and search it")
        }
        guard use == .write else { return }
        do {
            try directory.checkAccess(.write)
        } catch Errno.readOnlyFileSystem {
            throw .failure(
                "\(role) \(path): on a read-only filesystem; choose a writable one, or mount with ro")
        } catch {
            throw .failure("\(role) \(path): not writable (\(error)); choose one that this user may write")
        }
    }

    private static func unusable(_ role: String, _ path: String, _ error: Errno) -> MountError {
        switch error {
        case .noSuchFileOrDirectory:
            .failure("\(role) \(path): no such directory; create it or correct the path")
        case .notDirectory:
            .failure("\(role) \(path): not a directory")
        case .permissionDenied:
            .failure("\(role) \(path): not reachable for this user (\(error))")
        case .socketNotConnected:
            .failure("\(role) \(path): a mount whose server has died; end it first: switchfs unmount \(path)")
        default:
            .failure("\(role) \(path): \(error)")
        }
    }

    /// The path that the kernel knows it by; nil where that is no UTF-8.
    static func realPath(of directory: FileDescriptor) -> String? {
        let link = OwnedName("/proc/self/fd/\(directory.rawValue)")
        var buffer = [UInt8](repeating: 0, count: 4096)
        let length = unsafe buffer.withUnsafeMutableBytes { buffer in
            unsafe (try? FileDescriptor.workingDirectory.readLink(at: link.ref, into: buffer)) ?? 0
        }
        guard length > 0, length < buffer.count else { return nil }
        return String(validating: buffer[..<length], as: UTF8.self)
    }
}
