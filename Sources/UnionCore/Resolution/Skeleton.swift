internal import LinuxSystem
internal import SystemPackage

// Skeletons: directories in the upper that exist only to hold upper entries below a directory that a lower
// owns. They are made as the server and not as the caller, who need not have the right to make directories
// there: nothing that anybody can see changes by it.

extension Union {
    /// The upper's directory for `directory`, made with every missing parent where it isn't there yet.
    func upperDirectory(
        for directory: Node, _ view: inout DirectoryView
    ) throws(Errno) -> FileDescriptor {
        guard let upper = stack.upper, !upper.isReadOnly else { throw .readOnlyFileSystem }
        if let existing = view.directory(in: upper.index) {
            try alignSkeleton(existing, view)
            return existing
        }
        var chain: [Node] = []
        var current = directory
        while !current.isRoot {
            chain.append(current)
            guard let place = current.place else { throw .noSuchFileOrDirectory }
            current = place.parent
        }
        var parent = try upper.root.descriptor.duplicated()
        for node in chain.reversed() {
            guard let place = node.place else { throw .noSuchFileOrDirectory }
            parent = try skeleton(place.name.ref, of: node, in: parent.descriptor, upper)
        }
        let made = parent.descriptor
        view.insertUpper(upper, parent)
        return made
    }

    /// Opens the directory `name` of the upper, after making it from the directory that it stands for.
    private func skeleton(
        _ name: PathRef, of node: Node, in parent: FileDescriptor, _ upper: Layer
    ) throws(Errno) -> OwnedDescriptor {
        do {
            return try parent.openBeneath(name, flags: [.path, .directory, .noFollow])
        } catch .noSuchFileOrDirectory {
            let origin = try object(of: node)
            let change = OwnChange(coherence.noting, node.place?.parent ?? node, name)
            try makeSkeleton(name, of: origin.descriptor, in: parent, for: node)
            let made = try parent.openBeneath(name, flags: [.path, .directory, .noFollow])
            noteLayers(of: node)
            change.left(.present(node.id))
            return made
        }
    }

    /// Prepares a skeleton in the work area and puts it in place in one step: a crash leaves nothing, or a
    /// usable one. When another thread was faster, its skeleton is as good.
    private func makeSkeleton(
        _ name: PathRef, of origin: FileDescriptor, in parent: FileDescriptor, for node: Node
    ) throws(Errno) {
        let status = try origin.status()
        let staging = try work.directory()
        let temporary = work.temporaryName()
        try staging.makeDirectory(at: temporary.ref, mode: 0o700)
        do {
            let made = try staging.openBeneath(temporary.ref, flags: [.path, .directory, .noFollow])
            try dress(made.descriptor, as: origin, status)
            // Watched before anybody can make anything in it.
            watchSkeleton(made.descriptor, of: node)
            let parentStatus = try parent.status()
            try putInPlace(temporary.ref, from: staging, name, in: parent)
            // A parent that is a skeleton too must not look changed by this.
            if parent.marks(at: "").contains(.skeleton) {
                try? parent.changeTimes(access: .omit, modification: .set(parentStatus.modified))
            }
        } catch {
            work.discard(temporary.ref)
            guard error == .fileExists else { throw error }
        }
    }

    private func putInPlace(
        _ temporary: PathRef, from staging: FileDescriptor, _ name: PathRef, in parent: FileDescriptor
    ) throws(Errno) {
        do {
            try FileDescriptor.rename(from: staging, temporary, to: parent, name, flags: .noReplace)
        } catch .invalidArgument {
            // A filesystem without RENAME_NOREPLACE. Over an empty directory rename(2) replaces.
            try FileDescriptor.rename(from: staging, temporary, to: parent, name)
        }
    }

    /// Gives the skeleton the origin's attributes, and records which directory it stands for.
    private func dress(
        _ skeleton: FileDescriptor, as origin: FileDescriptor, _ status: FileStatus
    ) throws(Errno) {
        copyOwnership(of: status, to: skeleton)
        copyACLs(from: origin, to: skeleton)
        try skeleton.changeMode(status.permissions)
        do {
            let record = OriginRecord(of: origin, status).text
            try setMark(at: "", in: skeleton, MarkName.origin, MarkName.userOrigin, record.ref)
        } catch .notSupported {
            // An upper without extended attributes keeps no record: the skeleton is an ordinary directory.
        }
        try skeleton.changeTimes(access: .set(status.accessed), modification: .set(status.modified))
    }

    /// A server that isn't root makes what it may: the directory is its user's own.
    private func copyOwnership(of status: FileStatus, to skeleton: FileDescriptor) {
        try? skeleton.changeOwner(uid: status.uid, gid: status.gid)
    }

    private func copyACLs(from origin: FileDescriptor, to skeleton: FileDescriptor) {
        for name in ["system.posix_acl_access", "system.posix_acl_default"] as [PathRef] {
            copyXattr(name, from: origin, to: skeleton)
        }
    }

    private func copyXattr(_ name: PathRef, from source: FileDescriptor, to target: FileDescriptor) {
        let largest = 65536  // XATTR_SIZE_MAX, <linux/limits.h>
        guard let size = try? unsafe source.getXattr(name, into: .init(start: nil, count: 0)), size > 0
        else { return }
        unsafe withUnsafeTemporaryAllocation(byteCount: largest, alignment: 8) { buffer in
            guard let length = try? unsafe source.getXattr(name, into: buffer) else { return }
            try? unsafe target.setXattr(name, value: UnsafeRawBufferPointer(rebasing: buffer[..<length]))
        }
    }

    /// A skeleton's own mode and owner matter to who creates in it. They follow the directory that it stands
    /// for, which may have changed since.
    private func alignSkeleton(
        _ skeleton: FileDescriptor, _ view: borrowing DirectoryView
    ) throws(Errno) {
        guard view.count > 1, view.backings[0].isOwned, skeleton.marks(at: "").contains(.skeleton)
        else { return }
        let own = try skeleton.status()
        let origin = try view.backings[1].directory.status()
        guard own.permissions != origin.permissions || own.uid != origin.uid || own.gid != origin.gid
        else { return }
        copyOwnership(of: origin, to: skeleton)
        copyACLs(from: view.backings[1].directory, to: skeleton)
        try? skeleton.changeMode(origin.permissions)
    }

    /// How many directories a skeleton holds that its origin doesn't: they count in the link number.
    func extraSubdirectories(of skeleton: FileDescriptor, beyond origin: FileDescriptor) -> UInt32 {
        guard let listing = try? skeleton.openBeneath("", flags: [.readOnly, .directory]) else { return 0 }
        var stream = DirectoryStream(reading: listing.descriptor)
        var count: UInt32 = 0
        while let entry = try? stream.next() {
            guard entry.kind == .directory, !entry.name.isDots else { continue }
            if let stands = try? origin.exists(at: entry.name), !stands { count += 1 }
        }
        return count
    }

    /// Whether an orphan (the directory `name`, of which only the upper has its skeleton) holds anything
    /// other than empty orphans.
    func orphanHasEntries(_ name: PathRef, in upper: FileDescriptor) -> Bool {
        var pending = [unsafe Array(name.bytes)]
        while let path = pending.popLast() {
            let current = OwnedName(path)
            guard
                let directory = try? upper.openBeneath(
                    current.ref, flags: [.readOnly, .directory, .noFollow])
            else { continue }
            var stream = DirectoryStream(reading: directory.descriptor)
            while let entry = try? stream.next() {
                if entry.name.isDots { continue }
                guard let status = try? directory.descriptor.status(at: entry.name) else { continue }
                if status.isWhiteoutDevice { continue }
                guard status.isDirectory,
                    directory.descriptor.marks(at: entry.name).contains(.skeleton)
                else { return true }
                pending.append(unsafe path + [0x2f] + Array(entry.name.bytes))
            }
        }
        return false
    }
}

/// Which directory a skeleton stands for: by the filesystem's id and file handle, else by numbers.
struct OriginRecord {
    let value: String

    init(of origin: FileDescriptor, _ status: FileStatus) {
        let filesystem = (try? origin.fileSystem())?.id ?? 0
        let birth = "\(status.born.seconds).\(status.born.nanoseconds)"
        value = "1 \(filesystem) \(status.device) \(status.inode) \(birth)"
    }

    var text: OwnedName { OwnedName(value) }
}
