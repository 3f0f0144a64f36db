internal import LinuxSystem
internal import SystemPackage

/// The real directories that back one union directory at this moment, open (O_PATH), top to bottom.
///
/// Made for one request and closed after it: what it shows is what the layers hold now.
struct DirectoryView: ~Copyable {
    struct Backing {
        let layer: Layer
        let directory: FileDescriptor
        /// A layer's root stays open; all others are the view's own.
        let isOwned: Bool
    }

    private(set) var backings: [Backing] = []

    deinit {
        for backing in backings where backing.isOwned {
            _ = OwnedDescriptor(owning: backing.directory)
        }
    }

    var isEmpty: Bool { backings.isEmpty }
    var count: Int { backings.count }

    mutating func append(_ layer: Layer, _ directory: consuming OwnedDescriptor) {
        backings.append(Backing(layer: layer, directory: directory.release(), isOwned: true))
    }

    mutating func appendRoot(of layer: Layer) {
        backings.append(Backing(layer: layer, directory: layer.root.descriptor, isOwned: false))
    }

    /// Puts the upper's directory on top, after its skeleton was made.
    mutating func insertUpper(_ layer: Layer, _ directory: consuming OwnedDescriptor) {
        backings.insert(Backing(layer: layer, directory: directory.release(), isOwned: true), at: 0)
    }

    /// Takes the upper's directory out again: it isn't shown.
    mutating func removeUpper() {
        guard let top = backings.first, top.layer.isUpper, top.isOwned else { return }
        backings.removeFirst()
        _ = OwnedDescriptor(owning: top.directory)
    }

    /// The directory of `layer`, if that layer backs this one.
    func directory(in layer: Int) -> FileDescriptor? {
        for backing in backings where backing.layer.index == layer { return backing.directory }
        return nil
    }
}
