/// Events and options of inotify(7); values of <linux/inotify.h>.
public struct InotifyMask: OptionSet, Sendable, Hashable {
    public let rawValue: UInt32

    @inlinable
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static var access: InotifyMask { InotifyMask(rawValue: 0x001) }
    public static var modify: InotifyMask { InotifyMask(rawValue: 0x002) }
    public static var attributes: InotifyMask { InotifyMask(rawValue: 0x004) }
    public static var closeWrite: InotifyMask { InotifyMask(rawValue: 0x008) }
    public static var movedFrom: InotifyMask { InotifyMask(rawValue: 0x040) }
    public static var movedTo: InotifyMask { InotifyMask(rawValue: 0x080) }
    public static var create: InotifyMask { InotifyMask(rawValue: 0x100) }
    public static var delete: InotifyMask { InotifyMask(rawValue: 0x200) }
    public static var deleteSelf: InotifyMask { InotifyMask(rawValue: 0x400) }
    public static var moveSelf: InotifyMask { InotifyMask(rawValue: 0x800) }

    /// Comes without being asked for: the filesystem was unmounted.
    public static var unmounted: InotifyMask { InotifyMask(rawValue: 0x2000) }
    /// Comes without being asked for: events were lost.
    public static var overflow: InotifyMask { InotifyMask(rawValue: 0x4000) }
    /// Comes without being asked for: the watch has gone.
    public static var ignored: InotifyMask { InotifyMask(rawValue: 0x8000) }
    /// Comes with others: the entry is a directory.
    public static var isDirectory: InotifyMask { InotifyMask(rawValue: 0x4000_0000) }

    /// Option: watches only directories; ENOTDIR for anything else.
    public static var onlyDirectory: InotifyMask { InotifyMask(rawValue: 0x0100_0000) }
    /// Option: watches a symlink itself.
    public static var noFollow: InotifyMask { InotifyMask(rawValue: 0x0200_0000) }
    /// Option: only what isn't watched yet; EEXIST for anything else.
    public static var onlyNew: InotifyMask { InotifyMask(rawValue: 0x1000_0000) }
    /// Option: adds to the mask that the watch has.
    public static var addToMask: InotifyMask { InotifyMask(rawValue: 0x2000_0000) }
}
