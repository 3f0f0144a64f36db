internal import LinuxSystem
internal import SystemPackage

extension Agents {
    /// Opens a real directory of proc if its listing depends on the caller, besides the credentials. nil: it
    /// doesn't.
    func openElsewhere(
        _ source: ListingSource, _ backing: Backing, of node: Node, _ caller: CallerIdentity
    ) throws(Errno) -> OpenSource? {
        let path = try resolver.path(of: node, in: backing.layer)
        let acting = acting(path.ref, on: source.filesystem, in: backing.layer)
        var source = source
        guard case .elsewhere(let agent) = try route(of: acting, acting.listing, caller) else {
            source.filter = try hidingServer(path.ref, source, backing, caller)
            guard source.filter != nil else { return nil }
            let directory = try caller.perform(exact: true) { () throws(Errno) in
                try backing.directory.reopen(flags: [.readOnly, .directory])
            }
            return OpenSource(source: source, directory: directory)
        }
        let root = backing.layer.root.descriptor
        let directory = try agent.open(path.ref, beneath: root, flags: [.readOnly, .directory])
        if acting.hasFilesOfItsOwn {
            source.filter = ListingFilter(
                showing: acting.listing, ownView: try backing.directory.duplicated())
        } else if acting.isServers {
            source.filter = ListingFilter(ofServers: try backing.directory.duplicated())
        }
        return OpenSource(source: source, directory: directory)
    }

    /// The filter that hides the server's process. proc's `hidepid=` lists for each reader the processes that
    /// it may look into, and the kernel counts the reader's own among these.
    private func hidingServer(
        _ path: PathRef, _ source: ListingSource, _ backing: Backing, _ caller: CallerIdentity
    ) throws(Errno) -> ListingFilter? {
        guard try backing.directory.status().isProcRoot(on: source.filesystem.device),
            !CallerRights(exactOf: caller).has(.trace), let number = backing.directory.serversNumber
        else { return nil }
        var entry = PathBuffer()
        entry.append(path)
        entry.append(number.ref)
        do throws(Errno) {
            try lookElsewhere(entry.ref, in: backing.layer, caller)
            return nil
        } catch {
            return ListingFilter(hiding: number, in: try backing.directory.duplicated())
        }
    }
}

extension FileDescriptor {
    /// The number that a proc filesystem, whose root this is, has for this process. nil: it doesn't show this
    /// process.
    fileprivate var serversNumber: OwnedName? {
        unsafe withUnsafeTemporaryAllocation(byteCount: 16, alignment: 1) { buffer in
            guard let length = unsafe try? readLink(at: "self", into: buffer) else { return nil }
            return unsafe OwnedName(Array(buffer[..<length]))
        }
    }
}
