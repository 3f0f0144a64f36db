internal import SystemPackage

/// How many inotify watches a user may have, and how many its other programs have now.
public enum InotifyUsage {
    /// How many watches the user may have. The kernel counts for each user, and in a user namespace against
    /// that namespace's limit too. nil: the limit can't be read.
    public static var limit: Int? {
        let limits = [
            SmallFile.number("/proc/sys/fs/inotify/max_user_watches"),
            SmallFile.number("/proc/sys/user/max_inotify_watches"),
        ]
        return limits.compactMap { $0 }.min()
    }

    /// How many watches this user's other processes have, as far as /proc shows them. From `most` on it
    /// doesn't count further. It takes some ten milliseconds on a machine with a few hundred processes, so it
    /// mustn't be in a request's way.
    public static func ofOthers(upTo most: Int) -> Int {
        guard let uid = (try? status("/proc/self"))?.uid,
            let users = try? status("/proc/self/ns/user").inode,
            let proc = try? open("/proc", [.readOnly, .directory])
        else { return 0 }
        var count = 0
        var stream = DirectoryStream(reading: proc.descriptor)
        while count < most, let entry = try? stream.next() {
            let name = entry.name.string
            guard let process = Int32(name), process != ServerIdentity.pid,
                (try? status("/proc/\(name)"))?.uid == uid,
                (try? status("/proc/\(name)/ns/user"))?.inode == users
            else { continue }
            count += watches(of: name, upTo: most - count)
        }
        return count
    }

    private static func watches(of process: String, upTo most: Int) -> Int {
        guard let directory = try? open("/proc/\(process)/fd", [.readOnly, .directory]) else { return 0 }
        var count = 0
        var stream = DirectoryStream(reading: directory.descriptor)
        while count < most, let entry = try? stream.next() {
            guard isInotify(entry.name, in: directory.descriptor) else { continue }
            count += lines(in: "/proc/\(process)/fdinfo/\(entry.name.string)", upTo: most - count)
        }
        return count
    }

    private static func isInotify(_ name: PathRef, in directory: FileDescriptor) -> Bool {
        let wanted: PathRef = "anon_inode:inotify"
        return unsafe withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { buffer in
            guard (try? unsafe directory.readLink(at: name, into: buffer)) == wanted.count else {
                return false
            }
            return unsafe buffer.prefix(wanted.count).elementsEqual(wanted.bytes)
        }
    }

    /// How many lines the file has: one for each watch, and a few more.
    private static func lines(in path: String, upTo most: Int) -> Int {
        guard let file = try? open(path, .readOnly) else { return 0 }
        var count = 0
        var chunk = [UInt8](repeating: 0, count: 16 * 1024)
        while count < most {
            let read = unsafe chunk.withUnsafeMutableBytes { buffer in
                (try? unsafe file.descriptor.readNext(into: buffer)) ?? 0
            }
            guard read > 0 else { break }
            count += chunk.prefix(read).count { $0 == 0x0a }
        }
        return min(count, most)
    }

    private static func open(_ path: String, _ flags: OpenFlags) throws(Errno) -> OwnedDescriptor {
        let name = OwnedName(path)
        return try FileDescriptor.workingDirectory.openPlain(name.ref, flags: flags)
    }

    private static func status(_ path: String) throws(Errno) -> FileStatus {
        let object = try open(path, .path)
        return try object.descriptor.status()
    }
}
