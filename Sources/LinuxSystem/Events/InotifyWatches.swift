internal import CLinux
public import SystemPackage

/// The watches of an inotify instance. Any thread may change them while one reads the events. Not to be used
/// after the instance's end.
public struct InotifyWatches: Sendable {
    private let instance: FileDescriptor

    init(of instance: FileDescriptor) { self.instance = instance }

    /// Watches the very object of `target`, which may be O_PATH. An object has one number until its watch is
    /// removed. ENOSPC: the user has too many watches. EACCES: the thread may not read the object.
    public func add(_ target: FileDescriptor, mask: InotifyMask) throws(Errno) -> Int32 {
        try check(slx_inotify_add(instance.rawValue, target.rawValue, mask.rawValue))
    }

    /// Watches what has the name in the calling thread's working directory (`OwnWorkingDirectory`), unless it is watched
    /// already (EEXIST). It takes no path through `/proc`, which costs more than all the rest.
    public func add(named name: PathRef, mask: InotifyMask) throws(Errno) -> Int32 {
        let mask = mask.union([.onlyNew, .noFollow])
        return try unsafe check(slx_inotify_add_here(instance.rawValue, name.base, mask.rawValue))
    }

    /// Removes a watch. EINVAL: the kernel has removed it already, with its object.
    public func remove(_ watch: Int32) throws(Errno) {
        try succeed(slx_inotify_remove(instance.rawValue, watch))
    }
}

extension Inotify {
    public var watches: InotifyWatches { InotifyWatches(of: descriptor) }
}
