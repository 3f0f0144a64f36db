internal import LinuxSystem
public import SystemPackage

/// The marks on a real directory that concern the union: the union's own and overlayfs's.
struct Marks: OptionSet, Sendable {
    let rawValue: UInt8

    /// The directory holds upper entries below a directory that a lower owns.
    static let skeleton = Marks(rawValue: 1)
    /// The directory holds every entry itself: switchfs's mark, or overlayfs's opaque one.
    static let complete = Marks(rawValue: 2)
    /// Empty regular files in it may be whiteouts by attribute (overlayfs's opaque mark of value "x").
    static let attributeWhiteouts = Marks(rawValue: 4)
    /// A user's own directory in the upper in which skeletons were made. (In a skeleton there may always be
    /// some.)
    static let holder = Marks(rawValue: 8)
    /// Overlayfs says by what name the layers below have the directory.
    static let redirect = Marks(rawValue: 16)
    /// A file without data of its own, made by overlayfs: a file of a layer below has the data.
    static let metacopy = Marks(rawValue: 32)
    /// A mark by which overlayfs remembers what it copied up.
    static let copiedUp = Marks(rawValue: 64)

    /// Whether other objects, elsewhere, are part of the object.
    var leadElsewhere: Bool { !isDisjoint(with: [.redirect, .metacopy]) }

    /// Whether there may be skeletons in the directory.
    var mayHoldSkeletons: Bool { !isDisjoint(with: [.skeleton, .holder]) }
}

/// A mark of the union's own.
enum OwnMark: CaseIterable, Sendable {
    /// Which directory a skeleton stands for: an `OriginRecord`.
    case origin
    case complete
    /// See `Marks.holder`.
    case holder
    /// Where an orphan that was set aside was in the union.
    case path

    /// The attribute of a privileged server.
    var trusted: PathRef {
        switch self {
        case .origin: "trusted.switchfs.origin"
        case .complete: "trusted.switchfs.complete"
        case .holder: "trusted.switchfs.holder"
        case .path: "trusted.switchfs.path"
        }
    }

    /// The attribute of any other server, and of any server if the filesystem takes only user attributes.
    var user: PathRef {
        switch self {
        case .origin: "user.switchfs.origin"
        case .complete: "user.switchfs.complete"
        case .holder: "user.switchfs.holder"
        case .path: "user.switchfs.skeleton-path"
        }
    }

    /// The mark's key in a `MarkTable`.
    var key: String { trusted.dropFirst("trusted.switchfs.".utf8.count).string }

    func isName(_ attribute: PathRef) -> Bool { attribute == trusted || attribute == user }
}

enum MarkName {
    static var opaque: PathRef { "trusted.overlay.opaque" }
    static var userOpaque: PathRef { "user.overlay.opaque" }
    static var whiteout: PathRef { "trusted.overlay.whiteout" }
    static var userWhiteout: PathRef { "user.overlay.whiteout" }
    static var redirect: PathRef { "trusted.overlay.redirect" }
    static var userRedirect: PathRef { "user.overlay.redirect" }
    static var metacopy: PathRef { "trusted.overlay.metacopy" }
    static var userMetacopy: PathRef { "user.overlay.metacopy" }

    /// Whether overlayfs says by the mark what an object is made of.
    fileprivate static func leadsElsewhere(_ name: PathRef) -> Bool {
        name == redirect || name == metacopy || name == userRedirect || name == userMetacopy
    }

    /// Whether the name is one of those that overlayfs puts on what it copies up, and on the directories of
    /// that. They aren't true of a copy of the object.
    static func isOfCopyUp(_ name: PathRef) -> Bool {
        (name.hasPrefix("trusted.overlay.") || name.hasPrefix("user.overlay."))
            && name != whiteout && name != userWhiteout && name != opaque && name != userOpaque
    }

    /// Whether the name is a POSIX ACL's.
    static func isACL(_ name: PathRef) -> Bool { name.hasPrefix("system.posix_acl_") }

    /// Whether the name is the union's own, which no client sets or lists.
    static func isPrivate(_ name: PathRef) -> Bool {
        name.hasPrefix("trusted.switchfs.") || name.hasPrefix("user.switchfs.")
    }
}

/// The names by which OCI image layers mark.
enum OCIName {
    static var whiteoutPrefix: PathRef { ".wh." }
    static var opaque: PathRef { ".wh..wh..opq" }
}

extension FileDescriptor {
    /// The marks on the directory `name` in this directory (the empty name: on this directory itself).
    ///
    /// One listxattr(2) tells that there are none, which is nearly always so. A filesystem without extended
    /// attributes has no marks.
    func marks(at name: PathRef) -> Marks {
        withXattrList(at: name) { list in
            var marks: Marks = []
            list.forEachName { attribute in
                if OwnMark.origin.isName(attribute) {
                    marks.insert(.skeleton)
                } else if OwnMark.complete.isName(attribute) {
                    marks.insert(.complete)
                } else if OwnMark.holder.isName(attribute) {
                    marks.insert(.holder)
                } else if attribute == MarkName.opaque || attribute == MarkName.userOpaque {
                    switch firstByte(at: name, of: attribute) {
                    case 0x79: marks.insert(.complete)  // "y"
                    case 0x78: marks.insert(.attributeWhiteouts)  // "x"
                    default: break
                    }
                } else if MarkName.isOfCopyUp(attribute) {
                    marks.insert(.copiedUp)
                    if MarkName.leadsElsewhere(attribute) {
                        let isRedirect = attribute == MarkName.redirect || attribute == MarkName.userRedirect
                        marks.insert(isRedirect ? .redirect : .metacopy)
                    }
                }
            }
            return marks
        }
    }

    /// Whether a server with this one's privileges can keep marks on this directory and on those below it.
    public var keepsMarks: Bool {
        hasAttributes(like: OwnMark.origin.user)
            || ServerIdentity.uid == 0 && hasAttributes(like: OwnMark.origin.trusted)
    }

    private func hasAttributes(like name: PathRef) -> Bool {
        do {
            _ = try xattrSize(name)
            return true
        } catch {
            return error != .notSupported
        }
    }

    /// Whether the empty regular file `name` is a whiteout by attribute.
    func hasWhiteoutAttribute(at name: PathRef) -> Bool {
        withXattrList(at: name) { list in
            var found = false
            list.forEachName { if $0 == MarkName.whiteout || $0 == MarkName.userWhiteout { found = true } }
            return found
        }
    }
}
