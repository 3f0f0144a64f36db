import SystemPackage
import UnionCore

// Changes to what the union shows that no file operation stands for. When they return, they are visible.
extension MountServer {
    func synchronize() { union.synchronizeChanges() }

    func orphans() throws(MountError) -> [Orphan] {
        do throws(Errno) {
            return try union.orphans().map { Orphan($0) }
        } catch {
            throw .failure("the orphans can't be listed: \(error)")
        }
    }

    func restoreOrphan(_ id: String) throws(MountError) {
        do throws(Errno) {
            try union.restoreOrphan(id)
        } catch {
            throw refusal(of: id, error)
        }
        union.synchronizeChanges()
    }

    func purgeOrphan(_ id: String) throws(MountError) {
        do throws(Errno) {
            try union.purgeOrphan(id)
        } catch {
            throw refusal(of: id, error)
        }
        union.synchronizeChanges()
    }

    func purgeAllOrphans() throws(MountError) {
        do throws(Errno) {
            try union.purgeAllOrphans()
        } catch {
            throw .failure("not all orphans are purged: \(error)")
        }
        union.synchronizeChanges()
    }

    private func refusal(of id: String, _ error: Errno) -> MountError {
        let path = (try? union.orphans())?.first { $0.id == id }?.path
        switch error {
        case .noSuchFileOrDirectory:
            guard let path else {
                return .failure("there is no orphan \(id); switchfs orphans \(mountPoint) lists them")
            }
            return .failure("orphan \(id), /\(path): the directory that held it is gone; make it again first")
        case .fileExists:
            return .failure(
                "orphan \(id), /\(path ?? ""): its name, or that of an entry in it, is in use; move that away "
                    + "first")
        case .readOnlyFileSystem:
            return .failure("orphan \(id): the union or its upper is read-only")
        default:
            return .failure("orphan \(id): \(error)")
        }
    }

    /// A path from the union's root.
    func setComplete(_ isComplete: Bool, _ path: [UInt8]) throws(MountError) {
        do throws(Errno) {
            try union.setComplete(isComplete, path: path)
        } catch {
            throw .failure("/\(String(decoding: path, as: UTF8.self)): \(reason(for: error))")
        }
        union.synchronizeChanges()
    }

    private func reason(for error: Errno) -> String {
        switch error {
        case .readOnlyFileSystem: "the layer that owns it is read-only"
        case .notSupported: "the layer that owns it takes no extended attributes to mark it with"
        case .invalidArgument: "the union's root can't be complete: every layer is part of it"
        case .notDirectory: "not a directory"
        case .noSuchFileOrDirectory: "no such directory"
        default: "\(error)"
        }
    }
}
