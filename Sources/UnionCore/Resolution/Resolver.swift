internal import LinuxSystem
internal import Synchronization

/// From nodes and names to what the layers hold now.
///
/// Every operation starts here. A resolver changes nothing and tells the kernel nothing.
final class Resolver: Sendable {
    let layers: Layers
    let stack: LayerStack
    let policies: Policies
    let table: InodeTable
    let coherence: Coherence
    let views: ViewCache
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

    init(_ layers: Layers, _ table: InodeTable, _ coherence: Coherence) {
        self.layers = layers
        stack = layers.stack
        policies = layers.policies
        self.table = table
        self.coherence = coherence
        views = coherence.views
        rootView = SharedView(ofRootsOf: layers.stack)
    }
}
