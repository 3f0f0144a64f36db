internal import LinuxSystem
internal import Synchronization

/// From nodes and names to what the layers hold now.
///
/// Every operation starts here. A resolver changes nothing and tells the kernel nothing.
final class Resolver: Sendable {
    let layers: Layers
    let table: InodeTable
    let coherence: Coherence
    /// The root's view, which never changes.
    let rootView: SharedView
    let renames = RenameClock()
    let mergedRenames = MergedRenames()
    let staleAnswers = StaleAnswers()
    let held = HeldObjects()
    let emptied = EmptiedOrphans()
    /// Whether a redirect of overlayfs was followed. If so, a directory's path may differ from layer to
    /// layer.
    let redirects = Atomic<Bool>(false)

    var stack: LayerStack { layers.stack }
    var policies: Policies { layers.policies }
    var views: ViewCache { coherence.views }

    init(_ layers: Layers, _ table: InodeTable, _ coherence: Coherence) {
        self.layers = layers
        self.table = table
        self.coherence = coherence
        rootView = SharedView(ofRootsOf: layers.stack)
    }
}
