internal import LinuxSystem
internal import SystemPackage

// The union's own marks, wherever they are kept: as extended attributes of the directory, or in the work
// area's table if the upper has no attributes. The empty name is the directory itself.
extension Layers {
    func marks(of name: PathRef, in directory: FileDescriptor) -> Marks {
        guard let table = work.marks else { return directory.marks(at: name) }
        guard let status = try? directory.status(at: name), table.covers(status) else {
            return directory.marks(at: name)
        }
        let values = table.values(of: status)
        var marks: Marks = []
        if values[OwnMark.origin.key] != nil { marks.insert(.skeleton) }
        if values[OwnMark.complete.key] != nil { marks.insert(.complete) }
        if values[OwnMark.holder.key] != nil { marks.insert(.holder) }
        return marks
    }

    /// The marks on a directory of a view.
    func marks(of backing: Backing) -> Marks {
        knownMarks(of: backing) ?? marks(of: "", in: backing.directory)
    }

    /// The same without a look. nil: they aren't known. A cached view knows them; no event tells of changes in
    /// the table.
    func knownMarks(of backing: Backing) -> Marks? { work.marks == nil ? backing.marks : nil }

    /// A mark's value. nil: the mark isn't set.
    func value(of mark: OwnMark, on name: PathRef, in directory: FileDescriptor) -> [UInt8]? {
        if let table = work.marks, let status = try? directory.status(at: name), table.covers(status) {
            return table.values(of: status)[mark.key]
        }
        return directory.xattrValue(at: name, mark.trusted) ?? directory.xattrValue(at: name, mark.user)
    }

    func setMark(
        _ mark: OwnMark, _ value: PathRef, on name: PathRef, in directory: FileDescriptor
    ) throws(Errno) {
        if let table = work.marks {
            let status = try directory.status(at: name)
            if table.covers(status) {
                return try table.set(mark.key, value.array, of: status)
            }
        }
        try setMarkAttribute(at: name, in: directory, mark.trusted, mark.user, value)
    }

    /// Takes a mark away, if it is set.
    func removeMark(_ mark: OwnMark, from name: PathRef, in directory: FileDescriptor) throws(Errno) {
        if let table = work.marks {
            let status = try directory.status(at: name)
            if table.covers(status) { return try table.set(mark.key, nil, of: status) }
        }
        for attribute in [mark.trusted, mark.user] {
            do {
                try directory.removeXattr(at: name, attribute)
            } catch .noData, .notSupported {
                // It isn't set.
            } catch .notPermitted where attribute == mark.trusted {
                // A server without privileges sets, and sees, only the user attribute.
            }
        }
    }

    /// Which directory the skeleton stands for. nil: it is no skeleton.
    func origin(of name: PathRef, in directory: FileDescriptor) -> OriginRecord? {
        value(of: .origin, on: name, in: directory).map { OriginRecord(decoding: $0) }
    }
}
