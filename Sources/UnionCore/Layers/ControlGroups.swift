internal import LinuxSystem

// What is peculiar to cgroup filesystems. No process makes or removes a control file by name, so inotify says
// nothing of those that come and go. They do so by writes to other control files, and of each write there is
// an event. A control file has one name, so that the watch of its directory tells of all that happens to its
// attributes.

/// What an object is watched as.
public enum WatchedKind: Sendable {
    case file
    case directory
    /// A directory that is also watched for writes to its files.
    case directoryWithFiles
    /// A directory of a cgroup filesystem. It is also watched for writes to its control files, and for
    /// changes of their attributes.
    case controlGroup

    init(directoryOn filesystem: FilesystemFacts?) {
        self = filesystem?.isControlGroups == true ? .controlGroup : .directory
    }
}

/// In which directories a write to a control file makes others come and go.
enum ControlScope: Sendable {
    /// In the written file's own.
    case own
    /// In its directory's children.
    case children
    /// In its directory and in all below that.
    case below

    /// The file that is written.
    var fileName: PathRef {
        switch self {
        case .own: "cgroup.pressure"
        case .children: "cgroup.subtree_control"
        case .below: "cgroup.type"
        }
    }

    /// nil: a write to a control file of that name only sets or does something.
    init?(writtenTo name: PathRef) {
        if name == Self.own.fileName {
            self = .own
        } else if name == Self.children.fileName {
            self = .children
        } else if name == Self.below.fileName {
            self = .below
        } else {
            return nil
        }
    }
}

extension FilesystemFacts {
    var isControlGroups: Bool { type.isControlGroups }
}

extension FileSystemType {
    var isControlGroups: Bool { self == .cgroup || self == .cgroup2 }
}
